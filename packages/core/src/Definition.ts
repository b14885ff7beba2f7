/**
 * Checks definitions: every bound of `Limits`, as values.
 *
 * @since 0.1.0
 */
import { Duration, Schema } from "effect"
import * as Backoff from "./Backoff.ts"
import * as Codec from "./Codec.ts"
import type * as Flow from "./Flow.ts"
import * as Labels from "./Labels.ts"
import * as Limits from "./Limits.ts"
import * as Problem from "./Problem.ts"
import * as Retention from "./Retention.ts"
import * as Timetable from "./Timetable.ts"
import * as Unique from "./Unique.ts"
import * as Drafts from "./internal/flow/Drafts.ts"

/**
 * A definition as somebody wrote it, before it is known to be right: the options of `Job.make` and
 * the slug.
 *
 * @category models
 * @since 0.1.0
 */
export interface Draft {
  readonly slug: unknown
  readonly queue?: unknown
  readonly input?: unknown
  readonly output?: unknown
  readonly error?: unknown
  readonly maxAttempts?: unknown
  readonly maxCrashes?: unknown
  readonly baseDelay?: unknown
  readonly backoff?: unknown
  readonly timeout?: unknown
  readonly priority?: unknown
  readonly retryable?: unknown
  readonly unique?: unknown
  readonly group?: unknown
  readonly schedule?: unknown
  readonly expiresIn?: unknown
  readonly retention?: unknown
  readonly tags?: unknown
}

/**
 * Lists everything that is wrong with definitions, made or yet to be made, and with having them
 * side by side. An empty list means that all of them can be served by one worker.
 *
 * **Example** (Every problem at once)
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict"
 * import { Definition } from "@millrace/core"
 *
 * const draft = { slug: "send_email", maxAttempts: 2.5, timeout: "0 seconds" }
 * const problems = Definition.check([draft])
 * deepStrictEqual(problems.map((problem) => problem.option), ["maxAttempts", "timeout"])
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const check = (
  definitions: ReadonlyArray<Checked>,
): ReadonlyArray<Problem.Problem> => [
  ...definitions.flatMap((one) =>
    "definition" in one ? [] : "steps" in one ? Drafts.problemsOf(one) : ofDraft(one)
  ),
  ...twice(definitions),
]

type Checked = Draft | Flow.Draft | { readonly definition: Flow.Definition }

const twice = (all: ReadonlyArray<Checked>): ReadonlyArray<Problem.Problem> => {
  const seen = new Map<string, Checked>()
  const problems: Array<Problem.Problem> = []
  for (const one of all) {
    const slug = "definition" in one ? one.definition.slug : one.slug
    if (typeof slug !== "string") continue
    const folded = slug.toLowerCase()
    const before = seen.get(folded)
    if (before !== undefined) {
      const differs = Unique.difference(uniqueOf(before), uniqueOf(one))
      const subject = `${isOfFlow(one) ? "flow" : "job"} ${Problem.show(slug)}`
      problems.push({
        subject,
        option: "slug",
        message: `Cannot define ${subject} twice: slugs must be unique, ` +
          `ignoring case${
            differs === undefined ? "" : `, and their uniqueness differs: ${differs}`
          }`,
      })
    }
    seen.set(folded, one)
  }
  return problems
}

const isOfFlow = (one: Checked): boolean =>
  "definition" in one ? one.definition.flowType === "flow" : "steps" in one

// Of a job, of a job with its handler, or of a draft.
const uniqueOf = (one: Checked): Unique.Policy | undefined => {
  if ("definition" in one) {
    if (isOfFlow(one)) return undefined
    const { job, unique } = one as { job?: typeof one; unique?: Unique.Policy }
    return unique ?? (job === undefined ? undefined : uniqueOf(job))
  }
  return one.unique === undefined || Unique.problemsOf("", one.unique).length > 0
    ? undefined
    : Unique.policyOf(one.unique as Unique.Options<never>)
}

const known: ReadonlySet<string> = new Set<keyof Draft>([
  "slug",
  "queue",
  "input",
  "output",
  "error",
  "maxAttempts",
  "maxCrashes",
  "baseDelay",
  "backoff",
  "timeout",
  "priority",
  "retryable",
  "unique",
  "group",
  "schedule",
  "expiresIn",
  "tags",
  "retention",
])

/** Lists everything that is wrong with one draft: of a job, unless said otherwise.
 * @category guards
 * @since 0.1.0 */
export const ofDraft = (
  draft: Draft,
  subject: string = `job ${Problem.show(draft.slug)}`,
  options: ReadonlySet<string> = known,
): ReadonlyArray<Problem.Problem> => {
  const given = <K extends keyof Draft>(
    option: K,
    f: (value: unknown) => ReadonlyArray<Problem.Problem>,
  ) => draft[option] === undefined ? [] : f(draft[option])
  return [
    ...Problem.ofSlug(subject, "slug", draft.slug),
    ...Object.keys(draft).filter((option) => !options.has(option)).map((option) => ({
      subject,
      option,
      message: `Cannot define ${subject}: there is no option ${Problem.show(option)}`,
    })),
    ...given("queue", (value) => Problem.ofSlug(subject, "queue", value)),
    ...(["input", "output", "error"] as const).flatMap((option) =>
      given(option, (value) => ofSchema(subject, option, value))
    ),
    ...given(
      "maxAttempts",
      (value) => Problem.ofInteger(subject, "maxAttempts", value, 1, Limits.maxAttempts),
    ),
    ...given(
      "maxCrashes",
      (value) => Problem.ofInteger(subject, "maxCrashes", value, 0, Limits.maxCrashes),
    ),
    ...given(
      "baseDelay",
      (value) => Problem.ofDuration(subject, "baseDelay", value, 0, Limits.delayMillis),
    ),
    ...given("backoff", (value) => ofBackoff(subject, value, draft.baseDelay)),
    ...given(
      "timeout",
      (value) => Problem.ofDuration(subject, "timeout", value, 1, Limits.timeoutMillis),
    ),
    ...given(
      "priority",
      (value) => Problem.ofInteger(subject, "priority", value, 0, Limits.lowestPriority),
    ),
    ...given(
      "retryable",
      (value) => Problem.ofFunction(subject, "retryable", "the error", value),
    ),
    ...given("unique", (value) => Unique.problemsOf(subject, value)),
    ...given("group", (value) => Problem.ofFunction(subject, "group", "the input", value)),
    ...given(
      "expiresIn",
      (value) => Problem.ofDuration(subject, "expiresIn", value, 1, Limits.expiresMillis),
    ),
    ...given("tags", (value) => Labels.problemsOf(subject, value)),
    ...given("retention", (value) => Retention.problemsOf(subject, value)),
    ...given("schedule", (value) => Timetable.problemsOf(subject, value)),
  ]
}

const ofSchema = (
  subject: string,
  option: string,
  value: unknown,
): ReadonlyArray<Problem.Problem> => {
  const schema = toSchema(value)
  if (schema === undefined) {
    return [Problem.mustBe(subject, option, "a Schema or an object of Schemas", value)]
  }
  const reason = Codec.notJson(schema)
  return reason === undefined ? [] : [{
    subject,
    option,
    message: `Cannot define ${subject}: ${option} must have a JSON form, but ${reason}`,
  }]
}

const ofBackoff = (
  subject: string,
  value: unknown,
  baseDelay: unknown,
): ReadonlyArray<Problem.Problem> => {
  if (!Backoff.isBackoff(value)) {
    return [Problem.mustBe(subject, "backoff", "a Backoff, such as Backoff.fixed(...)", value)]
  }
  return baseDelay === undefined ? [] : [{
    subject,
    option: "backoff",
    message: `Cannot define ${subject}: give either baseDelay or backoff, not both`,
  }]
}

/** Reads a schema, or the fields of a struct, as a schema; `undefined` where it is neither.
 * @category conversions
 * @since 0.1.0 */
export const toSchema = (value: unknown): Schema.Constraint | undefined => {
  if (Schema.isSchema(value)) return value as unknown as Schema.Constraint
  // A Map, a Date or a Promise has no own properties, and would pass for a struct without fields.
  if (Object.prototype.toString.call(value) !== "[object Object]") return undefined
  return Object.values(value as object).every(Schema.isSchema)
    ? Schema.Struct(value as Schema.Struct.Fields) as unknown as Schema.Constraint
    : undefined
}

/** The policy of a draft that is known to be right, with the defaults filled in.
 * @category conversions
 * @since 0.1.0 */
export const policyOf = (options: {
  readonly maxAttempts?: number | undefined
  readonly maxCrashes?: number | undefined
  readonly baseDelay?: Duration.Input | undefined
  readonly backoff?: Backoff.Backoff | undefined
  readonly timeout?: Duration.Input | undefined
}): Flow.Policy => ({
  maxAttempts: options.maxAttempts ?? 1,
  maxCrashes: options.maxCrashes ?? 3,
  backoff: options.backoff ?? Backoff.exponential({ base: options.baseDelay ?? "1 second" }),
  timeoutMillis: Duration.toMillis(options.timeout ?? "30 seconds"),
})
