/**
 * Cases of workers that are lost, and of the recovery of what they held.
 *
 * @since 0.1.0
 */
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { equal } from "./expect.ts"
import { type Case, crashing, leaseMillis, scene, type Stage } from "./fixtures.ts"
import { completed, snoozed } from "./outcomes.ts"

const expiredIds = function* (stage: Stage, limit = 100) {
  const seen: Array<string> = []
  yield* stage.driver.transact({ _tag: "Expired", limit }, (tasks) => {
    seen.push(...tasks.map(({ id }) => id))
    return []
  })
  return seen.sort()
}

/** Cases of workers that are lost.
 * @category cases
 * @since 0.1.0 */
export const expiryCases: ReadonlyArray<Case> = [
  scene("The tasks of a worker are expired once its lease has ended, and not before", function* (
    stage,
  ) {
    const task = yield* stage.claimed()
    yield* TestClock.adjust(leaseMillis - 1)
    equal(yield* expiredIds(stage), [], "Expired one millisecond before the end")
    yield* TestClock.adjust(1)
    equal(yield* expiredIds(stage), [task.id], "Expired at the end")
  }),

  scene("A slow task of a worker that lives is never rescued", function* (stage) {
    const task = yield* stage.claimed()
    for (let beat = 0; beat < 50; beat++) {
      yield* TestClock.adjust(leaseMillis - 1)
      equal(yield* stage.recover(), [], `What is recovered before heartbeat ${beat}`)
      equal((yield* stage.beat(stage.name("a"), [task])).lost, [], "What is lost")
    }
    equal((yield* stage.settle(task, completed())).status, "applied", "The answer")
  }),

  scene(
    "The tasks of a dead worker are recovered within one lease, by any other",
    function* (stage) {
      const task = yield* stage.claimed({}, "dead")
      yield* TestClock.adjust(leaseMillis)
      const other = yield* stage.worker("other")
      const [settled] = yield* stage.recover()
      equal(
        [settled?.taskId, settled?.status, settled?.kind],
        [task.id, "applied", "crashed"],
        "It",
      )
      const next = yield* stage.claimOne(other)
      equal([next.id, next.lease], [task.id, task.lease + 1], "The next claim")
    },
  ),

  scene("A lost worker counts as a crash, and not as a failure", function* (stage) {
    const id = yield* stage.insertOne({ maxAttempts: 1, maxCrashes: 3 })
    yield* stage.crash("lost")
    const record = yield* stage.read(id)
    equal([record.state, record.failures, record.crashes], ["ready", 0, 1], "The task")
    const [entry] = record.history
    equal([entry!.kind, entry!.attempt, entry!.startedAt], ["crashed", 1, undefined], "The history")
    equal(entry!.failure?.reason, "Crashed", "The reason")
  }),

  scene("Only running tasks expire", function* (stage) {
    const done = yield* stage.claimed({}, "lost")
    yield* stage.settle(done, completed())
    const asleep = yield* stage.claimed({}, "lost")
    yield* stage.settle(asleep, snoozed())
    const cancelled = yield* stage.claimed({}, "lost")
    yield* stage.cancel(cancelled.id)
    yield* stage.insertOne()
    yield* TestClock.adjust(leaseMillis * 10)
    equal(yield* expiredIds(stage), [], "The expired tasks")
  }),

  scene("A worker that ends its session while it holds tasks gives them up at once", function* (
    stage,
  ) {
    const task = yield* stage.claimed()
    yield* stage.beat(stage.name("a"), [task], 0)
    equal(yield* expiredIds(stage), [task.id], "The expired tasks")
  }),

  scene("A recovery takes at most its limit", function* (stage) {
    yield* stage.insert(stage.newTasks(5))
    yield* stage.claim(yield* stage.worker(), 5)
    yield* TestClock.adjust(leaseMillis)
    equal((yield* stage.recover(2)).length, 2, "The first recovery")
    equal((yield* stage.recover(2)).length, 2, "The second recovery")
    equal((yield* stage.recover(2)).length, 1, "The third recovery")
    equal(yield* stage.recover(2), [], "The fourth recovery")
  }),

  scene(
    "The tasks of several lost workers are recovered together, and no others",
    function* (stage) {
      const a = yield* stage.claimed({}, "a")
      const b = yield* stage.claimed({}, "b")
      yield* TestClock.adjust(leaseMillis / 2)
      yield* stage.claimed({}, "c")
      yield* TestClock.adjust(leaseMillis / 2)
      equal(yield* expiredIds(stage), [a.id, b.id], "The expired tasks")
      yield* stage.recover()
      const states = (yield* stage.readAll()).map(({ state }) => state)
      equal(states, ["ready", "ready", "running"], "The states")
    },
  ),

  scene("Concurrent recoveries crash a task once", function* (stage) {
    yield* stage.insert(stage.newTasks(10))
    yield* stage.claim(yield* stage.worker(), 10)
    yield* TestClock.adjust(leaseMillis)
    yield* Effect.all(Array.from({ length: 4 }, () => stage.recover()), {
      concurrency: "unbounded",
    })
    const counts = (yield* stage.readAll()).map(({ crashes, history }) => [crashes, history.length])
    equal(counts, Array.from({ length: 10 }, () => [1, 1]), "The crashes and the histories")
  }),

  scene("A recovery that decides on nothing leaves the tasks to the next", function* (stage) {
    const task = yield* stage.claimed()
    yield* TestClock.adjust(leaseMillis)
    equal(yield* expiredIds(stage), [task.id], "The first time")
    equal(yield* expiredIds(stage), [task.id], "The second time")
    equal((yield* stage.recover()).length, 1, "The recovery")
  }),

  scene("A recovery sees the tasks as running, with their counts", function* (stage) {
    const task = yield* stage.claimed({ maxAttempts: 7, maxCrashes: 2, awaited: true })
    yield* TestClock.adjust(leaseMillis)
    let seen: unknown
    yield* stage.driver.transact({ _tag: "Expired", limit: 10 }, (tasks) => {
      seen = tasks.map((
        one,
      ) => [one.state, one.lease, one.maxAttempts, one.maxCrashes, one.awaited])
      return crashing(tasks)
    })
    equal(seen, [["running", task.lease, 7, 2, true]], "What is decided on")
  }),

  scene("Nothing expires in an empty store", function* (stage) {
    equal(yield* stage.recover(), [], "The answer")
  }),
]
