/**
 * What a worker can run: the handlers of jobs and of the steps of flows, and what it needs to know
 * of each. One shape for all of them, so that an attempt is an attempt.
 */
import { Effect } from "effect"
import type { AttemptContext } from "../../AttemptContext.ts"
import type * as Codec from "../../Codec.ts"
import type { ClaimedTask, Driver } from "../../Driver.ts"
import type * as Flow from "../../Flow.ts"
import type { DriverError } from "../../DriverError.ts"
import type * as Job from "../../Job.ts"
import type { Outcome } from "../../Outcome.ts"

/** The work of one kind of task. */
export interface Served {
  /** What its handler is told that it is. */
  readonly step: string
  readonly policy: Flow.Policy
  readonly input: Codec.Any
  readonly output: Codec.Any
  readonly error: Codec.Any
  readonly retryable: (error: unknown) => boolean
  readonly handler: (
    input: unknown,
    ctx: AttemptContext["Service"],
  ) => Effect.Effect<unknown, unknown, any>
  /**
   * Reads what the handler is told of the run, where that is not its own input. Where it is
   * `undefined`, the input is the run's.
   */
  readonly runInput?:
    | ((driver: Driver["Service"], task: ClaimedTask) => Effect.Effect<unknown, unknown>)
    | undefined
  /** What answers an outcome itself, instead of a handler, such as the own task of a run. */
  readonly answer?:
    | ((driver: Driver["Service"], task: ClaimedTask) => Effect.Effect<Outcome, DriverError>)
    | undefined
}

/** Finds the work of a task, where this worker knows it. */
export type Catalogue = (task: ClaimedTask) => Served | undefined

/** The work of a job. */
export const ofJob = (handled: Job.AnyHandled): Served => ({
  step: handled.steps[0]!,
  policy: handled.definition.steps[0]!.policy,
  ...handled.job.codecs,
  retryable: (error) => handled.job.retryable(error),
  handler: handled.handler,
})
