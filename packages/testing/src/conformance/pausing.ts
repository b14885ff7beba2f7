/**
 * Cases of queues that are paused.
 *
 * @since 0.1.0
 */
import { Queues } from "@millrace/core"
import { TestClock } from "effect/testing"
import { equal } from "./expect.ts"
import { type Case, scene } from "./fixtures.ts"
import { completed } from "./outcomes.ts"

/** Cases of queues that are paused.
 * @category cases
 * @since 0.1.0 */
export const pausingCases: ReadonlyArray<Case> = [
  scene("Nothing is claimed from a queue that is paused, and all of it once it goes on", function* (
    stage,
  ) {
    const { driver, queue } = stage
    const worker = yield* stage.worker()
    yield* stage.insert(stage.newTasks(3))
    yield* driver.limit(queue, { paused: true })
    yield* stage.insert(stage.newTasks(2, { delayMillis: 1000 }))
    yield* TestClock.adjust(2000)
    equal(yield* stage.claim(worker, 10), [], "While it is paused")
    yield* driver.limit(queue, { paused: false })
    equal((yield* stage.claim(worker, 10)).length, 5, "Once it goes on")
  }),

  scene(
    "A queue stays paused whatever limits are said, and keeps its limits when it is paused",
    function* (stage) {
      const { driver, queue } = stage
      const limits = { concurrency: 2 }
      yield* driver.limit(queue, { paused: true })
      equal(yield* driver.limit(queue, limits), { paused: true }, "Before limits are said")
      equal(yield* driver.limit(queue, undefined), { ...limits, paused: true }, "With limits")
      equal(yield* driver.limit(queue, null), { ...limits, paused: true }, "Before they go")
      equal(yield* driver.limit(queue, undefined), { paused: true }, "Without them")
      yield* driver.limit(queue, limits)
      yield* driver.limit(queue, { paused: false })
      equal(yield* driver.limit(queue, undefined), limits, "Once it goes on")
      yield* driver.limit(queue, { paused: true })
      equal(yield* driver.limit(queue, { paused: false }), { ...limits, paused: true }, "Again")
    },
  ),

  scene("What was claimed before its queue is paused goes on", function* (stage) {
    const task = yield* stage.claimed()
    yield* stage.driver.limit(stage.queue, { paused: true })
    const pulse = yield* stage.beat(stage.name("a"), [task])
    equal(pulse, { live: true, lost: [] }, "The heartbeat")
    equal((yield* stage.settle(task, completed())).status, "applied", "Its outcome")
  }),

  scene("A queue that is paused does not keep others from being claimed", function* (stage) {
    const worker = yield* stage.worker()
    yield* stage.insertOne()
    const other = yield* stage.insertOne({ queue: stage.otherQueue })
    yield* stage.driver.limit(stage.queue, { paused: true })
    const lanes = [stage.queue, stage.otherQueue].map((queue) => ({ queue, limit: 5 }))
    const { tasks } = yield* stage.driver.claim({ worker, lanes, waits: false })
    equal(tasks.map(({ id }) => id), [other], "What was claimed of both")
  }),

  scene("A group of a queue that is paused waits, and goes on in its order", function* (stage) {
    const worker = yield* stage.worker()
    yield* stage.driver.limit(stage.queue, { paused: true })
    const ids = yield* stage.insert(stage.newTasks(2, { group: "k" }))
    equal(yield* stage.claim(worker, 10), [], "While it is paused")
    yield* stage.driver.limit(stage.queue, { paused: false })
    const task = yield* stage.claimOne(worker)
    equal(task.id, ids[0]!, "The first")
    equal(yield* stage.claim(worker, 10), [], "One at a time")
  }),

  scene("Pausing answers whether a queue was paused before", function* ({ queue }) {
    const answers: Array<boolean> = []
    for (const ask of [Queues.pause, Queues.pause, Queues.resume, Queues.resume]) {
      answers.push(yield* ask(queue))
    }
    equal(answers, [false, true, true, false], "The answers")
  }),
]
