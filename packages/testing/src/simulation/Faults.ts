/**
 * What goes wrong in a simulation, and how often.
 *
 * @since 0.1.0
 */
import type { Seeded } from "../model/Seeded.ts"

/**
 * How often each kind of fault strikes. Shares are from 0 to 1, means are milliseconds of simulated
 * time; a mean of `Infinity` never strikes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Faults {
  /** Mean time between two crashes of a worker. It starts anew within a minute. */
  readonly crashEveryMillis: number
  /** Mean time between two pauses of a worker, of up to three leases. */
  readonly pauseEveryMillis: number
  /** Share of statements that fail without having been executed. */
  readonly failed: number
  /** Share of statements that are executed, but whose reply is lost. */
  readonly replyLost: number
  /** Share of statements that take up to two leases. */
  readonly slow: number
  /** Share of wakeups that are lost, come twice, or come up to a minute late. */
  readonly wakeups: number
  /** How far a worker's wall clock may be off, either way. */
  readonly skewMillis: number
}

/** No faults at all: only the order of things is random.
 * @category constants
 * @since 0.1.0 */
export const none: Faults = {
  crashEveryMillis: Infinity,
  pauseEveryMillis: Infinity,
  failed: 0,
  replyLost: 0,
  slow: 0,
  wakeups: 0,
  skewMillis: 0,
}

/** Every kind of fault, each rare enough that work gets done in between.
 * @category constants
 * @since 0.1.0 */
export const all: Faults = {
  crashEveryMillis: 300_000,
  pauseEveryMillis: 300_000,
  failed: 0.01,
  replyLost: 0.01,
  slow: 0.005,
  wakeups: 0.1,
  skewMillis: 600_000,
}

/** What happens to one statement.
 * @category models
 * @since 0.1.0 */
export type StatementFate = "done" | "failed" | "reply lost" | "slow"

/** What happens to one wakeup.
 * @category models
 * @since 0.1.0 */
export type WakeupFate = "heard" | "lost" | "doubled" | "late"

/**
 * Draws the faults of one seed. Each fault that strikes has a number; those in `skip` are left out,
 * which is how a failing run is made smaller.
 *
 * @category models
 * @since 0.1.0
 */
export class Plan {
  readonly #faults: Faults
  readonly #choices: Seeded
  readonly #skip: ReadonlySet<number>
  #struck = 0
  /** Faults strike only while this holds. */
  active = true

  constructor(faults: Faults, choices: Seeded, skip: ReadonlySet<number>) {
    this.#faults = faults
    this.#choices = choices
    this.#skip = skip
  }

  /** How many faults were drawn, those that were left out included. */
  get struck(): number {
    return this.#struck
  }

  statement(): StatementFate {
    const { failed, replyLost, slow } = this.#faults
    if (!this.active || failed + replyLost + slow === 0) return "done"
    const drawn = this.#unit()
    if (drawn < failed) return this.#strike("failed", "done")
    if (drawn < failed + replyLost) return this.#strike("reply lost", "done")
    return drawn < failed + replyLost + slow ? this.#strike("slow", "done") : "done"
  }

  wakeup(): WakeupFate {
    if (!this.active || this.#faults.wakeups === 0) return "heard"
    const drawn = this.#unit() / this.#faults.wakeups
    if (drawn >= 1) return "heard"
    return this.#strike(drawn < 0.4 ? "lost" : drawn < 0.7 ? "doubled" : "late", "heard")
  }

  /** How long until the next crash or pause. */
  next(kind: "crash" | "pause"): number {
    const mean = kind === "crash" ? this.#faults.crashEveryMillis : this.#faults.pauseEveryMillis
    return mean === Infinity ? Infinity : -Math.log(1 - this.#unit()) * mean
  }

  /** Whether a crash or pause whose time has come does strike. */
  strikes(): boolean {
    return this.active && this.#strike(true, false)
  }

  skew(): number {
    const most = this.#faults.skewMillis
    return most === 0 ? 0 : this.between(0, 2 * most) - most
  }

  between(from: number, to: number): number {
    return from + this.#choices.below(to - from + 1)
  }

  #unit(): number {
    return this.#choices.below(1_000_000) / 1_000_000
  }

  #strike<A>(fate: A, otherwise: A): A {
    return this.#skip.has(this.#struck++) ? otherwise : fate
  }
}
