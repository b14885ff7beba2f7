/**
 * The outcomes that cases settle with.
 *
 * @since 0.1.0
 */
import type { Driver, Outcome } from "@millrace/core"

/** A failure of the typed kind.
 * @category constructors
 * @since 0.1.0 */
export const failure = (message = "no luck", error?: string): Outcome.Failure => ({
  reason: "Error",
  message,
  error,
})

/** The handler answered.
 * @category constructors
 * @since 0.1.0 */
export const completed = (output = "null"): Outcome.Completed => ({ _tag: "Completed", output })

/** The handler failed; `undefined` allows no other attempt.
 * @category constructors
 * @since 0.1.0 */
export const failed = (
  retryDelayMillis: number | undefined = 0,
  why: Outcome.Failure = failure(),
): Outcome.Failed => ({ _tag: "Failed", failure: why, retryDelayMillis })

/** The handler failed, and no other attempt can help.
 * @category constructors
 * @since 0.1.0 */
export const failedForGood: Outcome.Failed = {
  _tag: "Failed",
  failure: failure(),
  retryDelayMillis: undefined,
}

/** The handler ran too long.
 * @category constructors
 * @since 0.1.0 */
export const timedOut = (retryDelayMillis: number | undefined = 0): Outcome.TimedOut => ({
  _tag: "TimedOut",
  failure: { reason: "TimedOut", message: "It ran longer than 30 s" },
  retryDelayMillis,
})

/** The handler asked for another time.
 * @category constructors
 * @since 0.1.0 */
export const snoozed = (delayMillis = 0): Outcome.Snoozed => ({ _tag: "Snoozed", delayMillis })

/** The handler gave up.
 * @category constructors
 * @since 0.1.0 */
export const discarded: Outcome.Discarded = {
  _tag: "Discarded",
  failure: { reason: "Discarded", message: "not wanted any more" },
}

/** The worker gave the task back.
 * @category constructors
 * @since 0.1.0 */
export const interrupted: Outcome.Interrupted = { _tag: "Interrupted" }

/** The own task of a run went on: it starts tasks, and waits until it is woken more often.
 * @category constructors
 * @since 0.1.0 */
export const advanced = (
  seen = 0,
  starts: ReadonlyArray<Driver.NewTask> = [],
): Outcome.Advanced => ({ _tag: "Advanced", starts, seen })

/** The own task of a run saw why the run cannot go on.
 * @category constructors
 * @since 0.1.0 */
export const unwinding = (message = "no luck"): Outcome.Unwinding => ({
  _tag: "Unwinding",
  failure: failure(message),
})
