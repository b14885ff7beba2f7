/**
 * When a cron expression fires in a time zone, and what becomes of local times that do not exist,
 * or exist twice. Effect's `Cron` reads the expression and does the arithmetic of the calendar.
 *
 * @since 0.1.0
 */
import { Cron as Calendar, Result } from "effect"
import { around, nearMillis, type OffsetAt, offsetsOf } from "./internal/Zone.ts"
import * as Limits from "./Limits.ts"

/**
 * What becomes of a local time that the clocks jump over: `move` lets it fire as long after the
 * jump as it is after the jump's beginning (02:30 is 03:30), and `skip` leaves it out.
 *
 * @category models
 * @since 0.1.0
 */
export type Gap = "move" | "skip"

/**
 * What becomes of a local time that there is twice: it fires the `first` time, the `second` time,
 * or `both` times.
 *
 * @category models
 * @since 0.1.0
 */
export type Overlap = "first" | "second" | "both"

/**
 * A cron expression that is known to be right.
 *
 * @category models
 * @since 0.1.0
 */
export interface Cron {
  readonly _tag: "Cron"
  readonly expression: string
  readonly timeZone: string
  readonly gap: Gap
  readonly overlap: Overlap
}

/** What `@hourly` and its like stand for.
 * @category constants
 * @since 0.1.0 */
export const aliases: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
}

/**
 * The next instant after another one at which a cron expression fires, in milliseconds since 1970;
 * `undefined` where it does not before the end of the year 9999.
 *
 * **Details**
 *
 * Each instant counts once: where a moved time falls on another one, it fires once.
 *
 * **Example** (A night without half past two)
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict"
 * import { Cron } from "@millrace/core"
 *
 * const cron = {
 *   _tag: "Cron",
 *   expression: "30 2 * * *",
 *   timeZone: "Europe/Berlin",
 *   gap: "move",
 *   overlap: "first"
 * } as const
 * const next = Cron.next(cron, Date.UTC(2026, 2, 28, 12))
 * deepStrictEqual(new Date(next!).toISOString(), "2026-03-29T01:30:00.000Z")
 * ```
 *
 * @category rules
 * @since 0.1.0
 */
export const next = (cron: Cron, after: number): number | undefined => {
  const calendar = Result.getOrUndefined(parse(cron.expression))
  const offsetAt = offsetsOf(cron.timeZone)
  if (calendar === undefined || offsetAt === undefined) return undefined
  const found = search({ ...cron, calendar, offsetAt }, after)
  return found !== undefined && found <= Limits.lastInstant ? found : undefined
}

interface Search extends Cron {
  readonly calendar: Calendar.Cron
  readonly offsetAt: OffsetAt
}

/** No zone is further from UTC. */
const farthestMillis = 16 * 60 * 60 * 1000

const search = (cron: Search, after: number): number | undefined => {
  let from = after
  while (from <= Limits.lastInstant) {
    const near = around(cron.timeZone, cron.offsetAt, from)
    const found = near.before === near.after
      ? plain(cron, from, near.before)
      : changing(cron, from, near)
    if (found === undefined || found <= from + nearMillis - 1) return found
    // Nothing fires until shortly before this; there the offset may be another one.
    from = Math.max(from + 1, found - farthestMillis - farthestMillis)
  }
  return undefined
}

const plain = (cron: Search, from: number, offset: number): number | undefined => {
  const wall = nextWall(cron.calendar, from + offset)
  return wall === undefined ? undefined : wall - offset
}

/** Before the change, in the gap, and after the change: the first of the three. */
const changing = (
  cron: Search,
  from: number,
  { before, after, changesAt }: ReturnType<typeof around>,
): number | undefined => {
  const gap = Math.max(0, after - before)
  const overlap = Math.max(0, before - after)
  const ends = cron.overlap === "second" ? changesAt - overlap : changesAt
  const begins = cron.overlap === "first" ? changesAt + overlap : changesAt
  const within = (offset: number, least: number, end: number) => {
    const found = plain(cron, Math.max(from, least), offset)
    return found !== undefined && found < end ? found : Infinity
  }
  const first = Math.min(
    from < ends ? within(before, from, ends) : Infinity,
    cron.gap === "move" && gap > 0 ? within(before, changesAt - 1, changesAt + gap) : Infinity,
    within(after, begins - 1, Infinity),
  )
  return first === Infinity ? undefined : first
}

/** The calendar of a wall clock that is never put forward or back. */
const nextWall = (calendar: Calendar.Cron, wall: number): number | undefined => {
  try {
    return Calendar.next(calendar, wall).getTime()
  } catch {
    // There is no such date.
    return undefined
  }
}

/** Reads an expression of five or six fields, or an alias.
 * @category conversions
 * @since 0.1.0 */
export const parse = (expression: string): Result.Result<Calendar.Cron, string> => {
  const trimmed = expression.trim()
  if (trimmed.startsWith("@")) {
    const meant = aliases[trimmed.toLowerCase()]
    return meant === undefined
      ? Result.fail(`there is no "${trimmed.slice(0, 20)}"; use ${Object.keys(aliases).join(", ")}`)
      : parse(meant)
  }
  return Result.mapError(
    Calendar.parse(trimmed, "UTC"),
    ({ input, message }) =>
      input === undefined || input === trimmed ? lower(message) : `${lower(message)} in "${input}"`,
  )
}

const lower = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1)

/**
 * What is wrong with an expression, if anything is.
 *
 * @category guards
 * @since 0.1.0
 */
export const problemOf = (expression: unknown): string | undefined => {
  if (typeof expression !== "string") return `it is a value of type ${typeof expression}`
  if (expression.length > Limits.cronLength) {
    return `it has more than ${Limits.cronLength} characters`
  }
  const parsed = parse(expression)
  if (Result.isFailure(parsed)) return parsed.failure
  return nextWall(parsed.success, beginning) === undefined
    ? "it never fires: there is no such date"
    : undefined
}

// A multiple of the 400 years after which the calendar repeats.
const beginning = Date.UTC(2000, 0, 1)

/**
 * What an expression does with local times that there are twice, unless it says otherwise: one that
 * fires in every hour does so also in the hour that is repeated, and another fires the first time.
 *
 * @category conversions
 * @since 0.1.0
 */
export const overlapOf = (expression: string): Overlap => {
  const parsed = Result.getOrUndefined(parse(expression))
  return parsed !== undefined && parsed.hours.size === 0 ? "both" : "first"
}
