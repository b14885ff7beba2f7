/**
 * Cases of cancelling, in each state.
 *
 * @since 0.1.0
 */
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { equal, that } from "./expect.ts"
import { type Case, scene } from "./fixtures.ts"
import { completed, failed } from "./outcomes.ts"

/** Cases of cancelling.
 * @category cases
 * @since 0.1.0 */
export const cancelCases: ReadonlyArray<Case> = [
  scene("A ready task that is cancelled never runs", function* (stage) {
    const id = yield* stage.insertOne()
    const [settled] = yield* stage.cancel(id)
    equal([settled?.taskId, settled?.status, settled?.kind], [id, "applied", "cancelled"], "Answer")
    equal((yield* stage.read(id)).state, "cancelled", "The state")
    equal(yield* stage.claim(yield* stage.worker(), 10), [], "What can be claimed")
  }),

  scene("A scheduled task that is cancelled never runs", function* (stage) {
    const id = yield* stage.insertOne({ delayMillis: 1000 })
    yield* stage.cancel(id)
    const record = yield* stage.read(id)
    equal([record.state, record.dueAt], ["cancelled", undefined], "The task")
    yield* TestClock.adjust(1000)
    equal(yield* stage.claim(yield* stage.worker(), 10), [], "What can be claimed")
  }),

  scene("A task that waits for its retry never runs again once it is cancelled", function* (stage) {
    const task = yield* stage.claimed()
    yield* stage.settle(task, failed(1000))
    yield* stage.cancel(task.id)
    const record = yield* stage.read(task.id)
    equal([record.state, record.failures, record.lease], ["cancelled", 1, 2], "The task")
    yield* TestClock.adjust(1000)
    equal(yield* stage.claim(yield* stage.worker(), 10), [], "What can be claimed")
  }),

  scene("A running task that is cancelled has ended, whatever its worker says later", function* (
    stage,
  ) {
    const task = yield* stage.claimed()
    yield* stage.cancel(task.id)
    const before = yield* stage.read(task.id)
    equal([before.state, before.lease], ["cancelled", 1], "The task")
    const late = yield* stage.settle(task, completed())
    equal([late.status, late.kind], ["already", "cancelled"], "The answer to the worker")
    equal(yield* stage.read(task.id), before, "The task afterwards")
  }),

  scene("A completion that won the race against a cancel stands", function* (stage) {
    const task = yield* stage.claimed()
    yield* stage.settle(task, completed())
    equal(yield* stage.cancel(task.id), [], "The answer to the cancel")
    equal((yield* stage.read(task.id)).state, "completed", "The state")
  }),

  scene("Of a cancel and a completion at one time exactly one stands", function* (stage) {
    yield* stage.insert(stage.newTasks(10))
    for (const task of yield* stage.claim(yield* stage.worker(), 10)) {
      yield* Effect.all([stage.cancel(task.id), stage.settle(task, completed())], {
        concurrency: "unbounded",
      })
      const { state, history } = yield* stage.read(task.id)
      equal(history.map(({ kind }) => String(kind)), [state], "The history and the state")
    }
  }),

  scene("Of a cancel and a claim at one time the cancel stands", function* (stage) {
    const worker = yield* stage.worker()
    for (let round = 0; round < 10; round++) {
      const id = yield* stage.insertOne()
      yield* Effect.all([stage.claim(worker), stage.cancel(id)], { concurrency: "unbounded" })
      equal((yield* stage.read(id)).state, "cancelled", "The state")
    }
    equal(yield* stage.claim(worker, 99), [], "What can be claimed")
  }),

  scene("Cancelling twice keeps the first reason", function* (stage) {
    const id = yield* stage.insertOne()
    yield* stage.happen([id], { _tag: "CancelRequested", reason: "first" })
    const again = yield* stage.happen([id], { _tag: "CancelRequested", reason: "second" })
    equal(again, [], "The second answer")
    const { history } = yield* stage.read(id)
    equal(history.map(({ failure }) => failure?.message), ["first"], "The reasons")
  }),

  scene("A cancel is written with its reason, and with an attempt where there was one", function* (
    stage,
  ) {
    const running = yield* stage.claimed()
    const ready = yield* stage.insertOne()
    yield* stage.cancel(running.id, ready)
    const entry = function* (id: string) {
      const { attempt, startedAt, failure, lease } = (yield* stage.read(id)).history[0]!
      return [attempt, lease, startedAt, failure?.reason, failure?.message]
    }
    const rest = [undefined, "Cancelled", "not needed"]
    equal(yield* entry(running.id), [1, 1, ...rest], "Of the running task")
    equal(yield* entry(ready), [undefined, 1, ...rest], "Of the ready task")
  }),

  scene("Many tasks are cancelled at once, whatever their states", function* (stage) {
    const done = yield* stage.claimed()
    yield* stage.settle(done, completed())
    const running = yield* stage.claimed()
    const ready = yield* stage.insertOne()
    const later = yield* stage.insertOne({ delayMillis: 1000 })
    const answers = yield* stage.cancel(done.id, running.id, ready, later, stage.id(999))
    equal(
      answers.map(({ taskId, status }) => `${taskId} ${status}`).sort(),
      [running.id, ready, later].map((id) => `${id} applied`).sort(),
      "The answers",
    )
    const states = (yield* stage.readAll()).map(({ state }) => state)
    equal(states, ["completed", "cancelled", "cancelled", "cancelled"], "The states")
  }),

  scene("1,000 tasks are cancelled at once", function* (stage) {
    const ids = yield* stage.insert(stage.newTasks(1000))
    equal((yield* stage.cancel(...ids)).length, 1000, "The answers")
    equal(yield* stage.claim(yield* stage.worker(), 1000), [], "What can be claimed")
    const states = new Set((yield* stage.readAll()).map(({ state }) => state))
    equal([...states], ["cancelled"], "The states")
  }),

  scene(
    "A cancel reaches the worker with its next heartbeat, without any wakeup",
    function* (stage) {
      const [task, other] = [yield* stage.claimed(), yield* stage.claimed()]
      yield* stage.cancel(task.id)
      const pulse = yield* stage.beat(stage.name("a"), [task, other])
      equal([pulse.live, pulse.lost], [true, [task.id]], "The answer to the heartbeat")
    },
  ),

  scene("Cancelling one task leaves its neighbours alone", function* (stage) {
    const [a, b, c] = yield* stage.insert(stage.newTasks(3))
    yield* stage.cancel(b!)
    const claimed = yield* stage.claim(yield* stage.worker(), 10)
    equal(claimed.map(({ id }) => id), [a!, c!], "The claimed tasks")
    that(claimed.every(({ lease }) => lease === 1), "Their leases are the first")
  }),
]
