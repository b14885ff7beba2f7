/**
 * Cases of decisions on locked tasks.
 *
 * @since 0.1.0
 */
import { type Task, Transition } from "@millrace/core"
import { Effect } from "effect"
import { equal, fails, that } from "./expect.ts"
import { type Case, scene, settling } from "./fixtures.ts"
import { completed, failed } from "./outcomes.ts"

const cancel = (task: Task.Task) =>
  Transition.transition(task, { _tag: "CancelRequested", reason: "not needed" }) ?? []

/** Cases of decisions on locked tasks.
 * @category cases
 * @since 0.1.0 */
export const transactCases: ReadonlyArray<Case> = [
  scene("A decision sees each task as it stands", function* (stage) {
    yield* stage.insertOne({ maxAttempts: 5, maxCrashes: 2, awaited: true })
    const worker = yield* stage.worker()
    yield* stage.attempt(worker, failed())
    const task = yield* stage.claimOne(worker)
    const seen: Array<Task.Task> = []
    yield* stage.driver.transact({ _tag: "Tasks", ids: [task.id] }, (tasks) => {
      seen.push(...tasks)
      return []
    })
    equal(
      seen.map(({ id, state, lease, failures, crashes, maxAttempts, maxCrashes, awaited }) => ({
        ...{ id, state, lease, failures, crashes },
        ...{ maxAttempts, maxCrashes, awaited },
      })),
      [{
        ...{ id: task.id, state: "running", lease: 2, failures: 1, crashes: 0 },
        ...{ maxAttempts: 5, maxCrashes: 2, awaited: true },
      }],
      "What is decided on",
    )
  }),

  scene("A task that does not exist is not decided on", function* (stage) {
    const id = yield* stage.insertOne()
    let seen: ReadonlyArray<string> = []
    yield* stage.driver.transact(
      { _tag: "Tasks", ids: [stage.id(98), id, stage.id(99)] },
      (tasks) => {
        seen = tasks.map((task) => task.id)
        return []
      },
    )
    equal(seen, [id], "What is decided on")
  }),

  scene("An id that is given twice is decided on once", function* (stage) {
    const id = yield* stage.insertOne()
    let seen: ReadonlyArray<string> = []
    yield* stage.driver.transact({ _tag: "Tasks", ids: [id, id] }, (tasks) => {
      seen = tasks.map((task) => task.id)
      return []
    })
    equal(seen, [id], "What is decided on")
  }),

  scene("A decision about nothing is no error", function* (stage) {
    equal(yield* stage.cancel(), [], "Of no ids")
    equal(yield* stage.cancel(stage.id(99)), [], "Of an unknown id")
  }),

  scene("A decision that changes nothing answers nothing", function* (stage) {
    const id = yield* stage.insertOne()
    const before = yield* stage.read(id)
    equal(yield* stage.driver.transact({ _tag: "Tasks", ids: [id] }, () => []), [], "The answer")
    equal(yield* stage.read(id), before, "The task")
  }),

  scene("A decision may change some of its tasks", function* (stage) {
    const ids = yield* stage.insert(stage.newTasks(4))
    const answers = yield* stage.driver.transact(
      { _tag: "Tasks", ids },
      (tasks) => tasks.filter(({ id }) => id === ids[1] || id === ids[3]).flatMap(cancel),
    )
    equal(answers.map(({ status }) => status), ["applied", "applied"], "The answers")
    const states = (yield* stage.readAll()).map(({ state }) => state)
    equal(states, ["ready", "cancelled", "ready", "cancelled"], "The states")
  }),

  scene("The answers of a decision are in the order of its changes", function* (stage) {
    const ids = yield* stage.insert(stage.newTasks(4))
    const order = [2, 0, 3, 1].map((at) => ids[at]!)
    const answers = yield* stage.driver.transact(
      { _tag: "Tasks", ids },
      (tasks) => order.flatMap((id) => tasks.filter((task) => task.id === id).flatMap(cancel)),
    )
    equal(answers.map(({ taskId }) => taskId), order, "The answers")
  }),

  scene("A decision that throws changes nothing, and the driver works on", function* (stage) {
    const ids = yield* stage.insert(stage.newTasks(2))
    const before = yield* stage.readAll()
    const thrown = stage.driver.transact({ _tag: "Tasks", ids }, () => {
      throw new Error("planned")
    })
    yield* fails(thrown, "The transaction fails")
    equal(yield* stage.readAll(), before, "The tasks")
    equal((yield* stage.cancel(...ids)).length, 2, "The answers to the next decision")
  }),

  scene(
    "A running task can be settled by a decision, with the fence of its lease",
    function* (stage) {
      const task = yield* stage.claimed()
      const [settled] = yield* stage.driver.transact(
        { _tag: "Tasks", ids: [task.id] },
        (tasks) => tasks.map((one) => settling(one, completed("7"))),
      )
      equal([settled?.status, settled?.kind], ["applied", "completed"], "The answer")
      equal((yield* stage.settle(task, completed())).status, "already", "The worker's answer")
    },
  ),

  scene(
    "A change of a decision with an old lease is stale or was applied already",
    function* (stage) {
      yield* stage.insertOne()
      const worker = yield* stage.worker()
      const old = yield* stage.attempt(worker, failed())
      const current = yield* stage.claimOne(worker)
      const answers = yield* stage.driver.transact({ _tag: "Tasks", ids: [old.id] }, () => [
        settling(old, completed()),
        settling({ ...current, lease: 9 }, completed()),
      ])
      equal(answers.map(({ status }) => status), ["already", "stale"], "The answers")
      equal((yield* stage.read(old.id)).state, "running", "The state")
    },
  ),

  scene(
    "Concurrent decisions on the same tasks in other orders both end, and apply once",
    function* (
      stage,
    ) {
      for (let round = 0; round < 5; round++) {
        const ids = yield* stage.insert(stage.newTasks(30))
        const answers = yield* Effect.all(
          [ids, ids.toReversed(), ids].map((some) => stage.cancel(...some)),
          { concurrency: "unbounded" },
        )
        const applied = answers.flat().filter(({ status }) => status === "applied")
        equal(applied.length, 30, "The applied changes")
      }
      const histories = (yield* stage.readAll()).map(({ history }) => history.length)
      that(histories.every((length) => length === 1), "Every task has one line of history")
    },
  ),

  scene("A decision and a settle of the same tasks at one time both end", function* (stage) {
    yield* stage.insert(stage.newTasks(40))
    const tasks = yield* stage.claim(yield* stage.worker(), 40)
    const ids = tasks.map(({ id }) => id)
    yield* Effect.all([
      stage.driver.settle(tasks.map((task) => settling(task, completed()))),
      stage.cancel(...ids.toReversed()),
    ], { concurrency: "unbounded" })
    const found = yield* stage.readAll()
    that(found.every(({ history }) => history.length === 1), "Every task ended once")
    that(
      found.every(({ state, history }) => history[0]!.kind === state),
      "Every task is in the state that its history tells",
    )
  }),
]
