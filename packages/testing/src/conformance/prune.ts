/**
 * Cases of removing what ended long ago.
 *
 * @since 0.1.0
 */
import { TestClock } from "effect/testing"
import { equal } from "./expect.ts"
import { type Case, scene } from "./fixtures.ts"
import { completed, failed, failedForGood } from "./outcomes.ts"

/** Cases of removing what ended long ago.
 * @category cases
 * @since 0.1.0 */
export const pruneCases: ReadonlyArray<Case> = [
  scene("Pruning removes what ended before the given age, and nothing else", function* (stage) {
    const old = yield* stage.claimed()
    yield* stage.settle(old, completed())
    yield* stage.insertOne()
    yield* TestClock.adjust(10_000)
    const young = yield* stage.claimed()
    yield* stage.settle(young, completed())
    yield* stage.insertOne()
    const before = yield* stage.readAll()
    equal(yield* stage.driver.prune({ olderThanMillis: 5000, limit: 100 }), 1, "The answer")
    equal(yield* stage.readAll(), before.filter(({ id }) => id !== old.id), "What is left")
  }),

  scene("Completed, failed and cancelled tasks are pruned alike", function* (stage) {
    yield* stage.settle(yield* stage.claimed(), completed())
    yield* stage.settle(yield* stage.claimed(), failedForGood)
    yield* stage.cancel(yield* stage.insertOne())
    equal(yield* stage.driver.prune({ olderThanMillis: 0, limit: 100 }), 3, "The answer")
    equal(yield* stage.readAll(), [], "What is left")
  }),

  scene("Tasks that have not ended are never pruned, however old", function* (stage) {
    yield* stage.claimed()
    yield* stage.settle(yield* stage.claimed(), failed(1000))
    yield* stage.insertOne()
    yield* stage.insertOne({ delayMillis: 5000 })
    yield* TestClock.adjust(1_000_000_000)
    equal(yield* stage.driver.prune({ olderThanMillis: 0, limit: 100 }), 0, "The answer")
    equal((yield* stage.readAll()).length, 4, "What is left")
  }),

  scene("What ended exactly as long ago as the given age is pruned", function* (stage) {
    yield* stage.settle(yield* stage.claimed(), completed())
    yield* TestClock.adjust(4999)
    const request = { olderThanMillis: 5000, limit: 100 }
    equal(yield* stage.driver.prune(request), 0, "One millisecond early")
    yield* TestClock.adjust(1)
    equal(yield* stage.driver.prune(request), 1, "In time")
  }),

  scene("The age counts from the end, not from the storing", function* (stage) {
    const task = yield* stage.claimed()
    yield* TestClock.adjust(20_000)
    yield* stage.settle(task, completed())
    equal(yield* stage.driver.prune({ olderThanMillis: 10_000, limit: 100 }), 0, "The answer")
  }),

  scene("Pruning removes at most its limit", function* (stage) {
    const ids = yield* stage.insert(stage.newTasks(5))
    yield* stage.cancel(...ids)
    const prune = stage.driver.prune({ olderThanMillis: 0, limit: 2 })
    equal([yield* prune, yield* prune, yield* prune, yield* prune], [2, 2, 1, 0], "The answers")
  }),

  scene("Pruning an empty store removes nothing", function* (stage) {
    equal(yield* stage.driver.prune({ olderThanMillis: 0, limit: 100 }), 0, "The answer")
  }),

  scene("A pruned task takes its history along, so that a late worker is stale", function* (stage) {
    const task = yield* stage.claimed()
    yield* stage.settle(task, completed())
    yield* stage.driver.prune({ olderThanMillis: 0, limit: 100 })
    equal((yield* stage.settle(task, completed())).status, "stale", "The answer")
    equal(yield* stage.driver.find({ runs: [task.id], limit: 1 }), [], "What is found")
  }),

  scene(
    "A pruned task stays pruned while its neighbours of one claim still run",
    function* (stage) {
      yield* stage.insert(stage.newTasks(2))
      const [done, running] = yield* stage.claim(yield* stage.worker(), 2)
      yield* stage.settle(done!, completed())
      equal(yield* stage.driver.prune({ olderThanMillis: 0, limit: 100 }), 1, "The answer")
      equal((yield* stage.settle(done!, failed())).status, "stale", "The answer to the late worker")
      equal(
        (yield* stage.beat(stage.name("a"), [done!, running!])).lost,
        [done!.id],
        "What is lost",
      )
      equal((yield* stage.readAll()).map(({ id }) => id), [running!.id], "What is found")
    },
  ),

  scene("An id can be used anew once its task was pruned", function* (stage) {
    const task = yield* stage.claimed()
    yield* stage.settle(task, completed())
    yield* stage.driver.prune({ olderThanMillis: 0, limit: 100 })
    const again = stage.newTask({ id: task.id })
    equal(yield* stage.driver.insert([again]), [{ id: task.id, inserted: true }], "The answer")
    const record = yield* stage.read(task.id)
    equal([record.state, record.lease, record.history.length], ["ready", 0, 0], "The task")
  }),

  scene("A task that was retried by hand is not pruned for its earlier end", function* (stage) {
    const id = yield* stage.insertOne()
    yield* stage.cancel(id)
    yield* stage.retry(id)
    yield* TestClock.adjust(60_000)
    equal(yield* stage.driver.prune({ olderThanMillis: 1000, limit: 100 }), 0, "The answer")
  }),
]
