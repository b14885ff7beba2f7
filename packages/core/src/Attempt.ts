/**
 * What a handler can say about its own attempt, besides succeeding and failing.
 *
 * @since 0.1.0
 */
import { Data, Duration } from "effect"
import * as Limits from "./Limits.ts"
import * as Problem from "./Problem.ts"

/** Asks to run the task again after `delayMillis`, as if this attempt had not been.
 * @category models
 * @since 0.1.0 */
export class Snooze extends Data.TaggedError("millrace/Snooze")<{
  readonly delayMillis: number
}> {}

/** Fails this attempt and sets the delay before the next one.
 * @category models
 * @since 0.1.0 */
export class RetryAfter extends Data.TaggedError("millrace/RetryAfter")<{
  readonly delayMillis: number
}> {}

/** Fails the task for good with a typed error, whatever attempts are left.
 * @category models
 * @since 0.1.0 */
export class Discard<out E> extends Data.TaggedError("millrace/Discard")<{
  readonly error: unknown
}> {
  declare readonly error: E
}

/** What a handler may fail with besides its job's own errors.
 * @category models
 * @since 0.1.0 */
export type Control<E> = Snooze | RetryAfter | Discard<E>

/**
 * Runs the task again after a delay and spends nothing:
 * `return yield* Attempt.snooze("10 minutes")`.
 *
 * **Gotchas**
 *
 * A handler that always snoozes runs for ever; no limit counts snoozes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const snooze = (delay: Duration.Input): Snooze =>
  new Snooze({ delayMillis: delayOf("snooze", delay) })

/**
 * Fails the attempt and waits `delay`, instead of the backoff, before the next one; for servers
 * that say when to come back. It spends an attempt.
 *
 * @category constructors
 * @since 0.1.0
 */
export const retryAfter = (delay: Duration.Input): RetryAfter =>
  new RetryAfter({ delayMillis: delayOf("retryAfter", delay) })

/** Fails the task at once with an error of the job's own, for what no retry can mend.
 * @category constructors
 * @since 0.1.0 */
export const discard = <E>(error: E): Discard<E> => new Discard<E>({ error })

/** Tells whether a failure is one of the three.
 * @category guards
 * @since 0.1.0 */
export const isControl = (u: unknown): u is Control<unknown> =>
  u instanceof Snooze || u instanceof RetryAfter || u instanceof Discard

const delayOf = (name: string, delay: Duration.Input): number => {
  Problem.throwFirst(
    Problem.ofDuration(`attempt "${name}"`, "delay", delay, 0, Limits.delayMillis),
  )
  return Math.round(Duration.toMillis(delay))
}
