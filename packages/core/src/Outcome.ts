/**
 * What an attempt came to. An outcome is a value that the worker makes and `transition` reads; it
 * is not a state.
 *
 * @since 0.1.0
 */

import type { NewTask } from "./Exchange.ts"

/**
 * The outcome of one attempt, with encoded values only.
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome =
  | Completed
  | Failed
  | TimedOut
  | Snoozed
  | Discarded
  | Interrupted
  | Advanced
  | Unwinding
  | Cancelled
  | Expired

/** The handler answered; `output` is its JSON text.
 * @category models
 * @since 0.1.0 */
export interface Completed {
  readonly _tag: "Completed"
  readonly output: string
}

/**
 * The handler failed, died, or could not be given its input. `retryDelayMillis` is how long to wait
 * before the next attempt, or `undefined` when the policy allows none whatever the budget.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failed {
  readonly _tag: "Failed"
  readonly failure: Failure
  readonly retryDelayMillis: number | undefined
}

/** The attempt ran longer than its timeout and was interrupted.
 * @category models
 * @since 0.1.0 */
export interface TimedOut {
  readonly _tag: "TimedOut"
  readonly failure: Failure
  readonly retryDelayMillis: number | undefined
}

/** The handler asked to run again later; the attempt spends nothing.
 * @category models
 * @since 0.1.0 */
export interface Snoozed {
  readonly _tag: "Snoozed"
  readonly delayMillis: number
}

/** The handler gave up for good, whatever attempts are left.
 * @category models
 * @since 0.1.0 */
export interface Discarded {
  readonly _tag: "Discarded"
  readonly failure: Failure
}

/** The worker gave the task back, at a shutdown; the attempt spends nothing.
 * @category models
 * @since 0.1.0 */
export interface Interrupted {
  readonly _tag: "Interrupted"
}

/**
 * The own task of a run has gone as far as it can: it starts tasks, and waits until it is woken
 * more than `seen` times.
 *
 * @category models
 * @since 0.1.0
 */
export interface Advanced {
  readonly _tag: "Advanced"
  readonly starts: ReadonlyArray<NewTask>
  readonly seen: number
}

/** The own task of a run has seen why the run cannot go on: what is open ends, and is undone.
 * @category models
 * @since 0.1.0 */
export interface Unwinding {
  readonly _tag: "Unwinding"
  readonly failure: Failure
}

/** The own task of a run that was to be cancelled has undone what was done.
 * @category models
 * @since 0.1.0 */
export interface Cancelled {
  readonly _tag: "Cancelled"
  readonly failure: Failure
}

/** It was too late to begin the task: no handler has.
 * @category models
 * @since 0.1.0 */
export interface Expired {
  readonly _tag: "Expired"
}

/**
 * Why an attempt failed, in the form that is stored.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failure {
  readonly reason: FailureReason
  /** One line for people. */
  readonly message: string
  /** The JSON text of the typed error, encoded with the job's error schema. */
  readonly error?: string | undefined
}

/**
 * The kinds of failure: `Error` is the job's own typed error; `RetryAfter` its wish for another
 * attempt later; `Defect` anything that it threw or that its error schema refuses;
 * `InputUndecodable` and `OutputInvalid` what the schemas refuse or the size limits forbid;
 * `TimedOut` and `Crashed` speak for themselves; `Cancelled` is somebody's wish; `Expired` is what
 * could not begin in time. Of flows: `StepFailed` is why a run failed; `ConditionUnmet` and
 * `NeedSkipped` are why a step was skipped.
 *
 * @category models
 * @since 0.1.0
 */
export type FailureReason =
  | "Error"
  | "Defect"
  | "TimedOut"
  | "RetryAfter"
  | "Discarded"
  | "InputUndecodable"
  | "OutputInvalid"
  | "Crashed"
  | "Cancelled"
  | "Expired"
  | "StepFailed"
  | "ConditionUnmet"
  | "NeedSkipped"
