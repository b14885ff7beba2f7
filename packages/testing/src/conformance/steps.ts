/**
 * Cases of finding and pruning the tasks of flows, of steps that wait for a signal or a time.
 *
 * @since 0.1.0
 */
import { type Driver, Transition } from "@millrace/core"
import { TestClock } from "effect/testing"
import { equal, equalJson } from "./expect.ts"
import { type Case, scene, type Stage } from "./fixtures.ts"
import { advanced, completed, discarded } from "./outcomes.ts"
import {
  claimRun,
  claimSteps,
  counted,
  countsOf,
  look,
  mapOf,
  planted,
  runOf,
  statesOf,
  stepOf,
  subRunOf,
  wakesOf,
} from "./trees.ts"

const find = function* (stage: Stage, query: Omit<Driver.FindQuery, "limit">, limit = 100) {
  return (yield* stage.driver.find({ ...query, limit })).map(({ id }) => id)
}

const arrive = (stage: Stage, id: string, output: string) =>
  stage.driver.transact(
    { _tag: "Tasks", ids: [id] },
    (tasks) =>
      tasks.flatMap((task) =>
        Transition.transition(task, { _tag: "SignalReceived", output }) ?? []
      ),
  )

const prune = (stage: Stage, limit = 100) => stage.driver.prune({ olderThanMillis: 0, limit })

/** Cases of finding the tasks of flows.
 * @category cases
 * @since 0.1.0 */
export const stepCases: ReadonlyArray<Case> = [
  scene("Tasks of steps are found by the own task of their run", function* (stage) {
    const one = yield* planted(stage, {}, { step: "weigh" })
    const two = yield* planted(stage, {})
    const inner = subRunOf(stage, one.run)
    const below = stepOf(stage, inner.id)
    yield* stage.insert([inner, below])
    const own = [...one.tasks, inner.id]
    equal(yield* find(stage, { parents: [one.run] }), own, "Of one run")
    equal(
      yield* find(stage, { parents: [two.run, one.run, two.run, stage.id(999)] }),
      [...one.tasks, ...two.tasks, inner.id],
      "Of two runs",
    )
    equal(yield* find(stage, { parents: [inner.id] }), [below.id], "Of a run in a run")
    equal(yield* find(stage, { parents: [one.tasks[0]!] }), [], "Of a task with none below")
    equal(yield* find(stage, { parents: [] }), [], "Of no run")
  }),

  scene("Tasks of steps are found by the names of the steps", function* (stage) {
    const { run, tasks } = yield* planted(stage, {}, { step: "weigh" }, { step: "pack:undo" })
    const other = yield* planted(stage, {})
    const [pack, weigh, undo] = tasks as [string, string, string]
    equal(yield* find(stage, { parents: [run], steps: ["pack"] }), [pack], "One step")
    equal(
      yield* find(stage, { parents: [run], steps: ["pack:undo", "weigh", "weigh", "none"] }),
      [weigh, undo],
      "Two steps",
    )
    equal(
      yield* find(stage, { queue: stage.queue, steps: ["pack"] }),
      [pack, ...other.tasks],
      "Of any run",
    )
    equal(yield* find(stage, { parents: [run], steps: [] }), [], "No steps")
  }),

  scene("Tasks are found by their ids, and each of them once", function* (stage) {
    const { run, tasks } = yield* planted(stage, {}, { index: 1 })
    equal(
      yield* find(stage, { ids: [tasks[1]!, run, stage.id(999), tasks[1]!, "no id"] }),
      [run, tasks[1]!],
      "What is found",
    )
    equal(yield* find(stage, { ids: [] }), [], "Of no ids")
    equal(yield* find(stage, { ids: [run, ...tasks], parents: [run] }), tasks, "With a parent")
    equal(yield* find(stage, { ids: [run, ...tasks], runs: [tasks[0]!] }), [], "With another run")
    equal(
      yield* find(stage, { ids: tasks, states: ["waiting", "completed"] }),
      [],
      "With other states",
    )
  }),

  scene("Many tasks are found page by page", function* (stage) {
    const { run } = yield* planted(stage)
    yield* stage.insert(mapOf(stage, run, 25))
    yield* planted(stage, {}, {})
    const pages: Array<ReadonlyArray<string>> = []
    do {
      const after = pages.at(-1)?.at(-1)
      pages.push(yield* find(stage, { parents: [run], steps: ["pack"], after }, 10))
    } while (pages.at(-1)!.length === 10)
    equal(pages.map((page) => page.length), [10, 10, 5], "The pages")
    equal(pages.flat(), yield* find(stage, { parents: [run] }), "All of them")
    equal(yield* find(stage, { parents: [run], after: stage.id(999_999) }), [], "After the last")
  }),

  scene("Tasks that wait, and that were skipped, are found by state", function* (stage) {
    const { run, tasks } = yield* planted(stage, { step: "weigh", ended: { state: "skipped" } }, {})
    yield* stage.settle(yield* claimRun(stage), advanced(1))
    equal(yield* find(stage, { states: ["waiting"] }), [run], "Waiting")
    equal(yield* find(stage, { states: ["skipped"] }), [tasks[0]!], "Skipped")
    equal(yield* find(stage, { states: ["ready", "waiting"] }), [run, tasks[1]!], "Two states")
  }),

  scene("The task of a step is pruned only after its run", function* (stage) {
    const { run, tasks } = yield* planted(stage, { ended: { state: "completed" } })
    yield* TestClock.adjust(1_000_000)
    equal(yield* prune(stage), 0, "What is pruned while its run goes on")
    yield* stage.settle(yield* claimRun(stage), completed())
    equal(yield* stage.driver.prune({ olderThanMillis: 1000, limit: 100 }), 0, "Too early")
    equal(yield* prune(stage), 2, "What is pruned")
    equal(yield* find(stage, { ids: [run, ...tasks] }), [], "What is left")
    equal(yield* stage.driver.progress([run]), [], "The progress")
  }),

  scene("Pruning a few at a time removes a run before the tasks of its steps", function* (stage) {
    const { run, tasks } = yield* planted(stage, {}, { index: 1 })
    const inner = subRunOf(stage, run, { state: "waiting" })
    const below = stepOf(stage, inner.id)
    yield* stage.insert([inner, below])
    yield* stage.driver.transact(
      { _tag: "Runs", ids: [run] },
      (all) =>
        all.flatMap((task) =>
          Transition.transition(task, { _tag: "CancelRequested", reason: "" }) ?? []
        ),
    )
    equal(yield* prune(stage, 1), 1, "The first")
    const left = [...tasks, inner.id, below.id]
    equal(yield* find(stage, { ids: [run, ...left] }), left, "What is left after the first")
    while ((yield* prune(stage, 1)) > 0) {
      const found = yield* find(stage, { ids: [inner.id, below.id] })
      equal(found.at(-1) ?? below.id, below.id, "What is left of the inner run")
    }
    equal(yield* find(stage, { ids: [run, ...left] }), [], "What is left")
  }),

  scene("The tasks of steps are pruned though they are stored before their run", function* (stage) {
    const run = runOf(stage)
    yield* stage.insert([stepOf(stage, run.id, { ended: { state: "completed" } })])
    yield* stage.insert([run])
    yield* stage.settle(yield* claimRun(stage), completed())
    equal(yield* prune(stage), 2, "What is pruned")
  }),

  scene("A task that goes on while its run was pruned ends as ever", function* (stage) {
    const { run } = yield* planted(stage, {})
    yield* stage.cancel(run)
    equal(yield* prune(stage), 1, "What is pruned")
    const [task] = yield* claimSteps(stage)
    equal((yield* stage.settle(task!, completed())).status, "applied", "The answer")
    equal(yield* stage.driver.progress([run]), [], "The progress")
    equal(yield* prune(stage), 1, "What is pruned then")
  }),

  scene("A run that is stored anew after it was pruned counts from nothing", function* (stage) {
    const { run, tasks } = yield* planted(stage, {}, { step: "weigh" })
    for (const task of yield* claimSteps(stage)) yield* stage.settle(task, completed())
    yield* stage.settle(yield* claimRun(stage), completed())
    equal(yield* prune(stage), 3, "What is pruned")
    yield* stage.insert([runOf(stage, { id: run, state: "waiting" })])
    yield* stage.insert([stepOf(stage, run, { id: tasks[0]! })])
    equal(yield* countsOf(stage, run), [counted("pack", 1)], "The counts")
    equal(yield* wakesOf(stage, run), { wakes: 0, state: "waiting" }, "The run")
  }),
]

/** Cases of steps that wait for a signal or a time.
 * @category cases
 * @since 0.1.0 */
export const signalCases: ReadonlyArray<Case> = [
  scene("A step that waits for a signal ends with its value, and wakes its run", function* (stage) {
    const tenYears = 10 * 365 * 24 * 60 * 60 * 1000
    const { run, tasks } = yield* planted(stage, { step: "approve", delayMillis: tenYears })
    equal(yield* claimSteps(stage), [], "What can be claimed before")
    const [settled] = yield* arrive(stage, tasks[0]!, `{"by":"ada"}`)
    equal([settled!.status, settled!.kind], ["applied", "completed"], "The answer")
    const { state, lease, dueAt, history } = yield* look(stage, tasks[0]!)
    equal([state, lease, dueAt, history.length], ["completed", 1, undefined, 1], "The step")
    equal([history[0]!.lease, history[0]!.attempt], [1, undefined], "Its entry")
    equalJson(history[0]!.output, `{"by":"ada"}`, "Its value")
    equal(yield* countsOf(stage, run), [counted("approve", 1, { completed: 1 })], "The counts")
    equal(yield* wakesOf(stage, run), { wakes: 1, state: "ready" }, "The run")
    yield* TestClock.adjust(tenYears)
    equal(yield* claimSteps(stage, 10, "later"), [], "What can be claimed after ten years")
  }),

  scene("A signal that comes too late, or twice, changes nothing", function* (stage) {
    const { run, tasks } = yield* planted(stage, { step: "approve", delayMillis: 1000 })
    yield* TestClock.adjust(1000)
    const [late] = yield* claimSteps(stage)
    equal(yield* arrive(stage, tasks[0]!, "1"), [], "The answer while its time is over")
    yield* stage.settle(late!, discarded)
    equal(yield* arrive(stage, tasks[0]!, "1"), [], "The answer after its end")
    equal(yield* statesOf(stage, tasks), ["failed"], "The state")
    equal((yield* wakesOf(stage, run)).wakes, 1, "The wakes of its run")
  }),

  scene("Of a signal and the end of its time at one moment one applies", function* (stage) {
    const { run, tasks } = yield* planted(stage, { step: "approve", delayMillis: 1000 })
    yield* TestClock.adjust(1000)
    yield* arrive(stage, tasks[0]!, "1")
    equal(yield* claimSteps(stage), [], "What can be claimed")
    equal(yield* arrive(stage, tasks[0]!, "2"), [], "The answer to a second signal")
    equal((yield* look(stage, tasks[0]!)).history.map(({ output }) => output), ["1"], "The value")
    equal(yield* countsOf(stage, run), [counted("approve", 1, { completed: 1 })], "The counts")
  }),

  scene("A step that sleeps is claimed when its time has come", function* (stage) {
    const { run } = yield* planted(stage, { step: "rest", delayMillis: 60_000 })
    yield* TestClock.adjust(59_999)
    equal(yield* claimSteps(stage, 1, "early"), [], "What can be claimed early")
    yield* TestClock.adjust(1)
    yield* stage.settle((yield* claimSteps(stage, 1, "later"))[0]!, completed())
    equal(yield* wakesOf(stage, run), { wakes: 1, state: "ready" }, "The run")
  }),
]
