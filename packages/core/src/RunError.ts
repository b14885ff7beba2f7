/**
 * What enqueueing and waiting for a run can fail with.
 *
 * @since 0.1.0
 */
import { Data, Schema } from "effect"
import type { FailureReason } from "./Outcome.ts"

/** The input of a run, or an option of its enqueueing, was refused; nothing was stored.
 * @category errors
 * @since 0.1.0 */
export class InputInvalid extends Schema.TaggedError<InputInvalid>()("InputInvalid", {
  job: Schema.String,
  /** Which of many inputs, 0-based. */
  index: Schema.optional(Schema.Int),
  detail: Schema.String,
}) {
  override get message(): string {
    const which = this.index === undefined ? "" : ` (input ${this.index})`
    return `Cannot enqueue job "${this.job}"${which}: ${this.detail}`
  }
}

/** The queue of a run holds as many as it may; nothing was stored.
 * @category errors
 * @since 0.1.0 */
export class QueueFull extends Schema.TaggedError<QueueFull>()("QueueFull", {
  job: Schema.String,
  queue: Schema.String,
}) {
  override get message(): string {
    return `Cannot enqueue job "${this.job}": queue "${this.queue}" holds as many as it may; ` +
      `try again later, or give whenFull: "wait"`
  }
}

/** There is no such run: it never was, or it was pruned.
 * @category errors
 * @since 0.1.0 */
export class RunNotFound extends Schema.TaggedError<RunNotFound>()("RunNotFound", {
  runId: Schema.String,
}) {
  override get message(): string {
    return `Cannot find run "${this.runId}": it was never enqueued here, or it was pruned`
  }
}

/** Steps of the run were undone, so that it cannot go on; nothing was changed.
 * @category errors
 * @since 0.1.0 */
export class RunUndone extends Schema.TaggedError<RunUndone>()("RunUndone", {
  runId: Schema.String,
}) {
  override get message(): string {
    return `Cannot retry run "${this.runId}": steps of it were undone; start it anew`
  }
}

/** When a run is to be due was refused; nothing was changed.
 * @category errors
 * @since 0.1.0 */
export class WhenInvalid extends Schema.TaggedError<WhenInvalid>()("WhenInvalid", {
  detail: Schema.String,
}) {
  override get message(): string {
    return `Cannot reschedule: ${this.detail}`
  }
}

/** A filter of runs, or a cursor, was refused; nothing was read or changed.
 * @category errors
 * @since 0.1.0 */
export class FilterInvalid extends Schema.TaggedError<FilterInvalid>()("FilterInvalid", {
  detail: Schema.String,
}) {
  override get message(): string {
    return `Cannot find runs: ${this.detail}`
  }
}

/**
 * A signal was refused, and nothing was stored: the run's flow has no such signal (`UnknownStep`),
 * its schema refuses the value (`ValueInvalid`), the run or the step has ended (`TooLate`), or the
 * run has had this signal before (`AlreadySignalled`).
 *
 * @category errors
 * @since 0.1.0
 */
export class SignalRefused extends Schema.TaggedError<SignalRefused>()("SignalRefused", {
  runId: Schema.String,
  step: Schema.String,
  reason: Schema.Literals(["UnknownStep", "ValueInvalid", "TooLate", "AlreadySignalled"]),
  detail: Schema.String,
}) {
  override get message(): string {
    return `Cannot signal "${this.step}" to run "${this.runId}": ${this.detail}`
  }
}

/** The run ended cancelled.
 * @category errors
 * @since 0.1.0 */
export class RunCancelled extends Schema.TaggedError<RunCancelled>()("RunCancelled", {
  runId: Schema.String,
  reason: Schema.String,
}) {
  override get message(): string {
    return `Run "${this.runId}" was cancelled: ${this.reason}`
  }
}

/**
 * The run failed for good. `error` is the job's own typed error where `reason` is `"Error"`, or
 * `"Discarded"` by its handler, and `undefined` for what the job did not foresee.
 *
 * @category errors
 * @since 0.1.0
 */
export class RunFailed<out E> extends Data.TaggedError("RunFailed")<{
  readonly runId: string
  readonly job: string
  readonly reason: FailureReason
  readonly detail: string
  readonly error: unknown
}> {
  declare readonly error: E | undefined
  override get message(): string {
    return `Run "${this.runId}" of job "${this.job}" failed (${this.reason}): ${this.detail}`
  }
}
