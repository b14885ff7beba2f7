/**
 * Who hears the wakeups of a simulated storage.
 *
 * @since 0.1.0
 */
import type { Driver } from "@millrace/core"
import { Effect, Stream } from "effect"

type Told = readonly [Driver.Wakeup, ...ReadonlyArray<Driver.Wakeup>]

/**
 * A stream of the wakeups that one host is told. What is told while it listens is heard in the same
 * step, and what is told before waits for it.
 *
 * @category models
 * @since 0.1.0
 */
export class Listener {
  readonly #told: Array<Driver.Wakeup> = []
  #hear: ((told: Effect.Effect<Told>) => void) | undefined

  tell(wakeup: Driver.Wakeup): void {
    const hear = this.#hear
    this.#hear = undefined
    if (hear === undefined) this.#told.push(wakeup)
    else hear(Effect.succeed([wakeup]))
  }

  readonly wakeups: Stream.Stream<Driver.Wakeup> = Stream.fromPull(
    Effect.succeed(Effect.callback<Told>((resume) => {
      const [first, ...others] = this.#told.splice(0)
      if (first !== undefined) return resume(Effect.succeed([first, ...others]))
      this.#hear = resume
      return Effect.sync(() => {
        this.#hear = undefined
      })
    })),
  )
}
