/**
 * Waits for a latch, but not for ever.
 */
import { type Clock, Duration, Effect, type Fiber, type Latch } from "effect"
import { monotonicMillis } from "./Monotonic.ts"

/**
 * Waits until a latch is open, and opens it itself after a time: for one waiter at a time.
 *
 * **Details**
 *
 * Most waits end before their time, and the next one ends later. So the fiber that keeps the time
 * is left asleep when a wait ends, and sleeps on where it wakes too early for the wait of then:
 * whoever is woken often begins no timer and ends none.
 */
export class Waiting {
  readonly #latch: Latch.Latch
  readonly #clock: Clock.Clock
  readonly #waited: Effect.Effect<void>
  /** When the wait is over; `Infinity` while nobody waits. */
  #until = Infinity
  /** When the timer wakes; `Infinity` while there is none. */
  #wakesAt = Infinity
  #timer: Fiber.Fiber<void> | undefined

  constructor(latch: Latch.Latch, clock: Clock.Clock) {
    this.#latch = latch
    this.#clock = clock
    this.#waited = Effect.interruptible(Effect.map(latch.await, () => {
      this.#until = Infinity
    }))
  }

  /** Waits so long at most, from now on. */
  for(millis: number): Effect.Effect<void> {
    if (this.#latch.isOpen()) return Effect.void
    const now = monotonicMillis(this.#clock)
    this.#until = now + millis
    if (this.#wakesAt <= this.#until) return this.#waited
    this.#timer?.interruptUnsafe()
    return Effect.flatMap(
      Effect.forkChild(this.#keep(now), { startImmediately: true }),
      (timer) => {
        this.#timer = timer
        return this.#waited
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
    if (waits) this.#latch.openUnsafe()
    return Effect.void
  }
}
