/**
 * Waits for a latch, but not for ever.
 */
import { type Clock, Effect, type Fiber, type Latch } from "effect"
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
    this.#waited = Effect.map(latch.await, () => {
      this.#until = Infinity
    })
  }

  /** Waits so long at most, from now on. */
  for(millis: number): Effect.Effect<void> {
    if (this.#latch.isOpen()) return Effect.void
    this.#until = monotonicMillis(this.#clock) + millis
    if (this.#wakesAt <= this.#until) return this.#waited
    this.#timer?.interruptUnsafe()
    return Effect.flatMap(
      Effect.forkChild(this.#keep(this.#until), { startImmediately: true }),
      (timer) => {
        this.#timer = timer
        return this.#waited
      },
    )
  }

  /** Sleeps until the wait is over, or until there is none. */
  #keep(wakesAt: number): Effect.Effect<void> {
    this.#wakesAt = wakesAt
    const millis = Math.max(1, Math.round(wakesAt - monotonicMillis(this.#clock)))
    return Effect.flatMap(Effect.sleep(millis), () => {
      const until = this.#until
      // A timer may fire a fraction of a millisecond early.
      if (until !== Infinity && until - monotonicMillis(this.#clock) >= 0.5) {
        return this.#keep(until)
      }
      this.#wakesAt = Infinity
      if (until !== Infinity) this.#latch.openUnsafe()
      return Effect.void
    })
  }
}
