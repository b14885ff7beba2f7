/**
 * Who acts in a simulated world, and what is to be done when it is its turn.
 *
 * @since 0.1.0
 */
import { Effect } from "effect"

/**
 * What lives and dies as one: its fibers run only while it is alive and not paused. A crashed one
 * never runs again; no finalizer of its fibers does.
 *
 * @category models
 * @since 0.1.0
 */
export class Host {
  readonly name: string
  state: "alive" | "paused" | "crashed" = "alive"
  /** What became ready while it was paused. */
  readonly backlog: Array<Turn> = []
  /** How far its wall clock is from the world's. */
  readonly skewMillis: number

  constructor(name: string, skewMillis: number) {
    this.name = name
    this.skewMillis = skewMillis
  }
}

/**
 * What runs as part of a host when it is its turn, once or, where it is given to the world again,
 * several times.
 *
 * @category models
 * @since 0.1.0
 */
export abstract class Turn {
  host: Host
  /** Taken back before it ran. */
  cancelled = false
  /** When it is due, and after which others that are due then; the world says so. */
  at = 0
  order = 0

  constructor(host: Host) {
    this.host = host
  }

  abstract run(): void
}

/** What calls a function.
 * @category models
 * @since 0.1.0 */
export class Action extends Turn {
  readonly #act: () => void

  constructor(host: Host, act: () => void) {
    super(host)
    this.#act = act
  }

  run(): void {
    this.#act()
  }
}

/** The end of a sleep.
 * @category models
 * @since 0.1.0 */
export class Waking extends Turn {
  readonly #resume: (effect: Effect.Effect<void>) => void

  constructor(host: Host, resume: (effect: Effect.Effect<void>) => void) {
    super(host)
    this.#resume = resume
  }

  run(): void {
    this.#resume(Effect.void)
  }
}
