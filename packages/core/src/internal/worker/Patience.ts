/**
 * Waits for what may never answer, but not for ever.
 */
import { type Clock, Effect, type Exit } from "effect"
import { TimedLatch } from "./TimedLatch.ts"

/** Runs effects, one after the other, each for a time at most. */
export class Patience {
  readonly #ended: TimedLatch

  constructor(clock: Clock.Clock) {
    this.#ended = new TimedLatch(clock)
  }

  /** How an effect ended; `undefined` where it took longer, and was told to stop. */
  exit<A, E>(
    effect: Effect.Effect<A, E>,
    millis: number,
  ): Effect.Effect<Exit.Exit<A, E> | undefined> {
    return Effect.flatMap(Effect.forkChild(effect, { startImmediately: true }), (fiber) => {
      this.#ended.close()
      // Where it has ended already this is told at once.
      const forget = fiber.addObserver(() => this.#ended.open())
      return Effect.map(this.#ended.openedWithin(millis), () => {
        const exit = fiber.pollUnsafe()
        if (exit !== undefined) return exit
        forget()
        fiber.interruptUnsafe()
        return undefined
      })
    })
  }
}
