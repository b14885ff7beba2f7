/**
 * A latch at which a fiber waits, but not for ever.
 */
import { type Clock, Duration, Effect, type Fiber } from "effect"
import { monotonicMillis } from "./Monotonic.ts"

/**
 * Whoever waits goes on when it is opened, in the same turn, or after a time, which opens it too.
 *
 * **Details**
 *
 * Most waits end before their time, and the next one ends later. So the fiber that keeps the time
 * is left asleep when a wait ends, and sleeps on where it wakes too early for the wait of then:
 * whoever is woken often begins no timer and ends none. It is a child of the fiber that waits and
 * ends with it, so that all waits are to be of one fiber.
 */
export class TimedLatch {
  readonly #clock: Clock.Clock
  #isOpen: boolean
  /** Goes on with the fiber that waits. */
  #resume: ((effect: Effect.Effect<void>) => void) | undefined
  /** When the wait is over; `Infinity` while nobody waits, or waits for ever. */
  #until = Infinity
  /** When the timer wakes; `Infinity` while there is none. */
  #wakesAt = Infinity
  #timer: Fiber.Fiber<void> | undefined

  constructor(clock: Clock.Clock, isOpen = false) {
    this.#clock = clock
    this.#isOpen = isOpen
  }

  open(): void {
    this.#isOpen = true
    this.#until = Infinity
    const resume = this.#resume
    this.#resume = undefined
    resume?.(Effect.void)
  }

  close(): void {
    this.#isOpen = false
  }

  /** Waits until it is open. Can be interrupted, also by who cannot be otherwise. */
  readonly opened: Effect.Effect<void> = Effect.interruptible(
    Effect.callback<void>((resume) => {
      if (this.#isOpen) return resume(Effect.void)
      this.#resume = resume
    }),
  )

  /** Waits so long at most, from now on. */
  openedWithin(millis: number): Effect.Effect<void> {
    if (this.#isOpen) return Effect.void
    const now = monotonicMillis(this.#clock)
    this.#until = now + millis
    if (this.#wakesAt <= this.#until) return this.opened
    this.#timer?.interruptUnsafe()
    return Effect.flatMap(
      Effect.forkChild(this.#keep(now), { startImmediately: true }),
      (timer) => {
        this.#timer = timer
        return this.opened
      },
    )
  }

  /** Sleeps until the wait is over, or until there is none. */
  #keep(now: number): Effect.Effect<void> {
    this.#wakesAt = this.#until
    const millis = Math.max(1, Math.round(this.#until - now))
    return Effect.flatMap(this.#clock.sleep(Duration.millis(millis)), this.#woken)
  }

  readonly #woken = (): Effect.Effect<void> => {
    const now = monotonicMillis(this.#clock)
    const waits = this.#until !== Infinity
    // A timer may fire a fraction of a millisecond early.
    if (waits && this.#until - now >= 0.5) return this.#keep(now)
    this.#wakesAt = Infinity
    if (waits) this.open()
    return Effect.void
  }
}
