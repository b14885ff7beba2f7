/**
 * Cases of settling: what applies, and what a repeated or a late call is told.
 *
 * @since 0.1.0
 */
import { Transition } from "@millrace/core"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { equal, equalJson, that } from "./expect.ts"
import { type Case, scene, settling } from "./fixtures.ts"
import { completed, failed, failedForGood, interrupted, snoozed } from "./outcomes.ts"

/** Cases of settling.
 * @category cases
 * @since 0.1.0 */
export const settleCases: ReadonlyArray<Case> = [
  scene("Settling with the lease of the claim applies", function* (stage) {
    const task = yield* stage.claimed()
    const settled = yield* stage.settle(task, completed("42"))
    equal([settled.taskId, settled.status], [task.id, "applied"], "The answer")
    const record = yield* stage.read(task.id)
    equal(record.state, "completed", "The state")
    equal(record.history.map(({ kind, lease }) => [kind, lease]), [["completed", 1]], "The history")
    equalJson(record.history[0]!.output, "42", "The output")
  }),

  scene("Settling again with the same lease answers what was stored", function* (stage) {
    const task = yield* stage.claimed()
    yield* stage.settle(task, completed())
    const before = yield* stage.read(task.id)
    const again = yield* stage.settle(task, completed())
    equal([again.status, again.kind], ["already", "completed"], "The answer")
    equal(yield* stage.read(task.id), before, "The task")
  }),

  scene("Settling with another lease changes nothing", function* (stage) {
    const task = yield* stage.claimed()
    const before = yield* stage.read(task.id)
    for (const lease of [0, 2, 99]) {
      const settled = yield* stage.settle({ ...task, lease }, completed())
      equal(settled.status, "stale", `The answer to lease ${lease}`)
    }
    equal(yield* stage.read(task.id), before, "The task")
    equal((yield* stage.settle(task, completed())).status, "applied", "The right lease")
  }),

  scene("Of two changes of one task in a batch each needs its own lease", function* (stage) {
    // Of one claim the other task still runs, so that the claim is not over.
    yield* stage.insertOne()
    yield* stage.insertOne()
    const [task] = yield* stage.claim(yield* stage.worker(), 2)
    that(task !== undefined, "a task is claimed")
    yield* stage.settle(task!, interrupted)
    const settled = yield* stage.driver.settle([
      settling(task!, completed()),
      settling({ ...task!, lease: 2 }, completed()),
    ])
    equal(settled.map(({ status }) => status), ["already", "stale"], "The answers")
    equal((yield* stage.read(task!.id)).state, "ready", "The state")
  }),

  scene("A change of a ready task with another lease leaves it ready", function* (stage) {
    const worker = yield* stage.worker()
    yield* stage.insertOne()
    const before = yield* stage.attempt(worker, interrupted)
    const late = Transition.transition({ ...before, state: "ready", lease: 0 }, {
      _tag: "CancelRequested",
      reason: "late",
    })!
    const [settled] = yield* stage.driver.settle([late])
    equal([settled!.status, settled!.kind], ["already", "interrupted"], "The answer")
    equal((yield* stage.claimOne(worker)).id, before.id, "The task that is claimed")
  }),

  scene("A task that goes back to ready keeps its history and its counts", function* (stage) {
    yield* stage.insertOne({ maxAttempts: 10 })
    const worker = yield* stage.worker()
    for (const outcome of [failed(), snoozed(), failed(), interrupted]) {
      yield* stage.attempt(worker, outcome)
    }
    const task = yield* stage.claimOne(worker)
    equal([task.failures, task.crashes, task.lease], [2, 0, 5], "The numbers at the next claim")
    const { history } = yield* stage.read(task.id)
    equal(
      history.map(({ kind, lease, attempt }) => [kind, lease, attempt]),
      [["failed", 1, 1], ["snoozed", 2, 2], ["failed", 3, 2], ["interrupted", 4, 3]],
      "The history",
    )
  }),

  scene(
    "A success whose reply was lost is saved once, and is no failure of the handler",
    function* (
      stage,
    ) {
      const task = yield* stage.claimed({ maxAttempts: 1 })
      const change = settling(task, completed("42"))
      yield* stage.driver.settle([change])
      yield* stage.driver.settle([change])
      const record = yield* stage.read(task.id)
      equal([record.state, record.failures, record.history.length], ["completed", 0, 1], "The task")
    },
  ),

  scene("The first outcome of a lease stands, whatever comes after it", function* (stage) {
    const task = yield* stage.claimed()
    yield* stage.settle(task, completed("1"))
    for (const outcome of [failedForGood, snoozed(), completed("2")]) {
      const settled = yield* stage.settle(task, outcome)
      equal([settled.status, settled.kind], ["already", "completed"], `The answer`)
    }
    equalJson((yield* stage.read(task.id)).history[0]!.output, "1", "The output")
  }),

  scene("An old lease is told its outcome, also when later attempts ran", function* (stage) {
    yield* stage.insertOne()
    const worker = yield* stage.worker()
    const first = yield* stage.attempt(worker, failed())
    const second = yield* stage.attempt(worker, snoozed())
    yield* stage.claimOne(worker)
    const answers = []
    for (const task of [first, second]) {
      const { status, kind } = yield* stage.settle(task, completed())
      answers.push([status, kind])
    }
    equal(answers, [["already", "failed"], ["already", "snoozed"]], "The answers")
    equal((yield* stage.read(first.id)).state, "running", "The state")
  }),

  scene("A settled task is not claimed again", function* (stage) {
    yield* stage.settle(yield* stage.claimed(), completed())
    equal(yield* stage.claim(stage.name("a"), 10), [], "What can be claimed")
  }),

  scene("Settling nothing answers nothing", function* (stage) {
    equal(yield* stage.driver.settle([]), [], "The answer")
  }),

  scene("Settling a task that does not exist is stale", function* (stage) {
    const task = yield* stage.claimed()
    const settled = yield* stage.settle({ ...task, id: stage.id(999) }, completed())
    equal([settled.taskId, settled.status], [stage.id(999), "stale"], "The answer")
  }),

  scene("Settling a task that was never claimed is stale", function* (stage) {
    const task = yield* stage.claimed()
    const id = yield* stage.insertOne()
    equal((yield* stage.settle({ ...task, id }, completed())).status, "stale", "The answer")
    equal((yield* stage.claim(stage.name("a"), 10)).length, 1, "What can be claimed")
  }),

  scene(
    "Each change of a batch is answered by itself, in the order of the batch",
    function* (stage) {
      yield* stage.insert([9, 3, 7, 1].map((number) => stage.newTask({ id: stage.id(number) })))
      const [a, b, c, d] = yield* stage.claim(yield* stage.worker(), 4)
      yield* stage.settle(b!, failed())
      const unknown = { ...a!, id: stage.id(99) }
      const answers = yield* stage.driver.settle([
        settling(d!, completed()),
        settling(b!, completed()),
        settling({ ...c!, lease: 5 }, completed()),
        settling(unknown, completed()),
        settling(a!, failedForGood),
      ])
      equal(
        answers.map(({ taskId, status, kind }) => [taskId, status, status === "stale" ? "" : kind]),
        [
          [d!.id, "applied", "completed"],
          [b!.id, "already", "failed"],
          [c!.id, "stale", ""],
          [unknown.id, "stale", ""],
          [a!.id, "applied", "failed"],
        ],
        "The answers",
      )
    },
  ),

  scene("Of two changes with one lease in one batch the first applies", function* (stage) {
    const task = yield* stage.claimed()
    const answers = yield* stage.driver.settle([
      settling(task, completed("1")),
      settling(task, failed()),
    ])
    equal(
      answers.map(({ status, kind }) => [status, kind]),
      [["applied", "completed"], ["already", "completed"]],
      "The answers",
    )
    const record = yield* stage.read(task.id)
    equal([record.state, record.history.length], ["completed", 1], "The task")
  }),

  scene("Concurrent settles of one lease apply once", function* (stage) {
    const task = yield* stage.claimed()
    const answers = yield* Effect.forEach(
      [completed("1"), failed(), snoozed(), completed("2"), failedForGood, interrupted],
      (outcome) => stage.settle(task, outcome),
      { concurrency: "unbounded" },
    )
    const applied = answers.filter(({ status }) => status === "applied")
    equal(applied.length, 1, "The applied changes")
    that(answers.every(({ status }) => status !== "stale"), "No answer is stale")
    equal([...new Set(answers.map(({ kind }) => kind))], [applied[0]!.kind], "The told outcomes")
    equal((yield* stage.read(task.id)).history.length, 1, "The history")
  }),

  scene("Concurrent batches that overlap in other orders both end", function* (stage) {
    yield* stage.insert(stage.newTasks(40))
    const tasks = yield* stage.claim(yield* stage.worker(), 40)
    const changes = tasks.map((task) => settling(task, completed()))
    const answers = yield* Effect.all(
      [changes, changes.toReversed()].map((batch) => stage.driver.settle(batch)),
      { concurrency: "unbounded" },
    )
    const applied = answers.flat().filter(({ status }) => status === "applied")
    equal([answers.flat().length, applied.length], [80, 40], "The answers and the applied changes")
  }),

  scene("A batch of 1,000 is settled", function* (stage) {
    yield* stage.insert(stage.newTasks(1000))
    const tasks = yield* stage.claim(yield* stage.worker(), 1000)
    const answers = yield* stage.driver.settle(
      tasks.map((task, index) => settling(task, completed(String(index)))),
    )
    equal(answers.filter(({ status }) => status === "applied").length, 1000, "The applied changes")
    const found = yield* stage.readAll()
    equal(
      found.map(({ history }) => Number(history[0]!.output)),
      tasks.map((_, index) => index),
      "The outputs",
    )
  }),

  scene("A task is settled while its neighbours of one claim still run", function* (stage) {
    yield* stage.insert(stage.newTasks(3))
    const tasks = yield* stage.claim(yield* stage.worker(), 3)
    yield* stage.settle(tasks[1]!, completed())
    const states = (yield* stage.readAll()).map(({ state }) => state)
    equal(states, ["running", "completed", "running"], "The states")
  }),

  scene("The history tells when an attempt started and ended", function* (stage) {
    const task = yield* stage.claimed()
    yield* TestClock.adjust(2500)
    yield* stage.settle(task, completed(), 2000)
    const [entry] = (yield* stage.read(task.id)).history
    equal([entry!.startedAt, entry!.at], [500, 2500], "The instants")
  }),

  scene("An attempt that never started has no start in the history", function* (stage) {
    const task = yield* stage.claimed()
    yield* stage.settle(task, interrupted)
    const [entry] = (yield* stage.read(task.id)).history
    equal(entry!.startedAt, undefined, "The start")
  }),

  scene("An elapsed time with a fraction of a millisecond is stored", function* (stage) {
    const task = yield* stage.claimed()
    yield* TestClock.adjust(1000)
    yield* stage.settle(task, completed(), 12.345)
    const [entry] = (yield* stage.read(task.id)).history
    that(Math.abs(entry!.startedAt! - 987.655) <= 1, `The start, got ${entry!.startedAt}`)
  }),
]
