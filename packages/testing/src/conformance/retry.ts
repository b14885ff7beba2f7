/**
 * Cases of retrying by hand.
 *
 * @since 0.1.0
 */
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { equal } from "./expect.ts"
import { type Case, scene } from "./fixtures.ts"
import { completed, discarded, failed, failedForGood } from "./outcomes.ts"

/** Cases of retrying by hand.
 * @category cases
 * @since 0.1.0 */
export const retryCases: ReadonlyArray<Case> = [
  scene(
    "A failed task that is retried by hand is ready, with its history and a fresh budget",
    function* (
      stage,
    ) {
      const id = yield* stage.insertOne({ maxAttempts: 2 })
      const worker = yield* stage.worker()
      yield* stage.attempt(worker, failed())
      yield* stage.attempt(worker, failed())
      const [settled] = yield* stage.retry(id)
      equal([settled?.status, settled?.kind], ["applied", "retried"], "The answer")
      const record = yield* stage.read(id)
      equal([record.state, record.failures, record.lease], ["ready", 0, 3], "The task")
      equal(
        record.history.map(({ kind, lease, attempt }) => [kind, lease, attempt]),
        [["failed", 1, 1], ["failed", 2, 2], ["retried", 3, undefined]],
        "The history",
      )
      yield* stage.attempt(worker, failed())
      equal((yield* stage.read(id)).state, "ready", "The state after one more failure")
    },
  ),

  scene("A discarded task can be retried by hand", function* (stage) {
    const task = yield* stage.claimed()
    yield* stage.settle(task, discarded)
    yield* stage.retry(task.id)
    equal((yield* stage.claimOne(stage.name("a"))).lease, 3, "The lease of the next claim")
  }),

  scene("A cancelled task that is retried by hand can be claimed", function* (stage) {
    const id = yield* stage.insertOne()
    yield* stage.cancel(id)
    yield* stage.retry(id)
    const task = yield* stage.claimOne(yield* stage.worker())
    equal([task.id, task.lease], [id, 3], "The claimed task")
    equal((yield* stage.settle(task, completed())).status, "applied", "The answer")
  }),

  scene(
    "A scheduled task that was cancelled and is retried by hand is due at once",
    function* (stage) {
      const id = yield* stage.insertOne({ delayMillis: 60_000 })
      yield* stage.cancel(id)
      yield* stage.retry(id)
      const record = yield* stage.read(id)
      equal([record.state, record.dueAt], ["ready", undefined], "The task")
      equal((yield* stage.claimOne(yield* stage.worker())).id, id, "The claimed task")
    },
  ),

  scene("Retrying by hand clears crashes too", function* (stage) {
    const id = yield* stage.insertOne({ maxCrashes: 0 })
    yield* stage.crash("lost")
    equal((yield* stage.read(id)).state, "failed", "The state after the crash")
    yield* stage.retry(id)
    const task = yield* stage.claimOne(yield* stage.worker())
    equal([task.crashes, task.failures], [0, 0], "The counts")
  }),

  scene("A task that did not fail is not retried by hand", function* (stage) {
    const done = yield* stage.claimed()
    yield* stage.settle(done, completed())
    const running = yield* stage.claimed()
    const ready = yield* stage.insertOne()
    const before = yield* stage.readAll()
    equal(yield* stage.retry(done.id, running.id, ready), [], "The answer")
    equal(yield* stage.readAll(), before, "The tasks")
  }),

  scene("Retrying by hand twice retries once", function* (stage) {
    const task = yield* stage.claimed()
    yield* stage.settle(task, failedForGood)
    yield* stage.retry(task.id)
    equal(yield* stage.retry(task.id), [], "The second answer")
    equal((yield* stage.claim(stage.name("a"), 10)).length, 1, "The claimed tasks")
  }),

  scene("Concurrent retries by hand retry once", function* (stage) {
    const task = yield* stage.claimed()
    yield* stage.settle(task, failedForGood)
    yield* Effect.all(Array.from({ length: 6 }, () => stage.retry(task.id)), {
      concurrency: "unbounded",
    })
    equal((yield* stage.read(task.id)).history.length, 2, "The history")
    equal((yield* stage.claim(stage.name("a"), 10)).length, 1, "The claimed tasks")
  }),

  scene("The history tells when a task was retried by hand", function* (stage) {
    const id = yield* stage.insertOne()
    yield* stage.cancel(id)
    yield* TestClock.adjust(3000)
    yield* stage.retry(id)
    const { history } = yield* stage.read(id)
    equal(history.map(({ kind, at }) => [kind, at]), [["cancelled", 0], ["retried", 3000]], "It")
  }),
]
