/**
 * Cases of queues with a maximum depth.
 *
 * @since 0.1.0
 */
import { Effect } from "effect"
import { equal, that } from "./expect.ts"
import { type Case, scene } from "./fixtures.ts"
import { failed } from "./outcomes.ts"

/** Cases of queues with a maximum depth.
 * @category cases
 * @since 0.1.0 */
export const depthCases: ReadonlyArray<Case> = [
  scene(
    "A batch that would take a queue beyond its maximum depth is not stored, and says so",
    function* (
      stage,
    ) {
      const { driver, queue } = stage
      yield* driver.limit(queue, { maxDepth: 5 })
      yield* stage.insert(stage.newTasks(2, { delayMillis: 1000 }))
      yield* stage.insert(stage.newTasks(2))
      const two = stage.newTasks(2)
      equal(
        yield* driver.insert(two),
        two.map(({ id }) => ({ id, inserted: false, full: queue })),
        "The answers",
      )
      const one = stage.newTask()
      equal(yield* driver.insert([one]), [{ id: one.id, inserted: true }], "The one that fits")
      equal((yield* stage.readAll()).length, 5, "The stored tasks")
    },
  ),

  scene("What is claimed or has ended makes room in a queue", function* (stage) {
    yield* stage.driver.limit(stage.queue, { maxDepth: 2 })
    const [, second] = yield* stage.insert(stage.newTasks(2))
    const worker = yield* stage.worker()
    yield* stage.claimOne(worker)
    const [claimed] = yield* stage.driver.insert([stage.newTask()])
    equal(claimed?.inserted, true, "The answer after a claim")
    yield* stage.cancel(second!)
    const [cancelled] = yield* stage.driver.insert([stage.newTask()])
    equal(cancelled?.inserted, true, "The answer after a cancel")
    const [full] = yield* stage.driver.insert([stage.newTask()])
    equal(full?.full, stage.queue, "The full queue")
  }),

  scene("What comes back to a full queue is not refused", function* (stage) {
    yield* stage.driver.limit(stage.queue, { maxDepth: 1 })
    const task = yield* stage.claimed()
    yield* stage.insertOne()
    equal((yield* stage.settle(task, failed(0))).status, "applied", "The answer")
    equal((yield* stage.read(task.id)).state, "ready", "Its state")
  }),

  scene("A task that is there already, or whose key is taken, needs no room", function* (stage) {
    yield* stage.driver.limit(stage.queue, { maxDepth: 1 })
    const unique = { key: "a", states: ["ready"], onClash: "ignore" } as const
    const id = yield* stage.insertOne({ unique })
    const [same] = yield* stage.driver.insert([stage.newTask({ id })])
    equal(same, { id, inserted: false }, "The answer to the same id")
    const [taken] = yield* stage.driver.insert([stage.newTask({ unique })])
    equal(taken?.holder, id, "The answer to the same key")
    const replace = { key: "a", states: ["ready"], onClash: "replace" } as const
    const [replaced] = yield* stage.driver.insert([stage.newTask({ unique: replace })])
    equal(replaced?.replaced, id, "The answer to one that replaces it")
  }),

  scene("Concurrent inserts never take a queue beyond its maximum depth", function* (stage) {
    yield* stage.driver.limit(stage.queue, { maxDepth: 10 })
    const answers = yield* Effect.forEach(
      stage.newTasks(50),
      (task) => stage.driver.insert([task]),
      { concurrency: "unbounded" },
    )
    equal(answers.flat().filter(({ inserted }) => inserted).length, 10, "The stored tasks")
    that(answers.flat().every(({ full, inserted }) => inserted || full === stage.queue), "Others")
  }),

  scene("A full queue refuses nothing for another one", function* (stage) {
    yield* stage.driver.limit(stage.queue, { maxDepth: 1 })
    yield* stage.insertOne()
    const [answer] = yield* stage.driver.insert([stage.newTask({ queue: stage.otherQueue })])
    equal(answer?.inserted, true, "The answer")
  }),
]
