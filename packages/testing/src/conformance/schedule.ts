/**
 * Cases of tasks that are due later.
 *
 * @since 0.1.0
 */
import { TestClock } from "effect/testing"
import { equal } from "./expect.ts"
import { type Case, scene, type Stage } from "./fixtures.ts"
import { failed, snoozed } from "./outcomes.ts"

const year = 365 * 24 * 60 * 60 * 1000

const nextDue = function* (stage: Stage, worker: string, queues = [stage.queue], limit = 10) {
  const lanes = queues.map((queue) => ({ queue, limit }))
  return (yield* stage.driver.claim({ worker, lanes, waits: false })).nextDueMillis
}

/** Cases of tasks that are due later.
 * @category cases
 * @since 0.1.0 */
export const scheduleCases: ReadonlyArray<Case> = [
  scene("A scheduled task is claimed once its time has come, and not before", function* (stage) {
    const id = yield* stage.insertOne({ delayMillis: 5000 })
    const worker = yield* stage.worker()
    equal(yield* stage.claim(worker), [], "Claimed at once")
    yield* TestClock.adjust(4999)
    equal(yield* stage.claim(worker), [], "Claimed one millisecond early")
    yield* TestClock.adjust(1)
    equal((yield* stage.claimOne(worker)).id, id, "Claimed in time")
  }),

  scene("A task due at an instant is claimed at that instant, and not before", function* (stage) {
    yield* TestClock.adjust(1000)
    const id = yield* stage.insertOne({ dueAt: 3000 })
    equal((yield* stage.read(id)).dueAt, 3000, "Its instant")
    const worker = yield* stage.worker()
    yield* TestClock.adjust(1999)
    equal(yield* stage.claim(worker), [], "Claimed one millisecond early")
    yield* TestClock.adjust(1)
    equal((yield* stage.claimOne(worker)).id, id, "Claimed in time")
  }),

  scene("An instant counts where a delay is given too", function* (stage) {
    const soon = yield* stage.insertOne({ dueAt: 1000, delayMillis: 9000 })
    const late = yield* stage.insertOne({ dueAt: 9000, delayMillis: 1000 })
    equal((yield* stage.read(soon)).dueAt, 1000, "The earlier instant")
    equal((yield* stage.read(late)).dueAt, 9000, "The later instant")
  }),

  scene("A task due in the past is ready at once", function* (stage) {
    yield* TestClock.adjust(10_000)
    const past = yield* stage.insertOne({ dueAt: 9999 })
    const present = yield* stage.insertOne({ dueAt: 10_000 })
    equal((yield* stage.read(past)).dueAt, undefined, "The instant of the past task")
    equal((yield* stage.read(present)).dueAt, undefined, "The instant of the present task")
    equal((yield* stage.claim(yield* stage.worker(), 10)).length, 2, "The claimed tasks")
  }),

  scene("A task due before 1970 is ready at once", function* (stage) {
    const id = yield* stage.insertOne({ dueAt: -62_135_596_800_000 })
    equal((yield* stage.claimOne(yield* stage.worker())).id, id, "The claimed task")
  }),

  scene("A task due at the earliest instant that a client may give is ready at once", function* (
    stage,
  ) {
    const id = yield* stage.insertOne({ dueAt: -253_402_300_799_999 })
    equal((yield* stage.claimOne(yield* stage.worker())).id, id, "The claimed task")
  }),

  scene("A task due at the end of the year 9999 is stored to the millisecond", function* (stage) {
    const dueAt = 253_402_300_799_999
    const id = yield* stage.insertOne({ dueAt })
    equal((yield* stage.read(id)).dueAt, dueAt, "Its instant")
    equal(yield* nextDue(stage, yield* stage.worker()), dueAt, "The time until then")
  }),

  scene("A delay of ten years is stored to the millisecond", function* (stage) {
    const id = yield* stage.insertOne({ delayMillis: 10 * year })
    equal((yield* stage.read(id)).dueAt, 10 * year, "Its instant")
    yield* TestClock.adjust(10 * year - 1)
    const worker = yield* stage.worker()
    equal(yield* stage.claim(worker), [], "Claimed early")
    yield* TestClock.adjust(1)
    equal((yield* stage.claimOne(worker)).id, id, "Claimed in time")
  }),

  scene("A delay with a fraction of a millisecond is not cut short", function* (stage) {
    yield* stage.insertOne({ delayMillis: 1.5 })
    const worker = yield* stage.worker()
    yield* TestClock.adjust(1)
    equal(yield* stage.claim(worker), [], "Claimed early")
    yield* TestClock.adjust(1)
    equal((yield* stage.claim(worker)).length, 1, "Claimed in time")
  }),

  scene("A claim says how long it is until the next scheduled task is due", function* (stage) {
    yield* stage.insert([8000, 3000, 5000].map((delayMillis) => stage.newTask({ delayMillis })))
    const worker = yield* stage.worker()
    equal(yield* nextDue(stage, worker), 3000, "At first")
    yield* TestClock.adjust(1000)
    equal(yield* nextDue(stage, worker), 2000, "A second later")
    yield* TestClock.adjust(2000)
    equal(yield* nextDue(stage, worker), 2000, "With the first one claimed")
  }),

  scene("An idle queue has no next task, so that nobody asks for it in vain", function* (stage) {
    const worker = yield* stage.worker()
    equal(yield* nextDue(stage, worker), undefined, "Of an empty queue")
    yield* stage.insertOne()
    equal(yield* nextDue(stage, worker), undefined, "Of a queue with a ready task")
  }),

  scene("The next scheduled task is one of the claimed queues", function* (stage) {
    yield* stage.insertOne({ delayMillis: 2000 })
    yield* stage.insertOne({ delayMillis: 1000, queue: stage.otherQueue })
    const worker = yield* stage.worker()
    equal(yield* nextDue(stage, worker), 2000, "Of one queue")
    equal(yield* nextDue(stage, worker, [stage.queue, stage.otherQueue]), 1000, "Of both queues")
  }),

  scene("A retry and a snooze are next scheduled tasks too", function* (stage) {
    yield* stage.settle(yield* stage.claimed(), failed(4000))
    const worker = stage.name("a")
    equal(yield* nextDue(stage, worker), 4000, "After a failure")
    yield* stage.settle(yield* stage.claimed(), snoozed(2500))
    equal(yield* nextDue(stage, worker), 2500, "After a snooze")
  }),

  scene("A cancelled task is not the next scheduled one", function* (stage) {
    const id = yield* stage.insertOne({ delayMillis: 1000 })
    yield* stage.insertOne({ delayMillis: 4000 })
    yield* stage.cancel(id)
    equal(yield* nextDue(stage, yield* stage.worker()), 4000, "The time until the next")
  }),

  scene("Scheduled tasks are claimed in the order of their instants", function* (stage) {
    const delays = [3000, 1000, 2000]
    const ids = yield* stage.insert(delays.map((delayMillis) => stage.newTask({ delayMillis })))
    yield* TestClock.adjust(5000)
    const claimed = yield* stage.claim(yield* stage.worker(), 10)
    equal(claimed.map(({ id }) => id), [ids[1]!, ids[2]!, ids[0]!], "The order")
  }),

  scene("Scheduled tasks that are due are claimed by priority", function* (stage) {
    const low = yield* stage.insertOne({ delayMillis: 1000, priority: 9 })
    const high = yield* stage.insertOne({ delayMillis: 2000, priority: 0 })
    yield* TestClock.adjust(2000)
    const claimed = yield* stage.claim(yield* stage.worker(), 10)
    equal(claimed.map(({ id }) => id), [high, low], "The order")
  }),

  scene("A scheduled task does not hold up those that are ready", function* (stage) {
    yield* stage.insertOne({ delayMillis: 1000, priority: 0 })
    const id = yield* stage.insertOne({ priority: 9 })
    const claimed = yield* stage.claim(yield* stage.worker(), 10)
    equal(claimed.map((task) => task.id), [id], "The claimed tasks")
  }),

  scene("Due tasks beyond the limit of a claim are there for the next", function* (stage) {
    const ids = yield* stage.insert(stage.newTasks(5, { delayMillis: 1000 }))
    const worker = yield* stage.worker()
    yield* TestClock.adjust(1000)
    const first = yield* stage.claim(worker, 2)
    const second = yield* stage.claim(worker, 10)
    equal([first.length, second.length], [2, 3], "The claims")
    equal([...first, ...second].map(({ id }) => id).sort(), [...ids], "The claimed tasks")
  }),

  scene("A task that was scheduled has no due instant once it is claimed", function* (stage) {
    const id = yield* stage.insertOne({ delayMillis: 1000 })
    const worker = yield* stage.worker()
    yield* TestClock.adjust(1000)
    yield* stage.claimOne(worker)
    const record = yield* stage.read(id)
    equal([record.state, record.dueAt], ["running", undefined], "The task")
  }),

  scene("More due tasks than one claim moves are all claimed in the end", function* (stage) {
    yield* stage.insert(stage.newTasks(1000, { delayMillis: 1000 }))
    yield* stage.insert(stage.newTasks(200, { delayMillis: 2000 }))
    const worker = yield* stage.worker()
    yield* TestClock.adjust(2000)
    let claimed = 0
    for (let round = 0; round < 5; round++) claimed += (yield* stage.claim(worker, 1000)).length
    equal(claimed, 1200, "The claimed tasks")
  }),
]
