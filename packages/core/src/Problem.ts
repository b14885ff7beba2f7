/**
 * A definition that cannot be accepted, as a value: which one, which option, and what is wrong.
 *
 * @since 0.1.0
 */
import { Duration, Option } from "effect"
import * as Limits from "./Limits.ts"

/**
 * Describes one thing that is wrong with a definition or with an option.
 *
 * @category models
 * @since 0.1.0
 */
export interface Problem {
  /** What could not be made, such as `job "send_email"`. */
  readonly subject: string
  /** The option at fault, such as `maxAttempts`. */
  readonly option: string
  /** One line: the action first, then the accepted range and the value that was given. */
  readonly message: string
}

/**
 * Thrown when a definition or an option is out of bounds. It is the programmer's error, so it is a
 * defect and not a failure; `Definition.check` gives the same problems as values.
 *
 * @category errors
 * @since 0.1.0
 */
export class DefinitionError extends Error {
  override readonly name = "DefinitionError"
  readonly problem: Problem
  constructor(problem: Problem) {
    super(problem.message)
    this.problem = problem
  }
}

/** Throws the first problem, when there is one.
 * @category guards
 * @since 0.1.0 */
export const throwFirst = (problems: ReadonlyArray<Problem>): void => {
  const first = problems[0]
  if (first !== undefined) throw new DefinitionError(first)
}

/** Writes a value for people, on one line: short strings and numbers as they are, of all else only
 * the type.
 * @category conversions
 * @since 0.1.0 */
export const show = (value: unknown): string => {
  if (typeof value === "string") {
    return JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}...` : value)
  }
  if (typeof value === "bigint") return `${value}n`
  if (typeof value === "number" || value == null || typeof value === "boolean") return String(value)
  if (Duration.isDuration(value)) return Duration.format(value)
  return `a value of type ${Array.isArray(value) ? "array" : typeof value}`
}

/** Makes the problem of an option that is not what it must be.
 * @category constructors
 * @since 0.1.0 */
export const mustBe = (
  subject: string,
  option: string,
  accepted: string,
  value: unknown,
): Problem => ({
  subject,
  option,
  message: `Cannot define ${subject}: ${option} must be ${accepted}, got ${show(value)}`,
})

/** Lists the problem of a slug that breaks the pattern or the length.
 * @category guards
 * @since 0.1.0 */
export const ofSlug = (subject: string, option: string, value: unknown): ReadonlyArray<Problem> =>
  typeof value === "string" && value.length <= Limits.slugLength && Limits.slugPattern.test(value)
    ? []
    : [mustBe(
      subject,
      option,
      `lower-case letters, digits and underscores, not starting with a digit, at most ` +
        `${Limits.slugLength} characters`,
      value,
    )]

/** Lists the problem of a count that is not an integer within bounds.
 * @category guards
 * @since 0.1.0 */
export const ofInteger = (
  subject: string,
  option: string,
  value: unknown,
  min: number,
  max: number,
): ReadonlyArray<Problem> => {
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) {
    return []
  }
  const tooLarge = typeof value === "number" && value > max
  const accepted = tooLarge ? `an integer of at most ${max}` : `an integer of at least ${min}`
  return [mustBe(subject, option, accepted, value)]
}

/** Lists the problem of what is no function of `argument`.
 * @category guards
 * @since 0.1.0 */
export const ofFunction = (
  subject: string,
  option: string,
  argument: string,
  value: unknown,
): ReadonlyArray<Problem> =>
  typeof value === "function" ? [] : [mustBe(subject, option, `a function of ${argument}`, value)]

/** Lists the problem of a duration that is malformed or out of bounds.
 * @category guards
 * @since 0.1.0 */
export const ofDuration = (
  subject: string,
  option: string,
  value: unknown,
  minMillis: number,
  maxMillis: number,
): ReadonlyArray<Problem> => {
  const millis = toMillis(value)
  if (millis !== undefined && millis >= minMillis && millis <= maxMillis) return []
  const range =
    `a duration from ${minMillis === 0 ? "0" : Duration.format(Duration.millis(minMillis))} to ` +
    Duration.format(Duration.millis(maxMillis))
  return [mustBe(subject, option, range, value)]
}

/** Reads a duration in milliseconds; `undefined` where it is none, negative, or not a number.
 * @category conversions
 * @since 0.1.0 */
export const toMillis = (value: unknown): number | undefined => {
  if (isMalformed(value)) return undefined
  const duration = Option.getOrUndefined(Duration.fromInput(value as Duration.Input))
  if (duration === undefined) return undefined
  const millis = Duration.toMillis(duration)
  return Number.isNaN(millis) || millis < 0 ? undefined : millis
}

// Duration reads most of these as zero, and so would accept a slip of the pen in silence.
const isMalformed = (value: unknown): boolean => {
  if (typeof value === "number") return !(value >= 0)
  if (typeof value !== "object" || value === null || Duration.isDuration(value)) return false
  if (Array.isArray(value)) return value.some(Number.isNaN)
  const parts = Object.entries(value)
  return parts.length === 0 ||
    parts.some(([unit, count]) =>
      !units.has(unit) || typeof count !== "number" || Number.isNaN(count)
    )
}

const units: ReadonlySet<string> = new Set([
  "weeks",
  "days",
  "hours",
  "minutes",
  "seconds",
  "milliseconds",
  "microseconds",
  "nanoseconds",
])
