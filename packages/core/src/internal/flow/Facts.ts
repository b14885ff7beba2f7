/**
 * What the steps of a run that are over came to, as the steps after them see it.
 */
import { Effect } from "effect"
import type { Driver, HistoryEntry, TaskRecord } from "../../Driver.ts"
import type { DriverError } from "../../DriverError.ts"
import type * as Flow from "../../Flow.ts"
import * as Limits from "../../Limits.ts"
import type { Failure } from "../../Outcome.ts"
import type { TaskId } from "../../Task.ts"
import { wholeMap } from "./Standing.ts"

/** What a step came to: the JSON text of its value, or that there is none. */
export type Fact =
  | { readonly _tag: "Value"; readonly json: string }
  /** `cascades` where the steps that need it are skipped, too. */
  | {
    readonly _tag: "Skipped"
    readonly cascades: boolean
    readonly failure: Failure | undefined
  }

/** Reads all tasks of some steps of a run. */
export const tasksOf = Effect.fnUntraced(function* (
  driver: Driver["Service"],
  runId: TaskId,
  steps: ReadonlyArray<string>,
): Effect.fn.Return<ReadonlyArray<TaskRecord>, DriverError> {
  const found: Array<TaskRecord> = []
  if (steps.length === 0) return found
  while (true) {
    const after = found.at(-1)?.id
    const page = yield* driver.find({ parents: [runId], steps, after, limit: Limits.batchSize })
    found.push(...page)
    if (page.length < Limits.batchSize) return found
  }
})

/** Reads what some steps that are over came to. */
export const read = Effect.fnUntraced(function* (
  driver: Driver["Service"],
  runId: TaskId,
  steps: ReadonlyArray<Flow.Step>,
): Effect.fn.Return<ReadonlyMap<string, Fact>, DriverError> {
  const records = yield* tasksOf(driver, runId, steps.map((step) => step.slug))
  const bySlug = Map.groupBy(records, (record) => record.step)
  return new Map(steps.map((step) => [step.slug, ofRecords(step, bySlug.get(step.slug) ?? [])]))
})

/** What a step that is over came to, by its tasks. */
export const ofRecords = (step: Flow.Step, records: ReadonlyArray<TaskRecord>): Fact => {
  if (step.kind !== "map") return ofOne(step, records[0]!)
  const whole = records.find((record) => record.index === wholeMap)
  if (whole !== undefined) return ofOne(step, whole)
  const elements = [...records].sort((a, b) => a.index - b.index)
  if (step.onFailure === "collect") return valueOf(elements.map(resultOf))
  const completed = elements.filter((record) => record.state === "completed")
  return completed.length === elements.length || step.onFailure === "skip"
    ? valueOf(completed.map(outputOf))
    : skippedOf(step, elements.find((record) => record.state === "failed"))
}

const skippedOf = (step: Flow.Step, record: TaskRecord | undefined): Fact => {
  const failure = record === undefined ? undefined : endOf(record)?.failure
  return { _tag: "Skipped", cascades: cascades(step, failure?.reason), failure }
}

const valueOf = (texts: ReadonlyArray<string>): Fact => ({
  _tag: "Value",
  json: `[${texts.join(",")}]`,
})

const ofOne = (step: Flow.Step, record: TaskRecord): Fact =>
  record.state === "completed" ? { _tag: "Value", json: outputOf(record) } : skippedOf(step, record)

/** Whether the steps that need a skipped one are skipped, too, by the reason of the first. */
export const cascades = (step: Flow.Step, reason: Failure["reason"] | undefined): boolean => {
  if (reason === "NeedSkipped") return true
  return (reason === "ConditionUnmet" ? step.whenUnmet : step.whenExhausted) === "skip-cascade"
}

/** The JSON text of the output of a completed task. */
export const outputOf = (record: TaskRecord): string => endOf(record)?.output ?? "null"

/** The entry with which a task ended. */
export const endOf = (record: TaskRecord): HistoryEntry | undefined => record.history.at(-1)

const resultOf = (record: TaskRecord): string => {
  if (record.state === "completed") return `{"_tag":"Success","value":${outputOf(record)}}`
  const failure = endOf(record)?.failure
  const message = JSON.stringify(failure?.message ?? "no reason was stored")
  const error = failure?.error === undefined ? "" : `,"error":${failure.error}`
  return `{"_tag":"Failure","message":${message}${error}}`
}
