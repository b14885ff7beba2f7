/**
 * Signals of a run: kept until their step waits, then its value.
 */
import { Effect } from "effect"
import type { DriverError } from "../../DriverError.ts"
import { transition } from "../../Transition.ts"
import type { View } from "./Conductor.ts"
import * as Facts from "./Facts.ts"
import { signalOf } from "./Standing.ts"
import { derive } from "./TaskIds.ts"

/** The values of the signals that have come, by their steps, where the step has not started. */
export const kept = Effect.fnUntraced(function* (
  view: View,
): Effect.fn.Return<ReadonlyMap<string, string>, DriverError> {
  return yield* valuesOf(view, "none")
})

/** Completes the steps that wait for a signal that has come. */
export const deliver = Effect.fnUntraced(function* (
  view: View,
): Effect.fn.Return<void, DriverError> {
  const values = yield* valuesOf(view, "open")
  if (values.size === 0) return
  const outputs = new Map(
    [...values].map(([step, output]) => [derive(view.run.id, step, 0), output]),
  )
  yield* view.driver.transact(
    { _tag: "Tasks", ids: [...outputs.keys()] },
    (tasks) =>
      tasks.flatMap((task) => {
        const output = outputs.get(task.id)
        if (output === undefined) return []
        return transition(task, { _tag: "SignalReceived", output }) ?? []
      }),
  )
})

const valuesOf = Effect.fnUntraced(function* (
  { driver, flow, run, counts, standings }: View,
  standing: "none" | "open",
): Effect.fn.Return<ReadonlyMap<string, string>, DriverError> {
  const steps = flow.definition.steps.filter((step) =>
    step.kind === "signal" && standings.get(step.slug) === standing &&
    counts.has(signalOf(step.slug))
  )
  const records = yield* Facts.tasksOf(driver, run.id, steps.map((step) => signalOf(step.slug)))
  const texts = new Map(records.map((record) => [record.step, Facts.outputOf(record)]))
  return new Map(steps.map((step) => [step.slug, texts.get(signalOf(step.slug))!]))
})
