/**
 * What becomes of a step whose needs are over: it starts, it is over at once, or the run fails.
 * Pure.
 */
import type * as Codec from "../../Codec.ts"
import type { NewTask } from "../../Exchange.ts"
import type * as Flow from "../../Flow.ts"
import * as Limits from "../../Limits.ts"
import type { Failure } from "../../Outcome.ts"
import type { TaskId } from "../../Task.ts"
import { isMet } from "./Condition.ts"
import { conducting } from "./conducting.ts"
import { cascades, type Fact } from "./Facts.ts"
import { runsOf, wholeMap } from "./Standing.ts"
import { derive } from "./TaskIds.ts"

/** A run, as far as the tasks of its steps take after it. */
export interface RunFacts {
  readonly id: TaskId
  /** The JSON text of its input. */
  readonly input: string
  readonly trace?: string | undefined
}

/** A flow whose steps can be planned. */
export interface Plannable {
  readonly definition: Flow.Definition
  readonly priority: number
  /** Reads the value of a step: the flow's input for one without needs, else `{ need: output }`. */
  readonly decodeValue: (step: Flow.Step, json: string) => Codec.Conversion<unknown>
  /** Writes what `convert` made as the input of a step. */
  readonly encodeInput: (step: Flow.Step, input: unknown) => Codec.Conversion<string>
  /** The elements of the array that a map is over, each as JSON text. */
  readonly elementsOf: (
    step: Flow.Step,
    json: string,
  ) => Codec.Conversion<ReadonlyArray<string>>
}

/** What becomes of a step. */
export type Planned =
  | { readonly _tag: "Started"; readonly tasks: ReadonlyArray<NewTask> }
  | { readonly _tag: "Over"; readonly task: NewTask; readonly fact: Fact }
  | { readonly _tag: "Refused"; readonly failure: Failure }

/** Plans a step; `facts` tells what its needs came to, `kept` a signal that came before. */
export const plan = (
  flow: Plannable,
  run: RunFacts,
  step: Flow.Step,
  facts: ReadonlyMap<string, Fact>,
  kept: string | undefined,
): Planned => {
  const needs = step.needs.map((need) => [need, facts.get(need)!] as const)
  const skipped = needs.find(([, fact]) => fact._tag === "Skipped" && fact.cascades)
  if (skipped !== undefined) {
    return skip(flow, run, step, "NeedSkipped", `Step "${skipped[0]}", which it needs, is skipped`)
  }
  const value = valueOf(run, step, needs)
  const met = conditionOf(flow, step, value)
  if (met === "threw") return refused(step, "its condition threw")
  if (met === "undecodable") return refused(step, "what it needs does not match its schema")
  if (met) return started(flow, run, step, needs, value, kept)
  if (step.whenUnmet === "fail") return refused(step, "its condition is not met")
  return skip(flow, run, step, "ConditionUnmet", "Its condition is not met")
}

/** The JSON text of what a step without a map, a conversion or a signal is given. */
const valueOf = (
  run: RunFacts,
  step: Flow.Step,
  needs: ReadonlyArray<readonly [string, Fact]>,
): string => {
  if (step.needs.length === 0) return run.input
  const fields = needs.flatMap(([need, fact]) =>
    fact._tag === "Value" ? [`${JSON.stringify(need)}:${fact.json}`] : []
  )
  return `{${fields.join(",")}}`
}

const conditionOf = (
  flow: Plannable,
  step: Flow.Step,
  json: string,
): boolean | "threw" | "undecodable" => {
  if (step.condition === undefined) return true
  const value = flow.decodeValue(step, json)
  if (!value.ok) return "undecodable"
  try {
    return isMet(step.condition, value.value)
  } catch {
    return "threw"
  }
}

const started = (
  flow: Plannable,
  run: RunFacts,
  step: Flow.Step,
  needs: ReadonlyArray<readonly [string, Fact]>,
  value: string,
  kept: string | undefined,
): Planned => {
  switch (step.kind) {
    case "map":
      return mapped(flow, run, step, needs, value)
    case "signal":
      return kept === undefined
        ? startedOne(flow, run, step, "null", step.waitMillis ?? Limits.delayMillis)
        : over(flow, run, step, kept)
    case "sleep":
      return startedOne(flow, run, step, "null", step.waitMillis ?? 0)
    case "task":
    case "flow": {
      const input = inputOf(flow, step, value)
      return typeof input === "string"
        ? startedOne(flow, run, step, input, step.startDelayMillis)
        : input
    }
  }
}

const inputOf = (flow: Plannable, step: Flow.Step, value: string): string | Planned => {
  if (step.convert === undefined) return value
  const decoded = flow.decodeValue(step, value)
  if (!decoded.ok) return refused(step, "what it needs does not match its schema")
  try {
    const input = flow.encodeInput(step, step.convert(decoded.value))
    return input.ok ? input.value : refused(step, `its input is refused: ${input.reason}`)
  } catch {
    return refused(step, "the conversion of its input threw")
  }
}

const mapped = (
  flow: Plannable,
  run: RunFacts,
  step: Flow.Step,
  needs: ReadonlyArray<readonly [string, Fact]>,
  value: string,
): Planned => {
  if (needs[0]?.[1]._tag === "Skipped") return over(flow, run, step, "[]")
  const elements = flow.elementsOf(step, value)
  if (!elements.ok) return refused(step, elements.reason)
  const { length } = elements.value
  if (length === 0) return over(flow, run, step, "[]")
  if (length > Limits.mapElements) {
    return refused(step, `it has ${length} elements; ${Limits.mapElements} are allowed`)
  }
  const tasks = elements.value.map((element, index) =>
    taskOf(flow, run, step, index, element, step.startDelayMillis)
  )
  return limited(step, { _tag: "Started", tasks })
}

const startedOne = (
  flow: Plannable,
  run: RunFacts,
  step: Flow.Step,
  input: string,
  delayMillis: number,
): Planned =>
  limited(step, { _tag: "Started", tasks: [taskOf(flow, run, step, 0, input, delayMillis)] })

const limited = (
  step: Flow.Step,
  planned: { readonly _tag: "Started"; readonly tasks: ReadonlyArray<NewTask> },
): Planned => {
  const long = planned.tasks.find(({ input }) => input.length > Limits.stepInputLength)
  return long === undefined
    ? planned
    : refused(step, `its input has ${long.input.length} characters of JSON, more than the limit`)
}

/** The task of a step, or the own task of the run that is a step. */
const taskOf = (
  flow: Plannable,
  run: RunFacts,
  step: Flow.Step,
  index: number,
  input: string,
  delayMillis: number,
): NewTask => {
  const { definition } = flow
  const id = derive(run.id, step.slug, index)
  const sub = step.kind === "flow" ? step.flow : undefined
  const policy = sub === undefined ? step.policy : conducting
  const mayFail = step.kind === "map" && (step.onFailure ?? "fail") !== "fail"
  return {
    id,
    runId: sub === undefined ? run.id : id,
    flowType: "flow",
    flow: sub?.slug ?? definition.slug,
    version: sub === undefined ? definition.version : sub.version,
    step: step.slug,
    index,
    queue: sub === undefined ? step.queue ?? definition.queue : runsOf(sub.queue),
    priority: step.priority ?? flow.priority,
    input,
    maxAttempts: policy.maxAttempts,
    maxCrashes: policy.maxCrashes,
    delayMillis,
    awaited: false,
    trace: run.trace,
    parent: run.id,
    onExhausted: mayFail
      ? "collect"
      : step.kind === "map" || step.whenExhausted === "fail"
      ? "fail"
      : "skip",
    undoes: sub?.steps.some((one) => one.undo) === true ? true : undefined,
  }
}

const wholeTask = (flow: Plannable, run: RunFacts, step: Flow.Step): NewTask => ({
  ...taskOf(flow, run, step, step.kind === "map" ? wholeMap : 0, "null", 0),
  runId: run.id,
})

const over = (flow: Plannable, run: RunFacts, step: Flow.Step, json: string): Planned => {
  const fact: Fact = { _tag: "Value", json }
  return { _tag: "Over", task: overTask(flow, run, step, fact), fact }
}

/** The task of a step that is over without having run. */
export const overTask = (
  flow: Plannable,
  run: RunFacts,
  step: Flow.Step,
  fact: Fact,
): NewTask => ({
  ...wholeTask(flow, run, step),
  ended: fact._tag === "Value"
    ? { state: "completed", output: fact.json }
    : { state: "skipped", failure: fact.failure },
})

const skip = (
  flow: Plannable,
  run: RunFacts,
  step: Flow.Step,
  reason: "ConditionUnmet" | "NeedSkipped",
  message: string,
): Planned => {
  const fact: Fact = {
    _tag: "Skipped",
    cascades: cascades(step, reason),
    failure: { reason, message },
  }
  return { _tag: "Over", task: overTask(flow, run, step, fact), fact }
}

const refused = (step: Flow.Step, why: string): Planned => ({
  _tag: "Refused",
  failure: { reason: "StepFailed", message: `Step "${step.slug}" cannot start: ${why}` },
})
