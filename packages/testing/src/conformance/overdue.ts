/**
 * Cases of tasks that expire where nothing of them has begun in time.
 *
 * @since 0.1.0
 */
import { type Task, Transition } from "@millrace/core"
import { TestClock } from "effect/testing"
import { equal } from "./expect.ts"
import { type Case, everything, scene, type Stage } from "./fixtures.ts"
import { completed, failed, snoozed } from "./outcomes.ts"

const overdueIds = function* (stage: Stage, limit = everything) {
  const seen: Array<string> = []
  yield* stage.driver.transact({ _tag: "Overdue", limit }, (tasks) => {
    seen.push(...tasks.map(({ id }) => id))
    return []
  })
  return seen
}

const expiring = (tasks: ReadonlyArray<Task.Task>): ReadonlyArray<Task.Change> =>
  tasks.flatMap((task) => Transition.transition(task, { _tag: "Expired" }) ?? [])

const sweep = (stage: Stage, limit = everything) =>
  stage.driver.transact({ _tag: "Overdue", limit }, expiring)

/** Cases of expiry.
 * @category cases
 * @since 0.1.0 */
export const overdueCases: ReadonlyArray<Case> = [
  scene("The expiry of a task counts from when it is due, and is read with it", function* (stage) {
    yield* TestClock.adjust(1000)
    const now = yield* stage.insertOne({ expiresMillis: 500 })
    const later = yield* stage.insertOne({ expiresMillis: 500, delayMillis: 2000 })
    const at = yield* stage.insertOne({ expiresMillis: 500, dueAt: 7000 })
    const past = yield* stage.insertOne({ expiresMillis: 500, dueAt: 10 })
    const never = yield* stage.insertOne()
    const found = yield* stage.driver.find({ ids: [now, later, at, past, never], limit: 10 })
    equal(found.map(({ expiresAt }) => expiresAt), [1500, 3500, 7500, 1500, undefined], "Until")
  }),

  scene("Tasks with and without an expiry are stored in one batch", function* (stage) {
    const tasks = [
      stage.newTask({ expiresMillis: 1000 }),
      stage.newTask(),
      stage.newTask({ expiresMillis: 2000, group: "ada" }),
      stage.newTask({ expiresMillis: 3000, flowType: "flow", version: "v1" }),
    ]
    yield* stage.insert(tasks)
    const found = yield* stage.readAll()
    equal(found.map(({ expiresAt }) => expiresAt), [1000, undefined, 2000, 3000], "Until")
  }),

  scene("A claim says how long a task may still begin, where it expires", function* (stage) {
    const worker = yield* stage.worker()
    yield* stage.insert([stage.newTask({ expiresMillis: 1000 }), stage.newTask()])
    yield* TestClock.adjust(400)
    const claimed = yield* stage.claim(worker, 2)
    equal(claimed.map(({ expiresInMillis }) => expiresInMillis), [600, undefined], "Left")
  }),

  scene("A task that has expired is claimed, and has no time left to begin", function* (stage) {
    const worker = yield* stage.worker()
    yield* stage.insert(stage.newTasks(2, { expiresMillis: 1000 }))
    yield* TestClock.adjust(1000)
    equal((yield* stage.claimOne(worker)).expiresInMillis, 0, "At its expiry")
    yield* TestClock.adjust(5)
    equal((yield* stage.claimOne(worker)).expiresInMillis, -5, "After it")
  }),

  scene("A task of a queue with limits is claimed with the time that it has left", function* (
    stage,
  ) {
    yield* stage.driver.limit(stage.queue, { concurrency: 5 })
    const worker = yield* stage.worker()
    yield* stage.insertOne({ expiresMillis: 1000 })
    yield* TestClock.adjust(300)
    equal((yield* stage.claimOne(worker)).expiresInMillis, 700, "Left")
  }),

  scene("A task that was given back before it began still expires", function* (stage) {
    const worker = yield* stage.worker()
    const id = yield* stage.insertOne({ expiresMillis: 1000 })
    yield* stage.attempt(worker, { _tag: "Interrupted" })
    yield* stage.attempt(worker, { _tag: "Snoozed", delayMillis: 0 })
    yield* TestClock.adjust(1000)
    equal(yield* overdueIds(stage), [id], "What is overdue")
    equal((yield* stage.claimOne(worker)).expiresInMillis, 0, "Left")
  }),

  scene("A task of which something has begun does not expire any more", function* (stage) {
    const worker = yield* stage.worker()
    yield* stage.insert(stage.newTasks(3, { expiresMillis: 1000 }))
    yield* stage.attempt(worker, failed(0), 5)
    yield* stage.attempt(worker, { _tag: "Snoozed", delayMillis: 0 }, 5)
    yield* stage.attempt(worker, { _tag: "Interrupted" }, 5)
    yield* TestClock.adjust(1000)
    equal(yield* overdueIds(stage), [], "What is overdue")
    const claimed = yield* stage.claim(worker, 3)
    equal(claimed.map((task) => task.expiresInMillis), [undefined, undefined, undefined], "Left")
  }),

  scene("A task whose worker was lost has begun, for all that anybody knows", function* (stage) {
    yield* stage.insertOne({ expiresMillis: 1000 })
    yield* stage.crash("lost")
    yield* TestClock.adjust(1000)
    equal(yield* overdueIds(stage), [], "What is overdue")
    equal((yield* stage.claimOne(yield* stage.worker())).expiresInMillis, undefined, "Left")
  }),

  scene("A ready task is overdue from its expiry on, and not before", function* (stage) {
    const id = yield* stage.insertOne({ expiresMillis: 1000 })
    yield* TestClock.adjust(999)
    equal(yield* overdueIds(stage), [], "One millisecond before")
    yield* TestClock.adjust(1)
    equal(yield* overdueIds(stage), [id], "At its expiry")
    equal((yield* stage.read(id)).state, "ready", "What nobody decided on")
  }),

  scene("A running task is not overdue", function* (stage) {
    const task = yield* stage.claimed({ expiresMillis: 1000 })
    yield* TestClock.adjust(2000)
    equal(yield* overdueIds(stage), [], "While it runs")
    yield* stage.settle(task, { _tag: "Interrupted" })
    equal(yield* overdueIds(stage), [task.id], "Once it was given back")
    equal((yield* stage.read(task.id)).state, "ready", "The state")
  }),

  scene("A task that waits for a later look is overdue too", function* (stage) {
    const id = yield* stage.insertOne({ expiresMillis: 1000 })
    yield* stage.attempt(yield* stage.worker(), snoozed(60_000))
    yield* TestClock.adjust(1000)
    equal(yield* overdueIds(stage), [id], "What is overdue")
  }),

  scene("A task that has ended is not overdue", function* (stage) {
    const worker = yield* stage.worker()
    yield* stage.insert(stage.newTasks(2, { expiresMillis: 1000 }))
    yield* stage.attempt(worker, completed())
    const [, open] = yield* stage.readAll()
    yield* stage.cancel(open!.id)
    yield* TestClock.adjust(1000)
    equal(yield* overdueIds(stage), [], "What is overdue")
  }),

  scene("Those that expired first are overdue first, up to the limit", function* (stage) {
    const late = yield* stage.insertOne({ expiresMillis: 2000 })
    const first = yield* stage.insertOne({ expiresMillis: 500 })
    const same = yield* stage.insertOne({ expiresMillis: 500 })
    yield* TestClock.adjust(5000)
    equal(yield* overdueIds(stage), [first, same, late], "All")
    equal(yield* overdueIds(stage, 2), [first, same], "Two")
    equal((yield* sweep(stage, 2)).length, 2, "The first sweep")
    equal((yield* sweep(stage, 2)).map(({ taskId }) => taskId), [late], "The second sweep")
    equal(yield* sweep(stage, 2), [], "The third sweep")
  }),

  scene("A task that expired ends cancelled, with no attempt", function* (stage) {
    const id = yield* stage.insertOne({ expiresMillis: 1000 })
    yield* TestClock.adjust(1500)
    const [settled] = yield* sweep(stage)
    equal([settled?.taskId, settled?.status, settled?.kind], [id, "applied", "cancelled"], "It")
    const record = yield* stage.read(id)
    equal([record.state, record.lease, record.expiresAt], ["cancelled", 1, 1000], "The task")
    const [entry] = record.history
    equal([entry!.attempt, entry!.startedAt, entry!.at], [undefined, undefined, 1500], "The entry")
    equal(entry!.failure?.reason, "Expired", "The reason")
    equal(yield* stage.claim(yield* stage.worker()), [], "What is claimed")
  }),

  scene("A worker settles a task that has expired without an attempt", function* (stage) {
    const task = yield* stage.claimed({ expiresMillis: 1000 })
    equal((yield* stage.settle(task, { _tag: "Expired" })).kind, "cancelled", "The answer")
    const record = yield* stage.read(task.id)
    equal([record.state, record.lease, record.failures], ["cancelled", 1, 0], "The task")
    equal(record.history[0]!.attempt, undefined, "The attempt")
    equal((yield* stage.settle(task, { _tag: "Expired" })).status, "already", "Again")
  }),

  scene("A task that is retried by hand after it expired does not expire again", function* (stage) {
    const id = yield* stage.insertOne({ expiresMillis: 1000 })
    yield* TestClock.adjust(1000)
    yield* sweep(stage)
    yield* stage.retry(id)
    equal(yield* overdueIds(stage), [], "What is overdue")
    const task = yield* stage.claimOne(yield* stage.worker())
    equal([task.id, task.expiresInMillis], [id, undefined], "The claim")
  }),

  scene("A task of a paused queue is overdue as any other", function* (stage) {
    yield* stage.driver.limit(stage.queue, { paused: true })
    const id = yield* stage.insertOne({ expiresMillis: 1000 })
    yield* TestClock.adjust(1000)
    equal(yield* stage.claim(yield* stage.worker()), [], "What is claimed")
    equal(yield* overdueIds(stage), [id], "What is overdue")
  }),

  scene("The step that expired wakes its run", function* (stage) {
    const run = stage.newTask({ flowType: "flow", version: "v1", state: "waiting" })
    const step = stage.newTask({
      ...{ flowType: "flow", version: "v1", runId: run.id, parent: run.id, step: "pack" },
      expiresMillis: 1000,
    })
    yield* stage.insert([run, step])
    yield* TestClock.adjust(1000)
    yield* sweep(stage)
    const [progress] = yield* stage.driver.progress([run.id])
    equal([progress!.wakes, progress!.steps[0]!.cancelled], [1, 1], "The run")
    equal((yield* stage.read(run.id)).state, "ready", "Its own task")
  }),

  scene("A task that expires and was removed may be stored anew", function* (stage) {
    const task = stage.newTask({ expiresMillis: 1000 })
    yield* stage.insert([task])
    yield* TestClock.adjust(1000)
    yield* sweep(stage)
    yield* stage.driver.prune({ olderThanMillis: 0, limit: 10 })
    yield* stage.insert([task])
    equal((yield* stage.read(task.id)).expiresAt, 2000, "Until")
    yield* TestClock.adjust(1000)
    equal(yield* overdueIds(stage), [task.id], "What is overdue")
  }),
]
