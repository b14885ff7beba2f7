/**
 * What cases of flows are made of: runs with the tasks of their steps.
 *
 * @since 0.1.0
 */
import { type Driver, Progress, type Task } from "@millrace/core"
import { Effect } from "effect"
import { Unexpected } from "./expect.ts"
import type { Stage } from "./fixtures.ts"

type Overrides = Partial<Driver.NewTask>

/** The own task of a run, ready to be conducted; it is in the other queue.
 * @category constructors
 * @since 0.1.0 */
export const runOf = (stage: Stage, overrides: Overrides = {}): Driver.NewTask =>
  stage.newTask({
    flowType: "flow",
    flow: "process_order",
    step: "process_order",
    version: "v1",
    queue: stage.otherQueue,
    ...overrides,
  })

/** A task of the step `pack` of a run.
 * @category constructors
 * @since 0.1.0 */
export const stepOf = (
  stage: Stage,
  parent: Task.TaskId,
  overrides: Overrides = {},
): Driver.NewTask =>
  stage.newTask({
    flowType: "flow",
    flow: "process_order",
    runId: parent,
    parent,
    step: "pack",
    ...overrides,
  })

/** As many elements of a map step of a run.
 * @category constructors
 * @since 0.1.0 */
export const mapOf = (
  stage: Stage,
  parent: Task.TaskId,
  count: number,
  overrides: Overrides = {},
): ReadonlyArray<Driver.NewTask> =>
  Array.from({ length: count }, (_, index) => stepOf(stage, parent, { index, ...overrides }))

/** A run that is a step of another one.
 * @category constructors
 * @since 0.1.0 */
export const subRunOf = (
  stage: Stage,
  parent: Task.TaskId,
  overrides: Overrides = {},
): Driver.NewTask => runOf(stage, { parent, step: "ship", ...overrides })

/**
 * Stores a run that waits, with the tasks of its first steps, and answers their ids.
 *
 * @category constructors
 * @since 0.1.0
 */
export const planted = (stage: Stage, ...steps: ReadonlyArray<Overrides>) => {
  const run = runOf(stage, { state: "waiting" })
  const tasks = steps.map((overrides) => stepOf(stage, run.id, overrides))
  return Effect.as(stage.driver.insert([run, ...tasks]), {
    run: run.id,
    tasks: tasks.map(({ id }) => id),
  })
}

/** Reads one task by its id, which has to be there.
 * @category reading
 * @since 0.1.0 */
export const look = (stage: Stage, id: Task.TaskId) =>
  Effect.flatMap(
    stage.driver.find({ ids: [id], limit: 1 }),
    ([record]) =>
      record === undefined
        ? Effect.die(new Unexpected(`Expected task ${id}, got none`))
        : Effect.succeed(record),
  )

/** Reads the states of tasks, in the order of their ids.
 * @category reading
 * @since 0.1.0 */
export const statesOf = (stage: Stage, ids: ReadonlyArray<Task.TaskId>) =>
  Effect.map(
    stage.driver.find({ ids, limit: ids.length }),
    (records) => records.map(({ state }) => state),
  )

/** Reads how far a run is; it has to be there.
 * @category reading
 * @since 0.1.0 */
export const progressOf = (stage: Stage, run: Task.TaskId) =>
  Effect.flatMap(
    stage.driver.progress([run]),
    ([progress]) =>
      progress === undefined
        ? Effect.die(new Unexpected(`Expected progress of run ${run}, got none`))
        : Effect.succeed(progress),
  )

/** Reads the counts of the steps of a run.
 * @category reading
 * @since 0.1.0 */
export const countsOf = (stage: Stage, run: Task.TaskId) =>
  Effect.map(progressOf(stage, run), ({ steps }) => steps)

/** Reads how often a run was woken, and its state.
 * @category reading
 * @since 0.1.0 */
export const wakesOf = (stage: Stage, run: Task.TaskId) =>
  Effect.map(
    Effect.all([progressOf(stage, run), look(stage, run)]),
    ([{ wakes }, { state }]) => ({ wakes, state }),
  )

/** A step with so many tasks, of which some have ended.
 * @category constructors
 * @since 0.1.0 */
export const counted = (
  step: string,
  tasks: number,
  ended: Partial<Progress.StepProgress> = {},
): Progress.StepProgress => ({ ...Progress.none(step), tasks, ...ended })

/** Claims all tasks of steps that are due.
 * @category combinators
 * @since 0.1.0 */
export const claimSteps = (stage: Stage, limit = 1000, worker = "steps") =>
  Effect.flatMap(stage.worker(worker), (name) => stage.claim(name, limit))

/** Claims the own task of a run, which has to be due.
 * @category combinators
 * @since 0.1.0 */
export const claimRun = (stage: Stage, worker = "conductor") =>
  Effect.flatMap(stage.worker(worker), (name) => stage.claimOne(name, stage.otherQueue))

/** Claims the own tasks of runs that are due: those that do not wait.
 * @category combinators
 * @since 0.1.0 */
export const claimRuns = (stage: Stage, worker = "conductor") =>
  Effect.flatMap(stage.worker(worker), (name) => stage.claim(name, 1000, stage.otherQueue))
