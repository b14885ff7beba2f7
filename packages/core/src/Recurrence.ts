/**
 * When something recurs: by a cron expression, or each so often on a grid.
 *
 * @since 0.1.0
 */
import * as Cron from "./Cron.ts"
import * as Limits from "./Limits.ts"

/**
 * Each so often: at every multiple of `everyMillis` since 1970, and `offsetMillis` later. The grid
 * is the same whenever the schedule was made and whatever restarts.
 *
 * @category models
 * @since 0.1.0
 */
export interface Every {
  readonly _tag: "Every"
  readonly everyMillis: number
  readonly offsetMillis: number
}

/** When something recurs.
 * @category models
 * @since 0.1.0 */
export type Recurrence = Cron.Cron | Every

/** The next occurrence after an instant, in milliseconds since 1970; `undefined` where there is
 * none.
 * @category rules
 * @since 0.1.0 */
export const next = (recurrence: Recurrence, after: number): number | undefined => {
  if (recurrence._tag === "Cron") return Cron.next(recurrence, after)
  const { everyMillis, offsetMillis } = recurrence
  const at = (Math.floor((after - offsetMillis) / everyMillis) + 1) * everyMillis + offsetMillis
  return at <= Limits.lastInstant ? at : undefined
}

/** Lists the next occurrences after an instant.
 * @category rules
 * @since 0.1.0 */
export const preview = (
  recurrence: Recurrence,
  after: number,
  count: number,
): ReadonlyArray<number> => {
  const found: Array<number> = []
  for (let at = next(recurrence, after); at !== undefined && found.length < count;) {
    found.push(at)
    at = next(recurrence, at)
  }
  return found
}

/**
 * The last occurrences after one instant and until another, oldest first, and `count` at most. It
 * looks back from the end, so that a long absence costs no more than a short one.
 *
 * @category rules
 * @since 0.1.0
 */
export const last = (
  recurrence: Recurrence,
  after: number,
  until: number,
  count: number,
): ReadonlyArray<number> => {
  for (let span = firstSpanMillis;; span *= 4) {
    const from = Math.max(after, until - span)
    const found: Array<number> = []
    let at = next(recurrence, from)
    while (at !== undefined && at <= until) {
      found.push(at)
      at = next(recurrence, at)
    }
    if (from === after || found.length >= count) return found.slice(-count)
  }
}

const firstSpanMillis = 60_000
