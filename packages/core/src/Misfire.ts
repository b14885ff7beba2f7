/**
 * What becomes of occurrences that nobody was there for.
 *
 * @since 0.1.0
 */
import * as Limits from "./Limits.ts"
import * as Recurrence from "./Recurrence.ts"

/**
 * What becomes of missed occurrences: `skip` leaves them out, `latest` makes up for the last one,
 * and `all` for the last so many.
 *
 * @category models
 * @since 0.1.0
 */
export type Misfire = "skip" | "latest" | { readonly all: number }

/**
 * How many missed occurrences are made up for, and how old they may be.
 *
 * @category models
 * @since 0.1.0
 */
export interface Policy {
  readonly count: number
  /** Only those of so long ago; `undefined` for any. */
  readonly withinMillis: number | undefined
}

/**
 * The occurrences to enqueue now, oldest first, of those after one instant.
 *
 * **Details**
 *
 * An occurrence of the last minute is on time. Earlier ones were missed: of those within the
 * policy's window the last `count` are made up for, fewer where occurrences on time follow, which
 * count as well.
 *
 * @category rules
 * @since 0.1.0
 */
export const due = (
  recurrence: Recurrence.Recurrence,
  { count, withinMillis }: Policy,
  after: number,
  now: number,
): ReadonlyArray<number> => {
  if (now <= after) return []
  const late = Math.max(after, now - Limits.lateMillis)
  const onTime = Recurrence.last(recurrence, late, now, Limits.batchSize)
  const missing = count - onTime.length
  const from = Math.max(after, withinMillis === undefined ? after : now - withinMillis)
  if (missing <= 0 || from >= late) return onTime
  return [...Recurrence.last(recurrence, from, late, missing), ...onTime].slice(-Limits.batchSize)
}
