/**
 * Waits for what may never answer, but not for ever.
 */
import { type Clock, Effect, type Exit, Latch } from "effect"
import { Waiting } from "./Waiting.ts"

/** Runs effects, one after the other, each for a time at most. */
export class Patience {
  readonly #latch = Latch.makeUnsafe(false)
  readonly #waiting: Waiting

  constructor(clock: Clock.Clock) {
    this.#waiting = new Waiting(this.#latch, clock)
  }

  /** How an effect ended; `undefined` where it took longer, and was told to stop. */
  exit<A, E>(
    effect: Effect.Effect<A, E>,
    millis: number,
  ): Effect.Effect<Exit.Exit<A, E> | undefined> {
    return Effect.flatMap(Effect.forkChild(effect, { startImmediately: true }), (fiber) => {
      this.#latch.closeUnsafe()
      // Where it has ended already this is told at once.
      const forget = fiber.addObserver(() => this.#latch.openUnsafe())
      return Effect.map(this.#waiting.for(millis), () => {
        const exit = fiber.pollUnsafe()
        if (exit !== undefined) return exit
        forget()
        fiber.interruptUnsafe()
        return undefined
      })
    })
  }
}
