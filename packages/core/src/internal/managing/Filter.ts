/**
 * Which runs somebody asks for, and what is wrong with asking so. It often comes from a request, so
 * what is wrong is a failure and not a defect.
 */
import type { FindQuery } from "../../Driver.ts"
import * as Labels from "../../Labels.ts"
import * as Limits from "../../Limits.ts"
import * as Problem from "../../Problem.ts"
import * as RunId from "../../RunId.ts"
import type { State } from "../../Task.ts"
import { type Instant, instantOf, isStorable } from "../instants.ts"

/**
 * Says which runs are meant: those for which all that is given holds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Filter {
  /** Any of these runs: at most 1,000. */
  readonly ids?: ReadonlyArray<RunId.RunId> | undefined
  /** The job or flow, or its slug. */
  readonly job?: string | { readonly slug: string } | undefined
  readonly queue?: string | undefined
  /** Any of these states. */
  readonly states?: ReadonlyArray<State> | undefined
  /** The key of a group. */
  readonly group?: string | undefined
  /** The run that took this key of uniqueness last; needs `job`. */
  readonly key?: string | undefined
  /** All of these tags. */
  readonly tags?: ReadonlyArray<string> | undefined
  /** All of these pairs of metadata. */
  readonly meta?: Readonly<Record<string, string>> | undefined
  /** Enqueued at this instant or later. */
  readonly enqueuedAfter?: Instant | undefined
  /** Enqueued before this instant. */
  readonly enqueuedBefore?: Instant | undefined
}

/** What is asked of the driver. */
export type Conditions = Omit<FindQuery, "limit">

/** A check of an option: what is wrong with a value, or nothing. */
export type Checks<O> = { readonly [K in keyof O]-?: (value: unknown) => string | undefined }

const states: ReadonlyArray<State> = [
  "waiting",
  "ready",
  "running",
  "completed",
  "failed",
  "cancelled",
  "skipped",
]

const isText = (value: unknown): value is string =>
  typeof value === "string" && value.length >= 1 && value.length <= Limits.keyLength &&
  !value.includes("\u0000") && value.isWellFormed()

const text = (value: unknown) =>
  isText(value)
    ? undefined
    : `a text of 1 to ${Limits.keyLength} characters that can be stored, got ${kindOf(value)}`

// Keys are made of payloads, which no message shows.
const kindOf = (value: unknown): string =>
  typeof value === "string" ? `one of ${value.length}` : Problem.show(value)

const instant = (value: unknown) =>
  isStorable(instantOf(value)) ? undefined : "a date from the year 0 to 9999"

const slugOf = (job: unknown): unknown =>
  (typeof job === "object" && job !== null) || typeof job === "function"
    ? (job as { readonly slug?: unknown }).slug
    : job

/** The checks of a filter. */
export const checks: Checks<Filter> = {
  ids: (value) =>
    Array.isArray(value) && value.length <= Limits.pageSize && value.every(RunId.isRunId)
      ? undefined
      : `a list of at most ${Limits.pageSize} ids of runs`,
  job: (value) => isText(slugOf(value)) ? undefined : "a job, a flow or a slug",
  queue: (value) => isText(value) ? undefined : "the name of a queue",
  states: (value) =>
    Array.isArray(value) && value.every((state) => states.includes(state))
      ? undefined
      : `a list of ${states.join(", ")}`,
  group: text,
  key: text,
  tags: Labels.tagsRefusal,
  meta: Labels.metaRefusal,
  enqueuedAfter: instant,
  enqueuedBefore: instant,
}

/** Says the first thing that is wrong with options; `undefined` is none. */
export const refusalOf = <O>(given: unknown, all: Checks<O>): string | undefined => {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    return `give an object of conditions, got ${Problem.show(given)}`
  }
  for (const [option, value] of Object.entries(given)) {
    if (!Object.hasOwn(all, option)) return `there is no condition ${Problem.show(option)}`
    const accepted = value === undefined ? undefined : all[option as keyof O](value)
    if (accepted !== undefined) return `${option} must be ${accepted}`
  }
  const { job, key } = given as Filter
  return key !== undefined && job === undefined
    ? "key needs the job that it is a key of"
    : undefined
}

/** The conditions of a filter that is known to be right. */
export const conditionsOf = (filter: Filter): Conditions => {
  const flow = slugOf(filter.job) as string | undefined
  return {
    own: true,
    ids: filter.ids,
    flow,
    queue: filter.queue,
    states: filter.states,
    group: filter.group,
    key: filter.key === undefined ? undefined : { flow: flow!, key: filter.key },
    tags: filter.tags,
    meta: filter.meta,
    createdFrom: millisOf(filter.enqueuedAfter),
    createdBefore: millisOf(filter.enqueuedBefore),
  }
}

const millisOf = (at: Instant | undefined) => at === undefined ? undefined : instantOf(at)
