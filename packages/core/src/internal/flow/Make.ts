/**
 * The values behind `Flow.make`: each method answers a new flow with one step more.
 */
import type { Duration } from "effect"
import { Schema } from "effect"
import * as Codec from "../../Codec.ts"
import * as Definition from "../../Definition.ts"
import type * as Flow from "../../Flow.ts"
import type { AnyFlow, Options } from "../../FlowBuilder.ts"
import type { PolicyOptions } from "../../FlowOptions.ts"
import type * as Job from "../../Job.ts"
import * as Limits from "../../Limits.ts"
import * as Problem from "../../Problem.ts"
import { definedBy } from "../drafts.ts"
import * as Schemas from "../schemas.ts"
import * as Shape from "../../Shape.ts"
import * as Methods from "./Methods.ts"
import { handled } from "./Handled.ts"
import * as Parts from "./Parts.ts"
import * as Problems from "./Problems.ts"
import { arrayOf, resultsOf } from "./schemas.ts"

export const TypeId = "~millrace/Flow"

/** What a step was told, whatever it is. */
export interface Given extends PolicyOptions {
  readonly needs?: ReadonlyArray<string>
  readonly if?: unknown
  readonly ifNot?: unknown
  readonly when?: (value: unknown) => boolean
  readonly whenUnmet?: Flow.Otherwise
  readonly whenExhausted?: Flow.Otherwise
  readonly output?: unknown
  readonly error?: unknown
  readonly retryable?: (error: unknown) => boolean
  readonly startDelay?: Duration.Input
  readonly undo?: boolean
  readonly over?: string
  readonly element?: unknown
  readonly onFailure?: "fail" | "skip" | "collect"
  readonly input?: (value: unknown) => unknown
}

/** A flow as it grows. */
export interface Draft {
  readonly slug: string
  readonly options: Options<unknown>
  readonly input: Codec.Plain
  readonly steps: ReadonlyMap<string, Parts.StepParts>
}

/** Makes a flow without steps. */
export const make = (slug: string, options: Options<any>): AnyFlow => {
  Problem.throwFirst(Problems.ofFlow(slug, options))
  const draft = begin(slug, options)
  // What a schedule starts it with is refused at once, and not only when a worker looks.
  if (options.schedule !== undefined) void flowOf(draft).schedule
  return flowOf(draft)
}

/** A flow without steps, whose options are known to be right. */
export const begin = (slug: string, options: Options<unknown>): Draft => {
  const { input } = Schemas.ofDraft({ slug, input: options.input })
  return { slug, options, input, steps: new Map() }
}

/** The flow that a draft is, with its methods. */
export const flowOf = (draft: Draft): AnyFlow => {
  const { slug, options, input, steps } = draft
  const plain: Flow.Definition = {
    slug,
    flowType: "flow",
    queue: options.queue ?? slug,
    input,
    steps: [...steps.values()].map(({ step }) => step),
  }
  let parts: Parts.Parts | undefined
  // A flow of a thousand steps is made step by step: only the last is ever looked into.
  const partsOf = () =>
    parts ??= Parts.make(
      { ...plain, version: Shape.versionOf(plain) },
      options.priority ?? Limits.defaultPriority,
      steps,
    )
  const add = (kind: Flow.StepKind, step: string, given: Given, work: Work = {}) =>
    flowOf(added(draft, kind, step, given, work))
  const { runs, ...methods } = Methods.make(() => ({ parts: partsOf(), options }))
  function FlowBase() {}
  return Object.defineProperties(FlowBase, {
    ...values({
      [TypeId]: TypeId,
      slug,
      queue: plain.queue,
      retention: options.retention,
      steps: [...steps.keys()],
      step: (step: string, given: Given = {}) => add("task", step, given),
      map: (step: string, given: Given) => add("map", step, given),
      job: (step: string, job: Job.Any, given: Given = {}) => add("task", step, given, { job }),
      flow: (step: string, flow: AnyFlow, given: Given = {}) => add("flow", step, given, { flow }),
      waitFor: (step: string, given: Given = {}) => add("signal", step, given),
      sleep: (step: string, duration: Duration.Input, given: Given = {}) =>
        add("sleep", step, given, { duration }),
      perform: (handlers: Readonly<Record<string, unknown>>) =>
        handled(flow(), partsOf(), handlers),
      ...methods,
    }),
    runs: { get: runs },
    schedule: { get: () => definedBy(runs(), options.schedule, `flow "${slug}"`) },
    parts: { get: partsOf },
    definition: { get: () => partsOf().definition },
  }) as never
  function flow(): AnyFlow {
    return FlowBase as never
  }
}

const values = (all: object): PropertyDescriptorMap =>
  Object.fromEntries(
    Reflect.ownKeys(all).map((key) => [
      key,
      { value: (all as Record<PropertyKey, unknown>)[key], configurable: true },
    ]),
  )

/** What a step is, where it is no handler of its own. */
export interface Work {
  readonly job?: Job.Any
  readonly flow?: AnyFlow
  readonly duration?: Duration.Input
}

const added = (
  draft: Draft,
  kind: Flow.StepKind,
  slug: string,
  given: Given,
  work: Work,
): Draft => {
  Problem.throwFirst(Problems.ofStep(draft, kind, slug, given, work))
  const parts = stepOf(draft, kind, slug, given, work)
  return { ...draft, steps: new Map([...draft.steps, [slug, parts]]) }
}

/** Makes a step that is known to be right. */
export const stepOf = (
  draft: Draft,
  kind: Flow.StepKind,
  slug: string,
  given: Given,
  work: Work,
): Parts.StepParts => {
  const needs = kind === "map" ? needsOf(given.over!) : given.needs ?? []
  const schemas = schemasOf(draft, kind, slug, given, work)
  const step: Flow.Step = {
    slug,
    kind,
    needs,
    ...schemas,
    policy: policyOf(draft.options, given, kind, work),
    queue: given.queue ?? work.job?.queue,
    priority: given.priority,
    startDelayMillis: Problem.toMillis(given.startDelay ?? 0)!,
    over: kind === "map" ? given.over!.split(".") : undefined,
    onFailure: kind === "map" ? given.onFailure ?? "fail" : undefined,
    condition: conditionOf(given),
    whenUnmet: given.whenUnmet ?? "skip",
    whenExhausted: given.whenExhausted ?? "fail",
    undo: given.undo ?? false,
    waitMillis: waitOf(kind, given, work),
    // Types that fit may be stored in other forms, so also what is handed on is read and written.
    convert: given.input ?? (work.job ?? work.flow ? Shape.asIs : undefined),
    flow: work.flow?.definition,
  }
  return {
    step,
    input: work.job?.codecs.input ?? work.flow?.parts.input ??
      Codec.make(schemas.input, Limits.stepInputLength),
    output: work.job?.codecs.output ?? work.flow?.parts.output ??
      Codec.make(schemas.output, Limits.outputBytes),
    error: work.job?.codecs.error ?? work.flow?.parts.error ??
      Codec.make(schemas.error, Limits.outputBytes),
    value: valueOf(kind, given, schemas),
    retryable: given.retryable ?? ((error) => work.job?.retryable(error) ?? true),
    job: work.job,
    flow: work.flow?.parts,
  }
}

/** The step that a path begins with. */
export const needsOf = (over: string): ReadonlyArray<string> => {
  const [head] = over.split(".")
  return head === "input" ? [] : [head!]
}

interface StepSchemas {
  readonly input: Codec.Plain
  readonly output: Codec.Plain
  readonly error: Codec.Plain
}

const schemasOf = (
  draft: Draft,
  kind: Flow.StepKind,
  slug: string,
  given: Given,
  { job, flow }: Work,
): StepSchemas => {
  const own = Schemas.ofDraft({ slug, output: given.output, error: given.error })
  if (job !== undefined) {
    const [step] = job.definition.steps
    return { input: step!.input, output: step!.output, error: step!.error } as StepSchemas
  }
  if (flow !== undefined) {
    const { definition, parts } = flow
    const output = Parts.outputSchema(definition, parts.steps)
    return { input: definition.input as Codec.Plain, output, error: own.error }
  }
  if (kind === "signal" || kind === "sleep") return { ...own, input: Schema.Null as Codec.Plain }
  if (kind === "map") return { ...own, input: Problems.elementOf(draft, given)! }
  return { ...own, input: seenBy(draft, given) }
}

/** The schema of what a step sees. */
export const seenBy = (
  { input, steps }: Pick<Draft, "input" | "steps">,
  { needs = [] }: Given,
): Codec.Plain => needs.length === 0 ? input : Parts.valueSchema({ needs }, steps)

const valueOf = (kind: Flow.StepKind, given: Given, schemas: StepSchemas): Codec.Plain => {
  if (kind !== "map") return schemas.output
  return given.onFailure === "collect"
    ? resultsOf(schemas.output, schemas.error)
    : arrayOf(schemas.output)
}

const policyOf = (
  flow: Options<unknown>,
  given: Given,
  kind: Flow.StepKind,
  { job }: Work,
): Flow.Policy => {
  if (job !== undefined) return job.definition.steps[0]!.policy
  const { timeout: own, ...rest } = given
  const timeout = kind === "signal" ? undefined : own
  const delays = given.baseDelay !== undefined || given.backoff !== undefined
    ? {}
    : { baseDelay: flow.baseDelay, backoff: flow.backoff }
  return Definition.policyOf({
    maxAttempts: given.maxAttempts ?? flow.maxAttempts,
    maxCrashes: given.maxCrashes ?? flow.maxCrashes,
    timeout: timeout ?? flow.timeout,
    baseDelay: rest.baseDelay,
    backoff: rest.backoff,
    ...delays,
  })
}

const conditionOf = ({ if: pattern, ifNot, when }: Given): Flow.Condition | undefined =>
  pattern === undefined && ifNot === undefined && when === undefined
    ? undefined
    : { if: pattern, ifNot, when }

const waitOf = (kind: Flow.StepKind, given: Given, work: Work): number | undefined => {
  const wait = kind === "sleep" ? work.duration : kind === "signal" ? given.timeout : undefined
  return wait === undefined ? undefined : Math.round(Problem.toMillis(wait)!)
}
