/**
 * The deadlines of many attempts on one timer.
 */
import { type Clock, Effect } from "effect"
import { monotonicMillis } from "./Monotonic.ts"
import { TimedLatch } from "./TimedLatch.ts"

/**
 * Calls `onDue` with each entry whose time has come. Entries with the same delay come due in the
 * order in which they were added, so that only the first of each delay has to be looked at, and
 * adding and removing cost the same however many there are.
 */
export class Deadlines<A extends object> {
  readonly #byDelay = new Map<number, Map<A, number>>()
  readonly #earlier: TimedLatch
  readonly #clock: Clock.Clock
  readonly #onDue: (entry: A) => void
  #sleepsUntil = -Infinity

  constructor(clock: Clock.Clock, onDue: (entry: A) => void) {
    this.#clock = clock
    this.#earlier = new TimedLatch(clock)
    this.#onDue = onDue
  }

  add(entry: A, delayMillis: number): void {
    const at = monotonicMillis(this.#clock) + delayMillis
    let entries = this.#byDelay.get(delayMillis)
    if (entries === undefined) this.#byDelay.set(delayMillis, entries = new Map())
    entries.set(entry, at)
    if (at < this.#sleepsUntil) this.#earlier.open()
  }

  remove(entry: A, delayMillis: number): void {
    this.#byDelay.get(delayMillis)?.delete(entry)
  }

  /** The timer: runs until it is interrupted. */
  readonly run: Effect.Effect<never> = Effect.gen({ self: this }, function* () {
    while (true) {
      this.#sleepsUntil = -Infinity
      this.#earlier.close()
      const now = monotonicMillis(this.#clock)
      const next = this.#actOnDue(now)
      this.#sleepsUntil = next
      yield* next === Infinity
        ? this.#earlier.opened
        : this.#earlier.openedWithin(Math.max(1, Math.ceil(next - now)))
    }
  })

  /** Answers when the next entry is due. */
  #actOnDue(now: number): number {
    let next = Infinity
    for (const [delay, entries] of this.#byDelay) {
      for (const [entry, at] of entries) {
        if (at > now) {
          next = Math.min(next, at)
          break
        }
        entries.delete(entry)
        this.#onDue(entry)
      }
      if (entries.size === 0) this.#byDelay.delete(delay)
    }
    return next
  }
}
