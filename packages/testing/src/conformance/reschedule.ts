/**
 * Cases of rescheduling by hand.
 *
 * @since 0.1.0
 */
import type { Task } from "@millrace/core"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { equal } from "./expect.ts"
import { type Case, scene, type Stage } from "./fixtures.ts"
import { completed, failed, failedForGood } from "./outcomes.ts"

const to = (stage: Stage, id: Task.TaskId, delayMillis: number, dueAt?: number) =>
  stage.happen([id], { _tag: "RescheduleRequested", delayMillis, dueAt })

const claimable = (stage: Stage, worker: string) =>
  Effect.map(stage.claim(worker, 10), (tasks) => tasks.map(({ id }) => id))

/** Cases of rescheduling by hand.
 * @category cases
 * @since 0.1.0 */
export const rescheduleCases: ReadonlyArray<Case> = [
  scene("A task that is rescheduled is claimed at its new time, and not before", function* (stage) {
    const worker = yield* stage.worker()
    const ready = yield* stage.insertOne()
    const scheduled = yield* stage.insertOne({ delayMillis: 500 })
    for (const id of [ready, scheduled]) {
      const [settled] = yield* to(stage, id, 2000)
      equal([settled?.kind, settled?.status], ["rescheduled", "applied"], "The answer")
      equal((yield* stage.read(id)).dueAt, 2000, "When it is due")
    }
    yield* TestClock.adjust(1999)
    equal(yield* claimable(stage, worker), [], "Before")
    yield* TestClock.adjust(1)
    equal(yield* claimable(stage, worker), [ready, scheduled], "At its time")
  }),

  scene("A task that is rescheduled to an instant is due at that instant", function* (stage) {
    yield* TestClock.setTime(1000)
    const ahead = yield* stage.insertOne()
    yield* to(stage, ahead, 0, 5000)
    equal((yield* stage.read(ahead)).dueAt, 5000, "When it is due")
    const over = yield* stage.insertOne({ delayMillis: 60_000 })
    yield* to(stage, over, 0, 999)
    const old = yield* stage.insertOne({ delayMillis: 60_000 })
    yield* to(stage, old, 0, -62_167_219_200_000)
    equal((yield* stage.read(over)).dueAt, undefined, "An instant that is over")
    equal(yield* claimable(stage, yield* stage.worker()), [over, old], "What is due")
  }),

  scene("A scheduled task that is rescheduled to now can be claimed at once", function* (stage) {
    const worker = yield* stage.worker()
    const id = yield* stage.insertOne({ delayMillis: 60_000 })
    const lanes = [{ queue: stage.queue, limit: 1 }]
    yield* stage.driver.claim({ worker, lanes, waits: true })
    yield* to(stage, id, 0)
    equal((yield* stage.read(id)).dueAt, undefined, "When it is due")
    equal(yield* claimable(stage, worker), [id], "What is claimed")
  }),

  scene("A task that is rescheduled keeps its history, its counts and its priority", function* (
    stage,
  ) {
    const worker = yield* stage.worker()
    const id = yield* stage.insertOne({ priority: 2, maxAttempts: 5 })
    const other = yield* stage.insertOne({ priority: 7 })
    yield* stage.attempt(worker, failed(1000))
    yield* to(stage, id, 0)
    const { failures, history, lease, state } = yield* stage.read(id)
    equal([state, failures, lease], ["ready", 1, 2], "The task")
    equal(
      history.map(({ attempt, kind, lease }) => [kind, lease, attempt]),
      [["failed", 1, 1], ["rescheduled", 2, undefined]],
      "The history",
    )
    equal(yield* claimable(stage, worker), [id, other], "The order of claiming")
  }),

  scene("A task that is rescheduled comes after those of its priority that are ready", function* (
    stage,
  ) {
    const [first, second] = [yield* stage.insertOne(), yield* stage.insertOne()]
    yield* to(stage, first, 0)
    equal(yield* claimable(stage, yield* stage.worker()), [second, first], "The order of claiming")
  }),

  scene("Only a task that is ready is rescheduled", function* (stage) {
    const done = yield* stage.claimed()
    yield* stage.settle(done, completed())
    const dead = yield* stage.claimed()
    yield* stage.settle(dead, failedForGood)
    const cancelled = yield* stage.insertOne()
    yield* stage.cancel(cancelled)
    const running = yield* stage.claimed()
    const waiting = yield* stage.insertOne({ flowType: "flow", state: "waiting" })
    const before = yield* stage.readAll()
    for (const id of [done.id, dead.id, cancelled, running.id, waiting]) {
      equal(yield* to(stage, id, 1000), [], "The answer")
    }
    equal(yield* stage.readAll(), before, "The tasks")
  }),

  scene(
    "A task that has begun keeps its turn among those of its key when it is put off",
    function* (
      stage,
    ) {
      const worker = yield* stage.worker()
      const first = yield* stage.insertOne({ group: "a" })
      const second = yield* stage.insertOne({ group: "a" })
      yield* stage.attempt(worker, failed(500))
      yield* to(stage, first, 1000)
      yield* TestClock.adjust(999)
      equal(yield* claimable(stage, worker), [], "While it is put off")
      yield* TestClock.adjust(1)
      const task = yield* stage.claimOne(worker)
      equal(task.id, first, "What is claimed then")
      yield* stage.settle(task, completed())
      equal(yield* claimable(stage, worker), [second], "What is claimed after it")
    },
  ),

  scene("A task of a key that is put off by hand holds up nobody until it has begun", function* (
    stage,
  ) {
    const [first] = yield* stage.insert(stage.newTasks(3, { group: "a" }))
    const worker = yield* stage.worker()
    yield* to(stage, first!, 5000)
    yield* to(stage, first!, 6000)
    yield* stage.attempt(worker, completed())
    yield* stage.attempt(worker, completed())
    yield* TestClock.adjust(6000)
    const begun = yield* stage.claimOne(worker)
    const last = yield* stage.insertOne({ group: "a" })
    equal(begun.id, first!, "What is claimed once it is due")
    yield* stage.settle(begun, failed(1000))
    equal(yield* stage.claim(worker, 10), [], "What is claimed while it waits, having begun")
    yield* TestClock.adjust(1000)
    const again = yield* stage.claimOne(worker)
    equal(again.id, first!, "What is claimed first")
    yield* stage.settle(again, completed())
    equal((yield* stage.claimOne(worker)).id, last, "What is claimed then")
  }),

  scene("What was put off by hand does not overtake what has begun of its key", function* (stage) {
    const [first, second] = yield* stage.insert(stage.newTasks(2, { group: "a" }))
    const worker = yield* stage.worker()
    const begun = yield* stage.claimOne(worker)
    yield* to(stage, second!, 1000)
    yield* TestClock.adjust(1000)
    equal(yield* stage.claim(worker, 10), [], "What is claimed beside it")
    yield* stage.settle(begun, failed(1000))
    yield* TestClock.adjust(1000)
    const again = yield* stage.claimOne(worker)
    equal(again.id, first!, "What is claimed first")
    yield* stage.settle(again, completed())
    equal((yield* stage.claimOne(worker)).id, second!, "What is claimed then")
  }),

  scene("Of a reschedule and a claim at one time exactly one is first", function* (stage) {
    const worker = yield* stage.worker()
    for (let round = 0; round < 10; round++) {
      const id = yield* stage.insertOne()
      const [tasks] = yield* Effect.all([stage.claim(worker), to(stage, id, 60_000)], {
        concurrency: "unbounded",
      })
      const { dueAt, state } = yield* stage.read(id)
      const claimed = tasks.length === 1
      equal([state, dueAt !== undefined], [claimed ? "running" : "ready", !claimed], "The task")
    }
  }),
]
