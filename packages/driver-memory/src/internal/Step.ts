/**
 * A statement of the in-memory driver that has not been executed: a plain function, so that a
 * simulation that executes millions of them needs no fiber for each.
 *
 * @since 0.1.0
 */
import type { DriverError } from "@millrace/core"
import { Clock, type Context, Effect, type Exit } from "effect"

/** Does it all at once, in the transaction that the caller has open, if any. */
export type Step<A> = (caller: Context.Context<never>, now: number) => Exit.Exit<A, DriverError>

/** The step as an effect, by the caller's own clock. */
export const toEffect = <A>(step: Step<A>): Effect.Effect<A, DriverError> =>
  Effect.flatMap(
    Clock.currentTimeMillis,
    (now) => Effect.contextWith((caller: Context.Context<never>) => step(caller, now)),
  )
