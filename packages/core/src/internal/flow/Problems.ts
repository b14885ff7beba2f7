/**
 * What can be wrong with a flow that was put together at run time.
 */
import type * as Codec from "../../Codec.ts"
import * as Definition from "../../Definition.ts"
import type * as Flow from "../../Flow.ts"
import * as Limits from "../../Limits.ts"
import * as Problem from "../../Problem.ts"
import * as Job from "../../Job.ts"
import { misfit } from "./Fit.ts"
import { type Given, needsOf, seenBy, TypeId, type Work } from "./Make.ts"
import type { StepParts } from "./Parts.ts"
import { elementSchema } from "./schemas.ts"

type Problems = ReadonlyArray<Problem.Problem>

/** A flow as it grows. */
interface Draft {
  readonly slug: string
  readonly input: Codec.Plain
  readonly steps: ReadonlyMap<string, StepParts>
}

const policy = ["maxAttempts", "maxCrashes", "baseDelay", "backoff", "timeout", "queue", "priority"]
const common = ["needs", "if", "ifNot", "when", "whenUnmet", "whenExhausted"]

/** Lists what is wrong with the options of a flow. */
export const ofFlow = (slug: unknown, options: object): Problems =>
  Definition.ofDraft(
    { ...options, slug },
    `flow ${Problem.show(slug)}`,
    new Set(["slug", "input", "unique", "expiresIn", "retention", "schedule", "tags", ...policy]),
  )

const optionsOf: Readonly<Record<Flow.StepKind, ReadonlyArray<string>>> = {
  task: [...common, ...policy, "output", "error", "retryable", "startDelay", "undo"],
  map: [
    ...common.slice(1),
    ...policy,
    ...["output", "error", "retryable", "startDelay", "undo", "over", "element", "onFailure"],
  ],
  flow: [...common, "queue", "priority", "startDelay", "undo", "input"],
  signal: [...common, "output", "timeout"],
  sleep: common,
}

/** Lists what is wrong with a step that is to be added. */
export const ofStep = (
  draft: Draft,
  kind: Flow.StepKind,
  slug: unknown,
  given: Given,
  work: Work,
): Problems => {
  const subject = `step ${Problem.show(slug)} of flow "${draft.slug}"`
  const known = optionsOf["job" in work ? "flow" : kind]
  // The input of a job is made by a function, and a signal may wait longer than an attempt may run.
  const { input: _, timeout, ...rest } = given
  const problems = [
    ...Definition.ofDraft(
      kind === "signal" ? { ...rest, slug } : { ...rest, timeout, slug },
      subject,
      new Set(["slug", "timeout", ...Object.keys(given)]),
    ),
    ...Object.keys(given).filter((option) => !known.includes(option)).flatMap((option) =>
      one(subject, option, `there is no option ${Problem.show(option)}`)
    ),
    ...placeProblems(draft, subject, slug),
    ...(kind === "map" ? mapProblems(draft, subject, given) : needProblems(draft, subject, given)),
    ...choiceProblems(subject, given),
    ...durationProblems(subject, kind, given, work),
    ...(["when", "input"] as const).flatMap((option) =>
      given[option] === undefined
        ? []
        : Problem.ofFunction(subject, option, "the value that it sees", given[option])
    ),
    ...workProblems(subject, work),
  ]
  return problems.length > 0 ? problems : fitProblems(draft, subject, given, work)
}

const workProblems = (subject: string, work: Work): Problems => [
  ...("job" in work && !Job.isJob(work.job)
    ? [Problem.mustBe(subject, "job", "a job", work.job)]
    : []),
  ...("flow" in work && !(typeof work.flow === "function" && TypeId in work.flow)
    ? [Problem.mustBe(subject, "flow", "a flow", work.flow)]
    : []),
]

const fitProblems = (
  draft: Draft,
  subject: string,
  given: Given,
  { job, flow }: Work,
): Problems => {
  const of = job ?? flow
  if (of === undefined || given.input !== undefined) return []
  const wrong = misfit(seenBy(draft, given), of.definition.input)
  if (wrong === undefined) return []
  const what = job === undefined ? "flow" : "job"
  const why = `what it sees does not fit ${what} "${of.slug}": ${wrong}`
  return one(subject, what, `${why}; make its input with the option input`)
}

/** Makes a problem that is told in words. */
export const cannot = (subject: string, option: string, why: string): Problem.Problem => ({
  subject,
  option,
  message: `Cannot define ${subject}: ${why}`,
})

const one = (subject: string, option: string, why: string): Problems => [
  cannot(subject, option, why),
]

const placeProblems = (draft: Draft, subject: string, slug: unknown): Problems => {
  // JSON with this key is not read.
  if (slug === "__proto__") return one(subject, "slug", "no step can have this name")
  if (slug === "input") return one(subject, "slug", `"input" is what the flow is given`)
  if (draft.steps.has(slug as string)) {
    return one(subject, "slug", "the flow has a step of this name")
  }
  return draft.steps.size < Limits.stepsPerFlow
    ? []
    : one(subject, "slug", `a flow has at most ${Limits.stepsPerFlow} steps`)
}

const needProblems = (draft: Draft, subject: string, { needs = [] }: Given): Problems => {
  if (!Array.isArray(needs)) return [Problem.mustBe(subject, "needs", "an array of slugs", needs)]
  if (needs.length > Limits.needsPerStep) {
    return one(subject, "needs", `a step needs at most ${Limits.needsPerStep} others`)
  }
  if (new Set(needs).size < needs.length) return one(subject, "needs", "it needs one step twice")
  return needs.filter((need) => !draft.steps.has(need)).flatMap((need) =>
    one(subject, "needs", `it needs ${Problem.show(need)}, which is no earlier step`)
  )
}

const mapProblems = (draft: Draft, subject: string, given: Given): Problems => {
  const { over } = given
  if (typeof over !== "string" || over === "") {
    return [Problem.mustBe(subject, "over", 'a path such as "validate.items"', over)]
  }
  const [need] = needsOf(over)
  if (need !== undefined && !draft.steps.has(need)) {
    return one(subject, "over", `it is over ${Problem.show(over)}, which begins at no earlier step`)
  }
  if (given.element !== undefined && Definition.toSchema(given.element) === undefined) {
    const accepted = "a Schema or an object of Schemas"
    return [Problem.mustBe(subject, "element", accepted, given.element)]
  }
  return elementOf(draft, given) === undefined
    ? one(
      subject,
      "over",
      `no array of a known Schema is at ${Problem.show(over)}; give the Schema of its elements ` +
        `as element where there is one`,
    )
    : []
}

/** The schema of the elements of a map. */
export const elementOf = (draft: Draft, { over = "", element }: Given): Codec.Plain | undefined => {
  if (element !== undefined) return Definition.toSchema(element) as Codec.Plain | undefined
  const [head, ...path] = over.split(".")
  const source = head === "input" ? draft.input : draft.steps.get(head!)?.value
  return source === undefined ? undefined : elementSchema(source, path)
}

const choices = {
  whenUnmet: ["fail", "skip", "skip-cascade"],
  whenExhausted: ["fail", "skip", "skip-cascade"],
  onFailure: ["fail", "skip", "collect"],
  undo: [true, false],
} as const

const choiceProblems = (subject: string, given: Given): Problems =>
  Object.entries(choices).flatMap(([option, allowed]) => {
    const value = given[option as keyof typeof choices]
    if (value === undefined || (allowed as ReadonlyArray<unknown>).includes(value)) return []
    return [Problem.mustBe(subject, option, `one of ${allowed.join(", ")}`, value)]
  })

const durationProblems = (
  subject: string,
  kind: Flow.StepKind,
  { startDelay, timeout }: Given,
  { duration }: Work,
): Problems => [
  ...(startDelay === undefined
    ? []
    : Problem.ofDuration(subject, "startDelay", startDelay, 0, Limits.delayMillis)),
  ...(kind === "sleep"
    ? Problem.ofDuration(subject, "duration", duration, 0, Limits.delayMillis)
    : []),
  ...(kind === "signal" && timeout !== undefined
    ? Problem.ofDuration(subject, "timeout", timeout, 1, Limits.delayMillis)
    : []),
]
