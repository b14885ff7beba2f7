/**
 * Cases of the limits of a queue.
 *
 * @since 0.1.0
 */
import type { Limiting } from "@millrace/core"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { equal } from "./expect.ts"
import { type Case, scene, type Stage } from "./fixtures.ts"
import { completed, failed, interrupted, snoozed } from "./outcomes.ts"

const rate = (count: number, periodMillis: number, burst = count): Limiting.Rate => ({
  ...{ count, periodMillis, burst },
})

/** Claims all that a queue gives, one after the other, and settles it. */
const drained = function* (stage: Stage, worker: string, limit: number) {
  let count = 0
  while (true) {
    const tasks = yield* stage.claim(worker, limit)
    if (tasks.length === 0) return count
    count += tasks.length
    for (const task of tasks) yield* stage.settle(task, completed())
  }
}

const concurrencyCases: ReadonlyArray<Case> = [
  scene("A queue never has more tasks held than its limit, over all workers", function* (stage) {
    yield* stage.driver.limit(stage.queue, { concurrency: 5 })
    yield* stage.insert(stage.newTasks(20))
    const workers = ["a", "b", "c", "d"]
    for (const worker of workers) yield* stage.worker(worker)
    const claims = yield* Effect.forEach(
      [...workers, ...workers],
      (worker) => stage.claim(stage.name(worker), 3),
      { concurrency: "unbounded" },
    )
    equal(claims.flat().length, 5, "The held tasks")
    equal(yield* stage.claim(stage.name("a"), 3), [], "Another claim")
  }),

  scene("A task that is settled, or whose worker is lost, makes room for another", function* (
    stage,
  ) {
    yield* stage.driver.limit(stage.queue, { concurrency: 2 })
    yield* stage.insert(stage.newTasks(6, { maxCrashes: 0 }))
    const worker = yield* stage.worker()
    const [first, second] = yield* stage.claim(worker, 10)
    yield* stage.settle(first!, completed())
    equal((yield* stage.claim(worker, 10)).length, 1, "The room after a completion")
    yield* stage.settle(second!, failed(5000))
    equal((yield* stage.claim(worker, 10)).length, 1, "The room after a failure")
    yield* stage.beat(worker, [], 0)
    const other = yield* stage.worker("b")
    equal(yield* stage.claim(other, 10), [], "The room before the recovery")
    yield* stage.recover()
    equal((yield* stage.claim(other, 10)).length, 2, "The room after it")
  }),

  scene("A task that is cancelled, given back or snoozed makes room", function* (stage) {
    yield* stage.driver.limit(stage.queue, { concurrency: 1 })
    yield* stage.insert(stage.newTasks(4))
    const worker = yield* stage.worker()
    yield* stage.attempt(worker, interrupted)
    yield* stage.attempt(worker, snoozed(1000))
    const task = yield* stage.claimOne(worker)
    yield* stage.cancel(task.id)
    equal((yield* stage.claim(worker, 10)).length, 1, "The room after a cancel")
  }),

  scene("A repeated settle makes no room twice", function* (stage) {
    yield* stage.driver.limit(stage.queue, { concurrency: 2 })
    yield* stage.insert(stage.newTasks(6))
    const worker = yield* stage.worker()
    const [task] = yield* stage.claim(worker, 10)
    yield* stage.settle(task!, completed())
    yield* stage.settle(task!, completed())
    equal((yield* stage.claim(worker, 10)).length, 1, "The room")
  }),

  scene("What is held already counts when a limit is said", function* (stage) {
    yield* stage.insert(stage.newTasks(10))
    yield* stage.insert(stage.newTasks(3, { queue: stage.otherQueue }))
    const worker = yield* stage.worker()
    const { tasks } = yield* stage.driver.claim({
      worker,
      lanes: [{ queue: stage.queue, limit: 4 }, { queue: stage.otherQueue, limit: 2 }],
      waits: false,
    })
    equal(tasks.length, 6, "What was claimed without a limit")
    yield* stage.driver.limit(stage.queue, { concurrency: 5 })
    equal((yield* stage.claim(worker, 10)).length, 1, "The room that is left")
  }),

  scene("The limits that were said last hold, and are answered", function* (stage) {
    const { driver, queue } = stage
    const limits = { concurrency: 3, rate: rate(5, 1000), maxDepth: 10 }
    equal(yield* driver.limit(queue, limits), undefined, "The limits before any were said")
    equal(yield* driver.limit(queue, { concurrency: 1 }), limits, "Those that were said first")
    equal(yield* driver.limit(queue, undefined), { concurrency: 1 }, "Those that hold")
    yield* stage.insert(stage.newTasks(5))
    const worker = yield* stage.worker()
    equal((yield* stage.claim(worker, 10)).length, 1, "What the last allow")
    equal(yield* driver.limit(queue, null), { concurrency: 1 }, "Those that are removed")
    equal(yield* driver.limit(queue, undefined), undefined, "What holds then")
    equal((yield* stage.claim(worker, 10)).length, 4, "What is claimed without limits")
  }),

  scene("A limit that is lowered below what is held lets nothing more through", function* (stage) {
    yield* stage.driver.limit(stage.queue, { concurrency: 4 })
    yield* stage.insert(stage.newTasks(10))
    const worker = yield* stage.worker()
    const tasks = yield* stage.claim(worker, 10)
    yield* stage.driver.limit(stage.queue, { concurrency: 2 })
    for (const task of tasks.slice(0, 2)) yield* stage.settle(task, completed())
    equal(yield* stage.claim(worker, 10), [], "What is claimed at the limit")
    yield* stage.settle(tasks[2]!, completed())
    equal((yield* stage.claim(worker, 10)).length, 1, "What is claimed below it")
  }),

  scene("A queue with a limit keeps the order of its tasks", function* (stage) {
    yield* stage.driver.limit(stage.queue, { concurrency: 100 })
    const ids: Array<string> = []
    for (const priority of [5, 0, 9, 5, 0]) ids.push(yield* stage.insertOne({ priority }))
    const claimed = yield* stage.claim(yield* stage.worker(), 10)
    equal(claimed.map(({ id }) => id), [1, 4, 0, 3, 2].map((at) => ids[at]!), "The order")
  }),

  scene("Queues with limits and without are claimed from at once", function* (stage) {
    yield* stage.driver.limit(stage.queue, { concurrency: 2 })
    yield* stage.insert(stage.newTasks(5))
    yield* stage.insert(stage.newTasks(5, { queue: stage.otherQueue }))
    const { tasks } = yield* stage.driver.claim({
      worker: yield* stage.worker(),
      lanes: [{ queue: stage.otherQueue, limit: 4 }, { queue: stage.queue, limit: 4 }],
      waits: false,
    })
    const of = (queue: string) => tasks.filter((task) => task.queue === queue).length
    equal([of(stage.queue), of(stage.otherQueue)], [2, 4], "The tasks of each queue")
    equal((yield* stage.claim(stage.name("a"), 9, stage.otherQueue)).length, 1, "The rest of one")
  }),

  scene("In a queue with a limit a task that has crashed is claimed alone", function* (stage) {
    yield* stage.driver.limit(stage.queue, { concurrency: 10 })
    const [first] = yield* stage.insert(stage.newTasks(1))
    yield* stage.crash("lost")
    yield* stage.insert(stage.newTasks(3, { queue: stage.otherQueue }))
    yield* stage.insert(stage.newTasks(3))
    const { tasks } = yield* stage.driver.claim({
      worker: yield* stage.worker(),
      lanes: [{ queue: stage.otherQueue, limit: 4 }, { queue: stage.queue, limit: 4 }],
      waits: false,
    })
    equal(tasks.map(({ id }) => id), [first!], "The claimed tasks")
  }),

  scene("A worker whose lease expired claims nothing from a queue with a limit", function* (stage) {
    yield* stage.driver.limit(stage.queue, { concurrency: 10 })
    yield* stage.insertOne()
    const worker = yield* stage.worker("a", 1000)
    yield* TestClock.adjust(1000)
    equal(yield* stage.claim(worker), [], "The claimed tasks")
    equal((yield* stage.claim(yield* stage.worker("b"))).length, 1, "Those of one that lives")
  }),

  scene("Scheduled tasks of a queue with a limit are claimed when they are due", function* (stage) {
    yield* stage.driver.limit(stage.queue, { concurrency: 10 })
    const id = yield* stage.insertOne({ delayMillis: 1000 })
    const worker = yield* stage.worker()
    const request = { worker, lanes: [{ queue: stage.queue, limit: 5 }], waits: false }
    const early = yield* stage.driver.claim(request)
    equal([early.tasks.length, early.nextDueMillis], [0, 1000], "The claim before")
    yield* TestClock.adjust(1000)
    equal((yield* stage.claimOne(worker)).id, id, "The claimed task")
  }),
]

const rateCases: ReadonlyArray<Case> = [
  scene("A queue hands out no more tasks than its rate has tokens", function* (stage) {
    yield* stage.driver.limit(stage.queue, { rate: rate(3, 1000) })
    yield* stage.insert(stage.newTasks(20))
    const worker = yield* stage.worker("a", 600_000)
    equal(yield* drained(stage, worker, 10), 3, "The first tasks")
    yield* TestClock.adjust(333)
    equal(yield* drained(stage, worker, 10), 0, "The tasks before a token")
    yield* TestClock.adjust(1)
    equal(yield* drained(stage, worker, 10), 1, "The tasks of a token")
    yield* TestClock.adjust(999)
    equal(yield* drained(stage, worker, 10), 2, "The tasks before the third token")
    yield* TestClock.adjust(60_000)
    equal(yield* drained(stage, worker, 10), 3, "The tasks after a long rest")
  }),

  scene("A burst is all that a rate lets through at once", function* (stage) {
    yield* stage.driver.limit(stage.queue, { rate: rate(60, 60_000, 1) })
    yield* stage.insert(stage.newTasks(20))
    const worker = yield* stage.worker("a", 600_000)
    let count = 0
    for (let second = 0; second < 10; second++) {
      count += yield* drained(stage, worker, 10)
      yield* TestClock.adjust(500)
      equal(yield* drained(stage, worker, 10), 0, "The tasks between two tokens")
      yield* TestClock.adjust(500)
    }
    equal(count, 10, "The tasks of ten seconds")
  }),

  scene("An empty claim says how long until a rate lets another one through", function* (stage) {
    yield* stage.driver.limit(stage.queue, { rate: rate(2, 3000) })
    yield* stage.insert(stage.newTasks(5))
    const worker = yield* stage.worker("a", 600_000)
    yield* stage.claim(worker, 10)
    yield* TestClock.adjust(400)
    const claim = yield* stage.driver.claim({
      worker,
      lanes: [{ queue: stage.queue, limit: 10 }],
      waits: false,
    })
    equal([claim.tasks.length, claim.nextDueMillis], [0, 1100], "The claim")
  }),

  scene("Workers share the tokens of a rate", function* (stage) {
    yield* stage.driver.limit(stage.queue, { rate: rate(7, 1000) })
    yield* stage.insert(stage.newTasks(30))
    const workers = ["a", "b", "c", "d"]
    for (const worker of workers) yield* stage.worker(worker)
    const claims = yield* Effect.forEach(
      [...workers, ...workers],
      (worker) => stage.claim(stage.name(worker), 3),
      { concurrency: "unbounded" },
    )
    equal(claims.flat().length, 7, "The tasks of all")
  }),

  scene("A token that was spent on a task that is given back is spent", function* (stage) {
    yield* stage.driver.limit(stage.queue, { rate: rate(1, 1000) })
    yield* stage.insertOne()
    const worker = yield* stage.worker("a", 600_000)
    yield* stage.attempt(worker, interrupted)
    equal(yield* stage.claim(worker), [], "The claimed tasks")
  }),

  scene("A rate whose period is changed keeps the share that was spent", function* (stage) {
    yield* stage.driver.limit(stage.queue, { rate: rate(10, 1000) })
    yield* stage.insert(stage.newTasks(30))
    const worker = yield* stage.worker("a", 600_000)
    equal((yield* stage.claim(worker, 8)).length, 8, "The tasks before")
    yield* stage.driver.limit(stage.queue, { rate: rate(10, 60_000) })
    equal((yield* stage.claim(worker, 8)).length, 2, "The tasks after")
  }),

  scene("A rate and a concurrency both hold", function* (stage) {
    yield* stage.driver.limit(stage.queue, { rate: rate(5, 1000), concurrency: 3 })
    yield* stage.insert(stage.newTasks(30))
    const worker = yield* stage.worker("a", 600_000)
    const tasks = yield* stage.claim(worker, 10)
    equal(tasks.length, 3, "The tasks of the concurrency")
    for (const task of tasks) yield* stage.settle(task, completed())
    equal((yield* stage.claim(worker, 10)).length, 2, "The tasks of the rate")
  }),
]

/** Cases of the limits of a queue.
 * @category cases
 * @since 0.1.0 */
export const limitCases: ReadonlyArray<Case> = [...concurrencyCases, ...rateCases]
