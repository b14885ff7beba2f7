/**
 * How a user says when a job recurs, and what is wrong with saying it so.
 *
 * @since 0.1.0
 */
import type { Duration } from "effect"
import * as Cron from "./Cron.ts"
import { offsetsOf } from "./internal/Zone.ts"
import * as Limits from "./Limits.ts"
import type * as Misfire from "./Misfire.ts"
import * as Problem from "./Problem.ts"
import type { Recurrence } from "./Recurrence.ts"
import type { Draft } from "./Scheduling.ts"

/**
 * When something recurs: `cron`, or `every`, and not both.
 *
 * @category models
 * @since 0.1.0
 */
export interface Timetable {
  /** Five fields (from minutes on), six (from seconds on), or `@hourly` and its like. */
  readonly cron?: string
  /** The zone of the cron expression: a name of IANA, or an offset as `+05:30` (default UTC). */
  readonly timeZone?: string
  /** What becomes of a local time that the clocks jump over (default `move`). */
  readonly gap?: Cron.Gap
  /**
   * What becomes of a local time that there is twice (default `first`, and `both` where the hours
   * of the expression are `*`).
   */
  readonly overlap?: Cron.Overlap
  /** An interval on a grid that begins with 1970: 1 second to 10 years. */
  readonly every?: Duration.Input
  /** How far the grid is moved: less than `every` (default 0). */
  readonly offset?: Duration.Input
}

/**
 * When a job recurs, and what becomes of what was missed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends Timetable {
  /**
   * What becomes of occurrences that were missed by more than a minute: `skip`, `latest`, or
   * `{ all: n }`, the last n up to 900 (default `latest`).
   */
  readonly misfire?: Misfire.Misfire
  /** How old a missed occurrence may be to be made up for (default: any age). */
  readonly within?: Duration.Input
  /** Each run is due up to this much later, at random: up to 1 day (default 0). */
  readonly jitter?: Duration.Input
  /** 0 to 9, and 0 runs first (default: the job's). */
  readonly priority?: number
}

/**
 * The schedule of a job's definition, for as long as workers serve it.
 *
 * @category models
 * @since 0.1.0
 */
export interface OfJob<I> extends Options {
  /** What each run is enqueued with (default: no input). */
  readonly input?: I
}

/** What a timetable that is known to be right comes to.
 * @category conversions
 * @since 0.1.0 */
export const recurrenceOf = (timetable: Timetable): Recurrence => {
  const { cron, every, gap, offset, overlap, timeZone } = timetable
  if (cron === undefined) {
    return { _tag: "Every", everyMillis: millisOf(every), offsetMillis: millisOf(offset) }
  }
  return {
    _tag: "Cron",
    expression: cron.trim(),
    timeZone: timeZone ?? "UTC",
    gap: gap ?? "move",
    overlap: overlap ?? Cron.overlapOf(cron),
  }
}

/** What options that are known to be right come to.
 * @category conversions
 * @since 0.1.0 */
export const draftOf = (options: Options): Omit<Draft, "defined" | "template"> => {
  const { jitter, misfire = "latest", within } = options
  return {
    recurrence: recurrenceOf(options),
    misfire: {
      count: misfire === "skip" ? 0 : misfire === "latest" ? 1 : misfire.all,
      withinMillis: within === undefined ? undefined : millisOf(within),
    },
    jitterMillis: millisOf(jitter),
  }
}

const millisOf = (duration: Duration.Input | undefined): number =>
  Math.round(Problem.toMillis(duration ?? 0)!)

const known: ReadonlySet<string> = new Set<keyof Options | "input">([
  "cron",
  "timeZone",
  "gap",
  "overlap",
  "every",
  "offset",
  "misfire",
  "within",
  "jitter",
  "priority",
  "input",
])

/** Lists everything that is wrong with the options of a schedule.
 * @category guards
 * @since 0.1.0 */
export const problemsOf = (subject: string, value: unknown): ReadonlyArray<Problem.Problem> => {
  if (Object.prototype.toString.call(value) !== "[object Object]") {
    return [Problem.mustBe(subject, "schedule", "an object with cron or every", value)]
  }
  const options = value as Readonly<Record<keyof Options, unknown>>
  const given = (
    option: keyof Options,
    check: (value: unknown) => ReadonlyArray<Problem.Problem>,
  ) => options[option] === undefined ? [] : check(options[option])
  const duration = (option: keyof Options, max: number) =>
    given(option, (value) => Problem.ofDuration(subject, option, value, 0, max))
  return [
    ...Object.keys(options).filter((option) => !known.has(option)).map((option) =>
      wrong(subject, option, `there is no option ${Problem.show(option)} of a schedule`)
    ),
    ...(options.cron === undefined ? ofEvery(subject, options) : ofCron(subject, options)),
    ...given("misfire", (value) => ofMisfire(subject, value)),
    ...duration("within", Limits.delayMillis),
    ...duration("jitter", Limits.jitterMillis),
    ...given(
      "priority",
      (value) => Problem.ofInteger(subject, "priority", value, 0, Limits.lowestPriority),
    ),
  ]
}

type Unchecked = Readonly<Record<keyof Options, unknown>>

const wrong = (subject: string, option: string, detail: string): Problem.Problem => ({
  subject,
  option,
  message: `Cannot define ${subject}: ${detail}`,
})

const ofCron = (subject: string, options: Unchecked): ReadonlyArray<Problem.Problem> => {
  const { cron, gap, overlap, timeZone } = options
  const problem = Cron.problemOf(cron)
  const oneOf = (option: string, value: unknown, names: ReadonlyArray<string>) =>
    value === undefined || names.includes(value as string)
      ? []
      : [Problem.mustBe(subject, option, `one of ${names.join(", ")}`, value)]
  return [
    ...(problem === undefined
      ? []
      : [wrong(subject, "cron", `cron ${Problem.show(cron)} cannot be used: ${problem}`)]),
    ...(timeZone === undefined ||
        (typeof timeZone === "string" && offsetsOf(timeZone) !== undefined)
      ? []
      : [Problem.mustBe(
        subject,
        "timeZone",
        `a time zone such as "Europe/Berlin", or an offset such as "+05:30"`,
        timeZone,
      )]),
    ...oneOf("gap", gap, ["move", "skip"]),
    ...oneOf("overlap", overlap, ["first", "second", "both"]),
    ...(["every", "offset"] as const).filter((option) => options[option] !== undefined)
      .map((option) => wrong(subject, option, `${option} cannot be given together with cron`)),
  ]
}

const ofEvery = (subject: string, options: Unchecked): ReadonlyArray<Problem.Problem> => {
  const { every, offset } = options
  if (every === undefined) return [wrong(subject, "cron", "a schedule needs either cron or every")]
  const { delayMillis, minEveryMillis } = Limits
  const problems = Problem.ofDuration(subject, "every", every, minEveryMillis, delayMillis)
  return [
    ...problems,
    ...(offset === undefined || problems.length > 0
      ? []
      : Problem.ofDuration(subject, "offset", offset, 0, Problem.toMillis(every)! - 1)),
    ...(["timeZone", "gap", "overlap"] as const).filter((option) => options[option] !== undefined)
      .map((option) => wrong(subject, option, `${option} is of no use without cron`)),
  ]
}

const ofMisfire = (subject: string, value: unknown): ReadonlyArray<Problem.Problem> => {
  if (value === "skip" || value === "latest") return []
  if (typeof value === "object" && value !== null && Object.keys(value).join() === "all") {
    const { all } = value as { readonly all: unknown }
    return Problem.ofInteger(subject, "misfire.all", all, 1, Limits.misfires)
  }
  return [Problem.mustBe(subject, "misfire", `"skip", "latest" or { all: n }`, value)]
}
