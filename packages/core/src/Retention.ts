/**
 * How long, and how many of, the runs that have ended are kept.
 *
 * @since 0.1.0
 */
import type { Duration } from "effect"
import * as Limits from "./Limits.ts"
import * as Problem from "./Problem.ts"
import type { TerminalState } from "./Task.ts"

/**
 * How long runs are kept after their end, or how many of them, or both: then a run goes as soon as
 * one of the two says so.
 *
 * @category models
 * @since 0.1.0
 */
export type Kept = Duration.Input | {
  /** Up to 10 years. */
  readonly age?: Duration.Input
  /** The newest so many, in the order of ids: up to 1,000,000. */
  readonly count?: number
}

/**
 * What is kept of the runs that ended each way (default: all of it, for ever).
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly completed?: Kept
  readonly failed?: Kept
  readonly cancelled?: Kept
}

/** What is removed: runs that ended so, after a time, or beyond a count.
 * @category models
 * @since 0.1.0 */
export interface Rule {
  readonly state: TerminalState
  readonly olderThanMillis: number
  readonly keep?: number
}

/** The ends of runs that have a retention.
 * @category constants
 * @since 0.1.0 */
export const states = ["completed", "failed", "cancelled"] as const

/** Lists what is wrong with the retention of a definition, or of a worker.
 * @category guards
 * @since 0.1.0 */
export const problemsOf = (subject: string, value: unknown): ReadonlyArray<Problem.Problem> => {
  if (!isPlain(value)) return [Problem.mustBe(subject, "retention", "an object", value)]
  const known: ReadonlyArray<string> = states
  return Object.entries(value).flatMap(([state, kept]) => {
    const option = `retention.${state}`
    if (!known.includes(state)) return [noOption(subject, option)]
    return kept === undefined ? [] : ofKept(subject, option, kept)
  })
}

const ofKept = (
  subject: string,
  option: string,
  value: unknown,
): ReadonlyArray<Problem.Problem> => {
  if (!isCounted(value)) return Problem.ofDuration(subject, option, value, 0, Limits.delayMillis)
  const { age, count, ...others } = value
  const [other] = Object.keys(others)
  return [
    ...(other === undefined ? [] : [noOption(subject, `${option}.${other}`)]),
    ...(age === undefined
      ? []
      : Problem.ofDuration(subject, `${option}.age`, age, 0, Limits.delayMillis)),
    ...(count === undefined
      ? []
      : Problem.ofInteger(subject, `${option}.count`, count, 0, Limits.keptRuns)),
    ...(age === undefined && count === undefined
      ? [Problem.mustBe(subject, option, "a duration, or have an age or a count", value)]
      : []),
  ]
}

const noOption = (subject: string, option: string): Problem.Problem => ({
  subject,
  option,
  message: `Cannot define ${subject}: there is no option ${Problem.show(option)}`,
})

/** The rules of a retention that is known to be right.
 * @category conversions
 * @since 0.1.0 */
export const rulesOf = (options: Options): ReadonlyArray<Rule> =>
  states.flatMap((state): ReadonlyArray<Rule> => {
    const kept = options[state]
    if (kept === undefined) return []
    const { age, count } = isCounted(kept) ? kept : { age: kept, count: undefined }
    return [
      ...(age === undefined ? [] : [{ state, olderThanMillis: millisOf(age as Duration.Input) }]),
      ...(count === undefined ? [] : [{ state, olderThanMillis: 0, keep: count as number }]),
    ]
  })

const millisOf = (age: Duration.Input): number => Math.round(Problem.toMillis(age)!)

// A duration may be an object too, such as `{ days: 3 }`.
const isCounted = (value: unknown): value is { age?: unknown; count?: unknown } =>
  isPlain(value) && ("age" in value || "count" in value)

const isPlain = (value: unknown): value is Record<string, unknown> =>
  Object.prototype.toString.call(value) === "[object Object]"
