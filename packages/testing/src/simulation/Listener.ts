/**
 * Who hears the wakeups of a simulated storage.
 *
 * @since 0.1.0
 */
import type { Driver } from "@millrace/core"
import { Effect } from "effect"
import { type Host, Turn } from "./Turn.ts"

type Told = readonly [Driver.Wakeup, ...ReadonlyArray<Driver.Wakeup>]

/** A wakeup as it is told to any number of listeners.
 * @category models
 * @since 0.1.0 */
export interface Announced {
  readonly wakeup: Driver.Wakeup
  readonly heard: Effect.Effect<Told>
}

/** Makes what is told of a wakeup.
 * @category constructors
 * @since 0.1.0 */
export const announced = (wakeup: Driver.Wakeup): Announced => ({
  wakeup,
  heard: Effect.succeed([wakeup]),
})

/**
 * The wakeups that one host is told. What is told while it listens is heard in the same step, and
 * what is told before waits for it.
 *
 * @category models
 * @since 0.1.0
 */
export class Listener {
  readonly #told: Array<Driver.Wakeup> = []
  #hear: ((told: Effect.Effect<Told>) => void) | undefined

  tell({ heard, wakeup }: Announced): void {
    const hear = this.#hear
    this.#hear = undefined
    if (hear === undefined) this.#told.push(wakeup)
    else hear(heard)
  }

  /** What was told, as soon as anything was. */
  readonly heard: Effect.Effect<Told> = Effect.callback<Told>((resume) => {
    if (this.#told.length > 0) {
      const [first, ...others] = this.#told.splice(0)
      return resume(Effect.succeed([first!, ...others]))
    }
    this.#hear = resume
  })
}

/**
 * A wakeup on its way.
 *
 * @category models
 * @since 0.1.0
 */
export class Telling extends Turn {
  readonly #listener: Listener
  readonly #announced: Announced

  constructor(host: Host, listener: Listener, announced: Announced) {
    super(host)
    this.#listener = listener
    this.#announced = announced
  }

  run(): void {
    this.#listener.tell(this.#announced)
  }
}
