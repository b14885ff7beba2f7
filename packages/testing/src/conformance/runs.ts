/**
 * Cases of decisions on whole runs: cancelling them, and retrying them by hand.
 *
 * @since 0.1.0
 */
import { type Task, Transition } from "@millrace/core"
import { Effect } from "effect"
import { equal, fails, that } from "./expect.ts"
import { type Case, scene, settling, type Stage } from "./fixtures.ts"
import { advanced, completed, failedForGood } from "./outcomes.ts"
import {
  claimRun,
  claimSteps,
  counted,
  countsOf,
  look,
  mapOf,
  planted,
  progressOf,
  runOf,
  statesOf,
  stepOf,
  subRunOf,
  wakesOf,
} from "./trees.ts"

const cancelling: Transition.Event = { _tag: "CancelRequested", reason: "not needed" }

/** Lets an event happen to all tasks of a run. */
const happen = (stage: Stage, ids: ReadonlyArray<Task.TaskId>, event: Transition.Event) =>
  stage.driver.transact(
    { _tag: "Runs", ids },
    (tasks) => tasks.flatMap((task) => Transition.transition(task, event) ?? []),
  )

const cancel = (stage: Stage, run: Task.TaskId) => happen(stage, [run], cancelling)

const retry = (stage: Stage, run: Task.TaskId) => happen(stage, [run], { _tag: "RetryRequested" })

/** The ids that a decision on runs sees, in their order. */
const seenOf = (stage: Stage, ids: ReadonlyArray<Task.TaskId>) =>
  Effect.gen(function* () {
    const seen: Array<Task.Task> = []
    yield* stage.driver.transact({ _tag: "Runs", ids }, (tasks) => {
      seen.push(...tasks)
      return []
    })
    return seen.sort((a, b) => (a.id < b.id ? -1 : 1))
  })

/** A run in a run in a run, with a task of a step each; the ids by their depth. */
const nested = function* (stage: Stage, depth: number) {
  const runs = [runOf(stage, { state: "waiting" })]
  const steps = [stepOf(stage, runs[0]!.id)]
  for (let level = 1; level < depth; level++) {
    const run = subRunOf(stage, runs[level - 1]!.id, { state: "waiting" })
    runs.push(run)
    steps.push(stepOf(stage, run.id))
  }
  yield* stage.driver.insert([...runs, ...steps])
  return { runs: runs.map(({ id }) => id), steps: steps.map(({ id }) => id) }
}

/** Cases of decisions on whole runs.
 * @category cases
 * @since 0.1.0 */
export const runCases: ReadonlyArray<Case> = [
  scene("A decision on a run sees all tasks below it", function* (stage) {
    const { runs, steps } = yield* nested(stage, 4)
    yield* nested(stage, 2)
    const idsOf = (tasks: ReadonlyArray<Task.Task>) => tasks.map(({ id }) => id)
    equal(idsOf(yield* seenOf(stage, [runs[0]!])), [...runs, ...steps].sort(), "Of the outermost")
    equal(
      idsOf(yield* seenOf(stage, [runs[2]!])),
      [...runs.slice(2), ...steps.slice(2)].sort(),
      "Of one in the middle",
    )
    equal(idsOf(yield* seenOf(stage, [steps[1]!])), [steps[1]!], "Of a task with none below")
  }),

  scene("A decision sees to which run a task belongs", function* (stage) {
    const run = runOf(stage, { undoes: true })
    const step = stepOf(stage, run.id, { onExhausted: "collect" })
    yield* stage.insert([run, step])
    const placed = (tasks: ReadonlyArray<Task.Task>) =>
      tasks.map(({ id, branch, undoes }) => [id, branch, undoes])
    const expected: ReturnType<typeof placed> = [
      [run.id, undefined, true],
      [step.id, { parent: run.id, step: "pack", onExhausted: "collect" }, undefined],
    ]
    equal(placed(yield* seenOf(stage, [run.id])), expected, "On the run")
    const seen: Array<Task.Task> = []
    yield* stage.driver.transact({ _tag: "Tasks", ids: [run.id, step.id] }, (tasks) => {
      seen.push(...tasks)
      return []
    })
    equal(placed(seen.sort((a, b) => (a.id < b.id ? -1 : 1))), expected, "On the tasks")
  }),

  scene("Runs of which one is below the other are decided on once", function* (stage) {
    const { runs, steps } = yield* nested(stage, 3)
    const other = yield* planted(stage, {})
    const seen = yield* seenOf(stage, [runs[1]!, other.run, runs[0]!, runs[1]!, stage.id(999)])
    equal(
      seen.map(({ id }) => id),
      [...runs, ...steps, other.run, ...other.tasks].sort(),
      "What is decided on",
    )
    equal(yield* seenOf(stage, []), [], "Of no runs")
  }),

  scene("Runs in runs are reached however deep they are", function* (stage) {
    const { runs, steps } = yield* nested(stage, 60)
    yield* cancel(stage, runs[0]!)
    const states = yield* statesOf(stage, [...runs, ...steps])
    equal(states, Array<Task.State>(120).fill("cancelled"), "The states")
  }),

  scene("A cancel ends all of a run that has not ended", function* (stage) {
    const { run, tasks } = yield* planted(stage, {}, { index: 1 }, { index: 2 }, { index: 3 })
    const inner = subRunOf(stage, run, { state: "waiting" })
    const below = stepOf(stage, inner.id, { priority: 9 })
    yield* stage.insert([inner, below])
    const [done, dead, held] = yield* claimSteps(stage, 3)
    yield* stage.settle(done!, completed())
    yield* stage.settle(
      { ...dead!, branch: { ...dead!.branch!, onExhausted: "collect" } },
      failedForGood,
    )
    const answers = yield* cancel(stage, run)
    equal(answers.length, 5, "The changes")
    equal(
      yield* statesOf(stage, [run, ...tasks, inner.id, below.id]),
      [
        ...["cancelled", "completed", "failed", "cancelled", "cancelled"] as const,
        ...["cancelled", "cancelled"] as const,
      ],
      "The states",
    )
    equal(yield* countsOf(stage, run), [
      counted("pack", 4, { completed: 1, failed: 1, cancelled: 2 }),
      counted("ship", 1, { cancelled: 1 }),
    ], "The counts")
    const pulse = yield* stage.beat(stage.name("steps"), [held!])
    equal(pulse.lost, [held!.id], "What the worker of a step is told")
    equal(yield* claimSteps(stage), [], "What can be claimed")
  }),

  scene("A cancelled run with steps to undo is ready to unwind, and tells why", function* (stage) {
    const run = runOf(stage, { undoes: true, state: "waiting" })
    yield* stage.insert([run, ...mapOf(stage, run.id, 2)])
    yield* cancel(stage, run.id)
    const { state, history } = yield* look(stage, run.id)
    equal([state, history.map(({ kind }) => kind)], ["ready", ["unwinding"]], "The run")
    const failure = { reason: "Cancelled", message: "not needed" } as const
    equal((yield* progressOf(stage, run.id)).ending, failure, "Why it unwinds")
    equal(yield* countsOf(stage, run.id), [counted("pack", 2, { cancelled: 2 })], "The counts")
    const held = yield* claimRun(stage)
    yield* stage.settle(held, { _tag: "Cancelled", failure })
    const after = yield* look(stage, run.id)
    equal(
      [after.state, after.history.map(({ kind }) => kind)],
      ["cancelled", ["unwinding", "cancelled"]],
      "The run when it has unwound",
    )
  }),

  scene("A run that conducts while it is cancelled with steps to undo unwinds", function* (stage) {
    const run = runOf(stage, { undoes: true })
    yield* stage.insert([run])
    const held = yield* claimRun(stage)
    yield* cancel(stage, run.id)
    const late = yield* stage.settle(held, advanced(0, [stepOf(stage, run.id)]))
    equal([late.status, late.kind], ["already", "unwinding"], "The answer to its worker")
    equal(yield* stage.readAll(), [], "What was started")
    equal((yield* claimRun(stage)).lease, 2, "The lease of the next claim")
  }),

  scene("A retry by hand of a run keeps what has completed", function* (stage) {
    const { run, tasks } = yield* planted(stage, {}, { index: 1 }, { index: 2 })
    const [done, dead] = yield* claimSteps(stage, 2)
    yield* stage.settle(done!, completed("1"))
    yield* stage.settle(dead!, failedForGood)
    yield* cancel(stage, run)
    yield* retry(stage, run)
    const states = yield* statesOf(stage, [run, ...tasks])
    equal(states, ["ready", "completed", "ready", "ready"], "The states")
    equal(yield* countsOf(stage, run), [counted("pack", 3, { completed: 1 })], "The counts")
    equal((yield* claimRun(stage)).id, run, "The claimed run")
    const claimed = (yield* claimSteps(stage)).map(({ id, failures }) => [id, failures])
    equal(claimed.sort(), [[tasks[1]!, 0], [tasks[2]!, 0]], "The claimed tasks")
  }),

  scene("1,000 tasks are cancelled with their run, which is told once", function* (stage) {
    const { run } = yield* planted(stage)
    const outer = yield* planted(stage)
    const inner = subRunOf(stage, outer.run, { state: "waiting" })
    yield* stage.insert([inner, ...mapOf(stage, inner.id, 1000)])
    equal((yield* cancel(stage, inner.id)).length, 1001, "The changes")
    equal(yield* countsOf(stage, inner.id), [counted("pack", 1000, { cancelled: 1000 })], "Counts")
    equal(yield* wakesOf(stage, inner.id), { wakes: 1, state: "cancelled" }, "The run")
    equal(yield* wakesOf(stage, outer.run), { wakes: 1, state: "ready" }, "The outer run")
    equal(yield* wakesOf(stage, run), { wakes: 0, state: "waiting" }, "Another run")
  }),

  scene("Concurrent decisions on one run all end, and apply once", function* (stage) {
    const { run } = yield* planted(stage)
    yield* stage.insert(mapOf(stage, run, 30))
    const answers = yield* Effect.all(
      [cancel(stage, run), cancel(stage, run), cancel(stage, run)],
      { concurrency: "unbounded" },
    )
    const applied = answers.flat().filter(({ status }) => status === "applied")
    equal(applied.length, 31, "The applied changes")
    equal(yield* countsOf(stage, run), [counted("pack", 30, { cancelled: 30 })], "The counts")
  }),

  scene("A decision on a run and settles of its tasks at one time all end", function* (stage) {
    const { run } = yield* planted(stage)
    yield* stage.insert(mapOf(stage, run, 40))
    const tasks = yield* claimSteps(stage)
    const half = (of: number) =>
      stage.driver.settle(
        tasks.filter((_, index) => index % 2 === of).map((task) => settling(task, completed())),
      )
    yield* Effect.all([half(0), cancel(stage, run), half(1)], { concurrency: "unbounded" })
    const found = yield* stage.readAll()
    that(found.every(({ history }) => history.length === 1), "Every task ended once")
    const ends = (state: Task.State) => found.filter((task) => task.state === state).length
    equal(
      yield* countsOf(stage, run),
      [counted("pack", 40, { completed: ends("completed"), cancelled: ends("cancelled") })],
      "The counts are those of the tasks",
    )
  }),

  scene("A decision on a run that throws changes nothing", function* (stage) {
    const { run, tasks } = yield* planted(stage, {}, { index: 1 })
    const thrown = stage.driver.transact({ _tag: "Runs", ids: [run] }, () => {
      throw new Error("planned")
    })
    yield* fails(thrown, "The transaction fails")
    equal(yield* statesOf(stage, [run, ...tasks]), ["waiting", "ready", "ready"], "The states")
    equal(yield* wakesOf(stage, run), { wakes: 0, state: "waiting" }, "The run")
  }),
]
