/**
 * Cases of reading tasks.
 *
 * @since 0.1.0
 */
import type { Driver } from "@millrace/core"
import { equal } from "./expect.ts"
import { type Case, scene, type Stage } from "./fixtures.ts"
import { completed, failed, failedForGood } from "./outcomes.ts"

const ids = function* (stage: Stage, query: Omit<Driver.FindQuery, "limit">, limit = 100) {
  return (yield* stage.driver.find({ ...query, limit })).map(({ id }) => id)
}

/** One task in each state, by its state. */
const eachState = function* (stage: Stage) {
  const done = yield* stage.claimed()
  yield* stage.settle(done, completed())
  const dead = yield* stage.claimed()
  yield* stage.settle(dead, failedForGood)
  const running = yield* stage.claimed()
  const cancelled = yield* stage.insertOne()
  yield* stage.cancel(cancelled)
  const ready = yield* stage.insertOne()
  const later = yield* stage.insertOne({ delayMillis: 1000 })
  return { completed: done.id, failed: dead.id, running: running.id, cancelled, ready, later }
}

/** Cases of reading tasks.
 * @category cases
 * @since 0.1.0 */
export const findCases: ReadonlyArray<Case> = [
  scene("Tasks are found in the order of their ids", function* (stage) {
    const numbers = [40, 7, 300, 1]
    for (const number of numbers) yield* stage.insertOne({ id: stage.id(number) })
    const sorted = [1, 7, 40, 300].map((number) => stage.id(number))
    equal(yield* ids(stage, { queue: stage.queue }), sorted, "By queue")
    equal(yield* ids(stage, { runs: sorted.toReversed() }), sorted, "By run")
  }),

  scene("Tasks are found by state", function* (stage) {
    const all = yield* eachState(stage)
    equal(yield* ids(stage, { states: ["completed"] }), [all.completed], "Completed")
    equal(yield* ids(stage, { states: ["failed"] }), [all.failed], "Failed")
    equal(yield* ids(stage, { states: ["running"] }), [all.running], "Running")
    equal(yield* ids(stage, { states: ["cancelled"] }), [all.cancelled], "Cancelled")
    equal(yield* ids(stage, { states: ["ready"] }), [all.ready, all.later], "Ready")
    equal(yield* ids(stage, { states: ["waiting", "skipped"] }), [], "Waiting and skipped")
    equal(yield* ids(stage, { states: ["running", "failed"] }), [all.failed, all.running], "Two")
    equal((yield* ids(stage, {})).length, 6, "All")
  }),

  scene("Tasks are found by flow", function* (stage) {
    const a = yield* stage.insertOne({ flow: "alpha" })
    const b = yield* stage.insertOne({ flow: "alph" })
    equal(yield* ids(stage, { flow: "alpha" }), [a], "The one")
    equal(yield* ids(stage, { flow: "alph" }), [b], "The other")
    equal(yield* ids(stage, { flow: "gamma" }), [], "None")
  }),

  scene("Tasks are found by queue", function* (stage) {
    const a = yield* stage.insertOne()
    const b = yield* stage.insertOne({ queue: stage.otherQueue })
    equal(yield* ids(stage, { queue: stage.queue }), [a], "The one")
    equal(yield* ids(stage, { queue: stage.otherQueue }), [b], "The other")
    equal(yield* ids(stage, { queue: "nowhere" }), [], "None")
  }),

  scene("Every condition that is given must hold", function* (stage) {
    const wanted = yield* stage.insertOne({ flow: "alpha" })
    yield* stage.insertOne({ flow: "beta" })
    yield* stage.insertOne({ flow: "alpha", queue: stage.otherQueue })
    const cancelled = yield* stage.insertOne({ flow: "alpha" })
    yield* stage.cancel(cancelled)
    const query = { flow: "alpha", queue: stage.queue, states: ["ready"] } as const
    equal(yield* ids(stage, query), [wanted], "Three conditions")
    equal(yield* ids(stage, { ...query, runs: [wanted, cancelled] }), [wanted], "Four conditions")
    equal(yield* ids(stage, { ...query, runs: [cancelled] }), [], "Conditions that contradict")
  }),

  scene("An empty list of states or runs finds nothing", function* (stage) {
    yield* stage.insertOne()
    equal(yield* ids(stage, { states: [] }), [], "No states")
    equal(yield* ids(stage, { runs: [] }), [], "No runs")
  }),

  scene("Conditions that are undefined are none", function* (stage) {
    const id = yield* stage.insertOne()
    const query = { runs: undefined, flow: undefined, queue: undefined, states: undefined }
    equal(yield* ids(stage, query), [id], "What is found")
  }),

  scene(
    "A run that is named twice is found once, and an unknown one not at all",
    function* (stage) {
      const id = yield* stage.insertOne()
      equal(yield* ids(stage, { runs: [id, stage.id(99), id] }), [id], "What is found")
    },
  ),

  scene("All tasks of a run are found by it", function* (stage) {
    const runId = stage.id(500)
    const own = yield* stage.insert(stage.newTasks(3, { runId, flowType: "flow" }))
    yield* stage.insertOne({ runId: stage.id(501), flowType: "flow" })
    equal(yield* ids(stage, { runs: [runId] }), own, "What is found")
  }),

  scene("A find answers the first of what it finds, and no more than its limit", function* (stage) {
    const all = yield* stage.insert(stage.newTasks(5))
    equal(yield* ids(stage, { queue: stage.queue }, 2), all.slice(0, 2), "Two")
    equal(yield* ids(stage, { queue: stage.queue }, 5), all, "Five")
    equal(yield* ids(stage, { queue: stage.queue }, 0), [], "None")
  }),

  scene("A history is found oldest first, that of each task with its own", function* (stage) {
    yield* stage.insert(stage.newTasks(2, { maxAttempts: 9 }))
    const worker = yield* stage.worker()
    for (let round = 0; round < 12; round++) yield* stage.attempt(worker, failed())
    for (const { history } of yield* stage.readAll()) {
      equal(history.map(({ lease }) => lease), [1, 2, 3, 4, 5, 6], "The leases")
    }
  }),

  scene("1,000 runs are found by their ids", function* (stage) {
    const all = yield* stage.insert(stage.newTasks(1000))
    equal(yield* ids(stage, { runs: all }, 1000), all, "What is found")
  }),

  scene("Finding changes nothing", function* (stage) {
    yield* eachState(stage)
    const before = yield* stage.readAll()
    yield* stage.driver.find({ limit: 100 })
    equal(yield* stage.readAll(), before, "The tasks")
  }),
]
