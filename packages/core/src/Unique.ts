/**
 * How a definition says that its runs are unique, and what is wrong with saying it so.
 *
 * @since 0.1.0
 */
import type { Duration } from "effect"
import * as Limits from "./Limits.ts"
import * as Problem from "./Problem.ts"
import type { State } from "./Task.ts"
import type * as Uniqueness from "./Uniqueness.ts"

/**
 * What becomes of a run whose key is taken: `ignore` answers the run that has it; `replace` cancels
 * that one; `debounce` does as well, and puts the new one off by the period; `throttle` answers the
 * run that was stored last, for a period after it was.
 *
 * @category models
 * @since 0.1.0
 */
export type OnClash = "ignore" | "replace" | "debounce" | "throttle"

/**
 * Says when two runs of a job are the same.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<I> {
  /** What they have in common: 1 to 255 characters. */
  readonly key: (input: I) => string
  /** What becomes of the second one (default `ignore`). */
  readonly onClash?: OnClash
  /**
   * In which states a run has its key: by default until it has ended, and with `replace` until it
   * starts. `debounce` and `throttle` have their own.
   */
  readonly states?: ReadonlyArray<State>
  /** For how long after it was enqueued a run has its key (default: as its state says). */
  readonly period?: Duration.Input
}

/**
 * The options of a definition that is known to be right.
 *
 * @category models
 * @since 0.1.0
 */
export interface Policy {
  readonly key: (input: unknown) => string
  readonly onClash: OnClash
  readonly states: ReadonlyArray<State>
  readonly periodMillis: number | undefined
}

const open: ReadonlyArray<State> = ["waiting", "ready", "running"]
const waiting: ReadonlyArray<State> = ["waiting", "ready"]
const ended: ReadonlyArray<State> = ["completed", "failed", "cancelled", "skipped"]

const statesOf: Readonly<Record<OnClash, ReadonlyArray<State>>> = {
  ignore: open,
  replace: waiting,
  debounce: waiting,
  // A run that was cancelled did not do what the next one is for.
  throttle: [...open, "completed", "failed", "skipped"],
}

/** Fills the defaults in.
 * @category conversions
 * @since 0.1.0 */
export const policyOf = (options: Options<never>): Policy => {
  const onClash = options.onClash ?? "ignore"
  return {
    key: options.key as (input: unknown) => string,
    onClash,
    states: options.states ?? statesOf[onClash],
    periodMillis: options.period === undefined
      ? undefined
      : Math.round(Problem.toMillis(options.period)!),
  }
}

/** What a task is stored with, and how long it is put off for it.
 * @category conversions
 * @since 0.1.0 */
export const storedOf = (
  { onClash, states, periodMillis }: Policy,
  key: string,
): { readonly unique: Uniqueness.Unique; readonly delayMillis: number } => {
  const debounces = onClash === "debounce"
  return {
    unique: {
      key,
      states,
      periodMillis: debounces ? undefined : periodMillis,
      onClash: debounces || onClash === "replace" ? "replace" : "ignore",
    },
    delayMillis: debounces ? periodMillis! : 0,
  }
}

/**
 * Says how two policies of one job differ; `undefined` where they do not.
 *
 * @category conversions
 * @since 0.1.0
 */
export const difference = (one: Policy | undefined, other: Policy | undefined) => {
  const [first, second] = [show(one), show(other)]
  if (first !== second) return `${first} and ${second}`
  return String(one?.key) === String(other?.key) ? undefined : "two keys"
}

const show = (policy: Policy | undefined): string => {
  if (policy === undefined) return "none"
  const { onClash, periodMillis, states } = policy
  const period = periodMillis === undefined ? "" : ` for ${periodMillis} ms`
  return `${onClash} over ${[...states].sort().join(", ")}${period}`
}

const known: ReadonlySet<string> = new Set<keyof Options<never>>([
  "key",
  "onClash",
  "states",
  "period",
])

/** Lists everything that is wrong with the option `unique` of a definition.
 * @category guards
 * @since 0.1.0 */
export const problemsOf = (subject: string, value: unknown): ReadonlyArray<Problem.Problem> => {
  if (Object.prototype.toString.call(value) !== "[object Object]") {
    return [Problem.mustBe(subject, "unique", "an object with a key", value)]
  }
  const options = value as Readonly<Record<keyof Options<never>, unknown>>
  const onClash = options.onClash ?? "ignore"
  const wrong = (option: string, detail: string) => ({
    subject,
    option,
    message: `Cannot define ${subject}: ${option} ${detail}`,
  })
  const names = Object.keys(statesOf)
  if (!names.includes(onClash as string)) {
    return [Problem.mustBe(subject, "unique.onClash", `one of ${names.join(", ")}`, onClash)]
  }
  const needsPeriod = onClash === "debounce" || onClash === "throttle"
  return [
    ...Object.keys(options).filter((option) => !known.has(option)).map((option) =>
      wrong(`unique.${option}`, "is no option of unique")
    ),
    ...Problem.ofFunction(subject, "unique.key", "the input", options.key),
    ...(options.states === undefined
      ? []
      : needsPeriod
      ? [wrong("unique.states", `cannot be given with onClash "${onClash}", which has its own`)]
      : ofStates(subject, options.states, onClash === "replace")),
    ...(options.period === undefined
      ? needsPeriod ? [wrong("unique.period", `is needed with onClash "${onClash}"`)] : []
      : Problem.ofDuration(subject, "unique.period", options.period, 1, Limits.delayMillis)),
  ]
}

const ofStates = (
  subject: string,
  value: unknown,
  replaces: boolean,
): ReadonlyArray<Problem.Problem> => {
  const accepted = replaces ? open : [...open, ...ended]
  const valid = Array.isArray(value) && value.length > 0 &&
    value.every((state) => accepted.includes(state as State))
  return valid
    ? []
    : [Problem.mustBe(subject, "unique.states", `some of ${accepted.join(", ")}`, value)]
}
