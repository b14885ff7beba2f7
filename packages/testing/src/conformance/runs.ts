/**
 * Cases of runs: own tasks that wait and are woken, tasks of steps, and how far the steps are.
 *
 * @since 0.1.0
 */
import { type Driver, type Outcome, type Task, Transition } from "@millrace/core"
import { Effect } from "effect"
import { equal, equalJson } from "./expect.ts"
import { type Case, everything, scene, settling, type Stage } from "./fixtures.ts"
import { completed, failed, failedForGood, failure } from "./outcomes.ts"

/** Cases of runs.
 * @category cases
 * @since 0.1.0 */
export const runCases: ReadonlyArray<Case> = [
  scene("A task that is stored as ended is never claimed, and has one entry", function* (stage) {
    const { own, worker } = yield* conducted(stage)
    const why = { reason: "ConditionUnmet", message: "not wanted" } as const
    const [one, two] = yield* stage.insert([
      stepOf(stage, own, { ended: { state: "completed", output: "7" } }),
      stepOf(stage, own, { ended: { state: "skipped", failure: why }, delayMillis: 1000 }),
    ])
    equal(yield* stage.claim(worker, 10), [], "What is claimed")
    const [completedOne, skippedOne] = [yield* stage.read(one!), yield* stage.read(two!)]
    equal([completedOne.state, completedOne.lease], ["completed", 1], "The completed one")
    equal([skippedOne.state, skippedOne.lease], ["skipped", 1], "The skipped one")
    equal(entriesOf(completedOne), [["completed", 1]], "The history of the completed one")
    equal(entriesOf(skippedOne), [["skipped", 1]], "The history of the skipped one")
    equalJson(completedOne.history[0]!.output, "7", "The output")
    equal(skippedOne.history[0]!.failure, why, "The failure")
    yield* stage.insert([stepOf(stage, own, { id: one!, ended: { state: "skipped" } })])
    equal(yield* stage.read(one!), completedOne, "The task after it was stored again")
  }),

  scene("A task that is stored as ended wakes the run that it is a step of", function* (stage) {
    const { own, worker } = yield* waiting(stage)
    const open = stepOf(stage, own)
    yield* stage.insert([open, stepOf(stage, own, { ended: { state: "completed" } })])
    equal(yield* ownClaims(stage, worker), [], "While another task of the step is open")
    const signal = stepOf(stage, own, { step: "signal", ended: { state: "completed" } })
    yield* stage.insert([signal, stepOf(stage, own, { ended: { state: "skipped" } })])
    yield* stage.insert([signal])
    equal((yield* progressOf(stage, own)).wakes, 1, "How often it was woken")
    equal(yield* ownClaims(stage, worker), [[own, 2]], "Once a step has ended")
  }),

  scene("A task that waits is not claimed until it is woken", function* (stage) {
    const worker = yield* stage.worker()
    const own = stage.newTask({ ...ownTask, queue: stage.otherQueue, state: "waiting" })
    const step = stepOf(stage, own.id)
    yield* stage.insert([own, step])
    equal(yield* ownClaims(stage, worker), [], "While it waits")
    equal((yield* stage.read(own.id)).state, "waiting", "The state")
    yield* stage.attempt(worker, failed())
    equal(yield* ownClaims(stage, worker), [], "After an attempt that is repeated")
    yield* stage.attempt(worker, completed())
    equal((yield* stage.read(own.id)).state, "ready", "The state when it was woken")
    const held = yield* stage.claimOne(worker, stage.otherQueue)
    equal([held.id, held.lease, held.version], [own.id, 1, "v1"], "What is claimed")
    yield* stage.settle(held, advanced([], 1))
    equal(yield* ownClaims(stage, worker), [], "When it waits again")
    const [left] = yield* stage.driver.find({ states: ["waiting"], limit: 1 })
    equal([left?.id, left?.lease], [own.id, 1], "What waits")
  }),

  scene("A task that was woken since it looked does not wait", function* (stage) {
    const { own, held, worker } = yield* conducted(stage)
    const { wakes } = yield* progressOf(stage, own)
    yield* stage.insert([stepOf(stage, own)])
    yield* stage.attempt(worker, completed())
    equal((yield* stage.settle(held, advanced([], wakes))).status, "applied", "The answer")
    const again = yield* stage.claimOne(worker, stage.otherQueue)
    equal([again.id, again.lease], [own, 2], "It is ready at once")
    yield* stage.settle(again, advanced([], (yield* progressOf(stage, own)).wakes))
    equal(yield* ownClaims(stage, worker), [], "Nothing has happened since")
  }),

  scene("What a change starts is stored if the change applies, and only then", function* (stage) {
    const { own, held, worker } = yield* conducted(stage)
    const change = (lease: number, starts: ReadonlyArray<Driver.NewTask>) =>
      settling({ ...held, lease }, advanced(starts, 0))
    const steps = [stepOf(stage, own), stepOf(stage, own, { ended: { state: "completed" } })]
    yield* stage.driver.settle([change(2, [stepOf(stage, own)])])
    equal(yield* stepsOf(stage, own), [], "With another lease")
    yield* stage.driver.settle([change(1, steps)])
    equal((yield* stepsOf(stage, own)).map(({ id }) => id), steps.map(({ id }) => id), "Its steps")
    const before = yield* progressOf(stage, own)
    yield* stage.driver.settle([change(1, [...steps, stepOf(stage, own)])])
    equal(yield* progressOf(stage, own), before, "How far it is after a repeated call")
    equal((yield* stepsOf(stage, own)).length, 2, "How many steps there are then")
    equal([before.wakes, yield* ownClaims(stage, worker)], [0, []], "It knows what it starts")
    equal((yield* stage.claimOne(worker)).id, steps[0]!.id, "The step that is claimed")
  }),

  scene("A change can start thousands of tasks", function* (stage) {
    const { own, held, worker } = yield* conducted(stage)
    const steps = Array.from({ length: 3000 }, (_, index) => stepOf(stage, own, { index }))
    yield* stage.settle(held, advanced(steps, 0))
    const [counts] = (yield* progressOf(stage, own)).steps
    equal(counts, { ...none, step: "pack", tasks: 3000 }, "The counts")
    const first = yield* stage.claim(worker, 5)
    equal(first.map(({ index }) => index), [0, 1, 2, 3, 4], "The order in which they are claimed")
  }),

  scene("A step that ends wakes its run once all of its tasks have ended", function* (stage) {
    const { own, worker } = yield* waiting(stage)
    yield* stage.insert([1, 2, 3].map(() => stepOf(stage, own, { onExhausted: "collect" })))
    yield* stage.insert([stepOf(stage, own, { step: "other", queue: "elsewhere" })])
    const held = yield* stage.claim(worker, 3)
    yield* stage.settle(held[0]!, completed())
    yield* stage.settle(held[1]!, failedForGood)
    equal(yield* ownClaims(stage, worker), [], "While a task of it is open")
    yield* stage.settle(held[2]!, completed())
    equal(yield* ownClaims(stage, worker), [[own, 2]], "Once all have ended")
    equal((yield* progressOf(stage, own)).wakes, 1, "How often it was woken")
  }),

  scene("A report that wakes does so at once", function* (stage) {
    const { own, worker } = yield* waiting(stage)
    yield* stage.insert([1, 2, 3].map(() => stepOf(stage, own)))
    yield* stage.attempt(worker, failedForGood)
    equal(yield* ownClaims(stage, worker), [[own, 2]], "A task has failed for good")
    const open = yield* stage.claim(worker, 2)
    yield* stage.cancel(...open.map(({ id }) => id))
    equal((yield* progressOf(stage, own)).wakes, 2, "Of two reports at a time it is woken once")
  }),

  scene("A decision on a run sees all tasks below it", function* (stage) {
    const { own, worker } = yield* waiting(stage)
    const sub = stage.newTask({ ...ownTask, step: "sub", parent: own, state: "waiting" })
    const below = stepOf(stage, sub.id)
    const ended = stepOf(stage, own, { ended: { state: "completed" }, step: "first" })
    yield* stage.insert([sub, below, ended, stage.newTask(), ...stage.newTasks(1, ownTask)])
    yield* stage.claim(worker, 1)
    const seen: Array<Task.Task> = []
    const settled = yield* stage.driver.transact({ _tag: "Runs", ids: [own] }, (tasks) => {
      seen.splice(0, seen.length, ...tasks)
      return cancelling(tasks)
    })
    equal(
      seen.map(({ id, state, branch }) => [id, state, branch?.parent]),
      [
        [own, "ready", undefined],
        [sub.id, "waiting", own],
        [below.id, "running", sub.id],
        [ended.id, "completed", own],
      ],
      "What it sees",
    )
    equal(settled.map(({ status }) => status), ["applied", "applied", "applied"], "The answers")
    const left = yield* stepsOf(stage, own)
    equal(left.map(({ state }) => state), ["cancelled", "completed"], "Its steps")
    equal((yield* stage.read(below.id)).state, "cancelled", "The step of the run below")
    const steps = (yield* progressOf(stage, own)).steps
    equal(
      steps.map(({ step, cancelled }) => [step, cancelled]),
      [["first", 0], ["sub", 1]],
      "Counts",
    )
  }),

  scene("The task of a step is pruned only after its run", function* (stage) {
    const { own, held, worker } = yield* conducted(stage)
    yield* stage.insert([stepOf(stage, own)])
    yield* stage.attempt(worker, completed())
    const request = { olderThanMillis: 0, limit: 100 }
    equal(yield* stage.driver.prune(request), 0, "While the run is there")
    yield* stage.settle(held, completed())
    equal(yield* stage.driver.prune(request), 2, "When the run has ended")
    equal(yield* stepsOf(stage, own), [], "What is left")
    equal(yield* stage.driver.progress([own]), [], "How far it is")
  }),

  scene("Progress counts the tasks of each step, and how they ended", function* (stage) {
    const { own, worker } = yield* conducted(stage)
    yield* stage.insert([
      ...[1, 2, 3, 4].map(() => stepOf(stage, own, { onExhausted: "skip" })),
      ...[1, 2].map(() => stepOf(stage, own, { step: "a_first", queue: "elsewhere" })),
      stepOf(stage, own, { ended: { state: "skipped" } }),
    ])
    const held = yield* stage.claim(worker, 3)
    yield* stage.settle(held[0]!, completed())
    yield* stage.settle(held[1]!, failedForGood)
    yield* stage.settle(held[2]!, failed(1000))
    const [open] = yield* stage.driver.find({ parents: [own], steps: ["a_first"], limit: 1 })
    yield* stage.cancel(open!.id)
    const first = { ...none, step: "a_first", tasks: 2 }
    const pack = { ...none, step: "pack", tasks: 5, completed: 1, skipped: 2 }
    equal((yield* progressOf(stage, own)).steps, [{ ...first, cancelled: 1 }, pack], "The counts")
    yield* stage.retry(open!.id)
    equal((yield* progressOf(stage, own)).steps, [first, pack], "After one runs again")
  }),

  scene("Progress tells why a run is unwinding, until it is retried", function* (stage) {
    const { own, held, worker } = yield* conducted(stage)
    equal((yield* progressOf(stage, own)).ending, undefined, "Before")
    const why = failure("a step failed")
    yield* stage.settle(held, { _tag: "Unwinding", failure: why })
    equal((yield* progressOf(stage, own)).ending, why, "While it unwinds")
    const again = yield* stage.claimOne(worker, stage.otherQueue)
    equal((yield* progressOf(stage, own)).ending, why, "While it is conducted")
    yield* stage.settle(again, failedForGood)
    equal((yield* progressOf(stage, own)).ending, why, "When it has ended")
    yield* stage.retry(own)
    equal((yield* progressOf(stage, own)).ending, undefined, "After it was retried")
  }),

  scene("A run that does not exist has no progress", function* (stage) {
    const { own } = yield* conducted(stage)
    const ids = [stage.id(999), own, "no id", own]
    const found = yield* stage.driver.progress(ids)
    equal(found, [{ id: own, wakes: 0, ending: undefined, steps: [] }], "The answer")
  }),

  scene("Tasks of steps are found page by page", function* (stage) {
    const { own } = yield* conducted(stage)
    const tasks = Array.from(
      { length: 7 },
      (_, index) => stepOf(stage, own, { step: index % 3 === 0 ? "other" : "pack" }),
    )
    yield* stage.insert([...tasks, ...stage.newTasks(3)])
    const page = (query: Omit<Driver.FindQuery, "limit">) =>
      Effect.map(
        stage.driver.find({ ...query, limit: 2 }),
        (found) => found.map(({ id }) => tasks.findIndex((task) => task.id === id)),
      )
    equal(yield* page({ parents: [own] }), [0, 1], "The first page")
    equal(yield* page({ parents: [own], after: tasks[1]!.id }), [2, 3], "The second page")
    const steps = ["pack", "none"]
    equal(yield* page({ parents: [own], steps }), [1, 2], "The first page of a step")
    equal(yield* page({ parents: [own], steps, after: tasks[2]!.id }), [4, 5], "The second one")
    equal(yield* page({ parents: [own], steps, after: tasks[5]!.id }), [], "The last one")
    equal(yield* page({ ids: [tasks[6]!.id, stage.id(999)] }), [6], "By id")
    equal(yield* page({ ids: [tasks[6]!.id], steps }), [], "By id and step")
  }),
]

const ownTask = { flowType: "flow", step: "own", version: "v1" } as const

const none = { tasks: 0, completed: 0, failed: 0, cancelled: 0, skipped: 0 }

const stepOf = (stage: Stage, parent: Task.TaskId, more: Partial<Driver.NewTask> = {}) =>
  stage.newTask({ flowType: "flow", runId: parent, parent, step: "pack", ...more })

const advanced = (starts: ReadonlyArray<Driver.NewTask>, seen: number): Outcome.Advanced => ({
  _tag: "Advanced",
  starts,
  seen,
})

/** A run whose own task is claimed, from the other queue. */
const conducted = (stage: Stage) =>
  Effect.gen(function* () {
    const held = yield* stage.claimed({ ...ownTask, queue: stage.otherQueue })
    return { own: held.id, held, worker: stage.name("a") }
  })

/** A run that waits. */
const waiting = (stage: Stage) =>
  Effect.tap(conducted(stage), ({ held }) => stage.settle(held, advanced([], 0)))

const ownClaims = (stage: Stage, worker: string) =>
  Effect.map(
    stage.claim(worker, 10, stage.otherQueue),
    (tasks) => tasks.map(({ id, lease }) => [id, lease]),
  )

const progressOf = (stage: Stage, id: Task.TaskId) =>
  Effect.map(stage.driver.progress([id]), ([progress]) => progress!)

const stepsOf = (stage: Stage, id: Task.TaskId) =>
  stage.driver.find({ parents: [id], limit: everything })

const entriesOf = ({ history }: Driver.TaskRecord) =>
  history.map(({ kind, lease }) => [kind, lease])

const cancelling = (tasks: ReadonlyArray<Task.Task>) =>
  tasks.flatMap((task) =>
    Transition.transition(task, { _tag: "CancelRequested", reason: "not needed" }) ?? []
  )
