/**
 * The end of a run that cannot go on: what is open is cancelled, what was done is undone, newest
 * first, and then the run has failed or is cancelled.
 */
import { Effect } from "effect"
import type { NewTask, TaskRecord } from "../../Driver.ts"
import type { DriverError } from "../../DriverError.ts"
import type * as Flow from "../../Flow.ts"
import type { Failure, Outcome } from "../../Outcome.ts"
import * as Progress from "../../Progress.ts"
import { cancelled, isUndo } from "./Below.ts"
import type { View } from "./Conductor.ts"
import * as Facts from "./Facts.ts"
import { undoOf, wholeMap } from "./Standing.ts"
import { derive } from "./TaskIds.ts"

/** Takes the end of a run as far as it can go. */
export const unwind = Effect.fnUntraced(function* (
  view: View,
  failure: Failure,
): Effect.fn.Return<Outcome, DriverError> {
  const open = view.progress.steps.filter((one) => !Progress.isEnded(one))
  if (open.some((one) => isUndo(one.step))) return waits(view, [])
  if (open.length > 0) {
    yield* cancelOpen(view, () => true)
    // What ended meanwhile may have to be undone, and a run below may have to unwind first.
    return waits(view, [])
  }
  const undo = yield* nextUndo(view)
  if (undo !== undefined) return waits(view, [undo])
  return failure.reason === "Cancelled"
    ? { _tag: "Cancelled", failure }
    : { _tag: "Discarded", failure }
})

// Each task that is cancelled wakes the run, also since the count was read.
const waits = ({ progress }: View, starts: ReadonlyArray<NewTask>): Outcome => ({
  _tag: "Advanced",
  starts,
  seen: progress.wakes,
})

/** Cancels the tasks of some steps that have not ended, and all below them. */
export const cancelOpen = Effect.fnUntraced(function* (
  { driver, run }: View,
  includes: (step: string) => boolean,
): Effect.fn.Return<void, DriverError> {
  yield* driver.transact(
    { _tag: "Runs", ids: [run.id] },
    (tasks) => cancelled(run.id, tasks, "its run ends", includes),
  )
})

/** The task that undoes what completed last, of what is not undone yet. */
const nextUndo = Effect.fnUntraced(function* (
  view: View,
): Effect.fn.Return<NewTask | undefined, DriverError> {
  const { driver, flow, run, counts } = view
  const steps = flow.definition.steps.filter((step) => step.undo && counts.has(step.slug))
  const done = yield* Facts.tasksOf(driver, run.id, steps.map((step) => step.slug))
  const undone = yield* Facts.tasksOf(driver, run.id, steps.map((step) => undoOf(step.slug)))
  // What ended in the same millisecond is undone in the opposite order of the definition.
  const place = ({ step }: TaskRecord) => steps.findIndex(({ slug }) => slug === step)
  const ids = new Set(undone.map((record) => record.id))
  const last = done
    .filter((record) => record.state === "completed" && record.index !== wholeMap)
    .filter((record) => !ids.has(undoIdOf(view, record)))
    .sort((a, b) => endedAt(b) - endedAt(a) || place(b) - place(a) || b.index - a.index)[0]
  if (last === undefined) return undefined
  return taskOf(view, steps.find((step) => step.slug === last.step)!, last)
})

const endedAt = (record: TaskRecord): number => Facts.endOf(record)?.at ?? 0

const undoIdOf = ({ run }: View, record: TaskRecord) =>
  derive(run.id, undoOf(record.step), record.index)

const taskOf = (view: View, step: Flow.Step, record: TaskRecord): NewTask => ({
  id: undoIdOf(view, record),
  runId: view.run.id,
  flowType: "flow",
  flow: view.flow.definition.slug,
  version: view.flow.definition.version,
  step: undoOf(step.slug),
  index: record.index,
  queue: step.queue ?? view.flow.definition.queue,
  priority: step.priority ?? view.flow.priority,
  input: Facts.outputOf(record),
  maxAttempts: step.policy.maxAttempts,
  maxCrashes: step.policy.maxCrashes,
  delayMillis: 0,
  awaited: false,
  trace: view.run.trace,
  parent: view.run.id,
  // One that cannot be undone must not keep the others from it.
  onExhausted: "collect",
})
