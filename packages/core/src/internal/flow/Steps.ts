/**
 * The steps of a run, for people and programs that look at it.
 */
import { Effect } from "effect"
import { Driver, type TaskProgress, type TaskRecord } from "../../Driver.ts"
import type { DriverError } from "../../DriverError.ts"
import * as Limits from "../../Limits.ts"
import type { Failure } from "../../Outcome.ts"
import * as Progress from "../../Progress.ts"
import { RunNotFound } from "../../RunError.ts"
import * as RunId from "../../RunId.ts"
import type { State } from "../../Task.ts"
import * as Facts from "./Facts.ts"
import { isUndo } from "./Below.ts"
import { wholeMap } from "./Standing.ts"

/**
 * A step of a run that has started, or is over without. Instants are milliseconds since 1970.
 *
 * @category models
 * @since 0.1.0
 */
export interface StepRun {
  /** The slug of the step; one that undoes a step has its name with `:undo` after it. */
  readonly step: string
  /**
   * `running` while any of its tasks runs, `ready` while any of them waits for its turn, a time or
   * a signal, and else how it ended.
   */
  readonly state: State
  /** How many tasks it has, and how they ended: of a map, one for each element. */
  readonly counts: Progress.StepProgress
  /** The run that it is, where the step is a flow. */
  readonly runId: RunId.RunId | undefined
  /** How far the attempt of its one task is, or came, where its handler has said so. */
  readonly progress: TaskProgress | undefined
  readonly startedAt: number
  readonly endedAt: number | undefined
  /** The JSON text of its output; of a map, that of an element is with its task. */
  readonly output: string | undefined
  /** Why it failed, was cancelled, or is skipped. */
  readonly failure: Failure | undefined
}

/**
 * Reads the steps of a run that have started or are over, in the order in which they began.
 *
 * @category reading
 * @since 0.1.0
 */
export const steps: (
  runId: RunId.RunId,
) => Effect.Effect<ReadonlyArray<StepRun>, RunNotFound | DriverError, Driver> = Effect.fn(
  "Runs.steps",
)(function* (runId) {
  if (!RunId.isRunId(runId)) return yield* new RunNotFound({ runId: String(runId) })
  const driver = yield* Driver
  const [progress] = yield* driver.progress([runId])
  if (progress === undefined) return yield* new RunNotFound({ runId })
  const records = yield* allBelow(driver, runId)
  const counts = new Map(progress.steps.map((one) => [one.step, one]))
  return [...Map.groupBy(records, (record) => record.step)]
    .filter(([step]) => isUndo(step) || !step.includes(":"))
    .map(([step, tasks]) => ofTasks(counts.get(step) ?? Progress.none(step), tasks))
    .sort(byBeginning)
})

// Of one millisecond the name decides, but nothing is undone before the others have begun.
const byBeginning = (a: StepRun, b: StepRun): number =>
  a.startedAt - b.startedAt || Number(isUndo(a.step)) - Number(isUndo(b.step)) ||
  (a.step < b.step ? -1 : 1)

const allBelow = Effect.fnUntraced(function* (
  driver: Driver["Service"],
  runId: RunId.RunId,
): Effect.fn.Return<ReadonlyArray<TaskRecord>, DriverError> {
  const found: Array<TaskRecord> = []
  while (true) {
    const after = found.at(-1)?.id
    const page = yield* driver.find({ parents: [runId], after, limit: Limits.batchSize })
    found.push(...page)
    if (page.length < Limits.batchSize) return found
  }
})

const ofTasks = (
  counts: Progress.StepProgress,
  tasks: ReadonlyArray<TaskRecord>,
): StepRun => {
  const state = stateOf(tasks)
  const one = tasks.length === 1 && tasks[0]!.index <= 0 ? tasks[0] : undefined
  const bad = tasks.find((task) => task.state === state)
  const isOver = state !== "running" && state !== "ready" && state !== "waiting"
  const ends = tasks.flatMap((task) => Facts.endOf(task)?.at ?? [])
  return {
    step: counts.step,
    state,
    counts,
    runId: one !== undefined && one.runId === one.id ? one.id : undefined,
    progress: one?.progress,
    startedAt: Math.min(...tasks.map((task) => task.enqueuedAt)),
    endedAt: isOver ? Math.max(...ends) : undefined,
    output: one?.state === "completed" && (one.index === wholeMap || one.index === 0)
      ? Facts.outputOf(one)
      : undefined,
    failure: isOver && bad !== undefined ? Facts.endOf(bad)?.failure : undefined,
  }
}

const order: ReadonlyArray<State> = [
  "running",
  "waiting",
  "ready",
  "failed",
  "cancelled",
  "skipped",
  "completed",
]

const stateOf = (tasks: ReadonlyArray<TaskRecord>): State =>
  order.find((state) => tasks.some((task) => task.state === state)) ?? "completed"
