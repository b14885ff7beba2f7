/**
 * Cases of fencing: a worker that lost its lease changes nothing.
 *
 * @since 0.1.0
 */
import { Transition } from "@millrace/core"
import { TestClock } from "effect/testing"
import { equal } from "./expect.ts"
import { type Case, leaseMillis, scene, type Stage } from "./fixtures.ts"
import { completed, failed, failedForGood, snoozed } from "./outcomes.ts"

/** A task that a lost worker held, and that another one holds now. */
const takenOver = function* (stage: Stage) {
  const old = yield* stage.claimed({}, "lost")
  yield* TestClock.adjust(leaseMillis)
  yield* stage.recover()
  return [old, yield* stage.claimOne(yield* stage.worker("next"))] as const
}

/** Cases of fencing.
 * @category cases
 * @since 0.1.0 */
export const fencingCases: ReadonlyArray<Case> = [
  scene("A worker whose lease expired does not finish a newer attempt", function* (stage) {
    const [old, current] = yield* takenOver(stage)
    const late = yield* stage.settle(old, completed("1"))
    equal([late.status, late.kind], ["already", "crashed"], "The answer to the late worker")
    equal((yield* stage.read(old.id)).state, "running", "The state")
    equal((yield* stage.settle(current, completed("2"))).status, "applied", "The newer attempt")
  }),

  scene("A worker whose lease expired does not fail a newer attempt", function* (stage) {
    const [old, current] = yield* takenOver(stage)
    const before = yield* stage.read(old.id)
    yield* stage.settle(old, failedForGood)
    equal(yield* stage.read(old.id), before, "The task")
    equal((yield* stage.settle(current, completed())).status, "applied", "The newer attempt")
    equal((yield* stage.read(old.id)).failures, 0, "The failures")
  }),

  scene("A late snooze does not take a newer attempt's task away", function* (stage) {
    const [old] = yield* takenOver(stage)
    yield* stage.settle(old, snoozed(0))
    equal(yield* stage.claim(yield* stage.worker("third")), [], "What can be claimed")
  }),

  scene("The fence is the lease number, not the number of the attempt", function* (stage) {
    yield* stage.insertOne()
    const worker = yield* stage.worker()
    const first = yield* stage.attempt(worker, snoozed())
    const second = yield* stage.claimOne(worker)
    equal([first.failures, second.failures], [0, 0], "Both are the first attempt")
    equal((yield* stage.settle(first, completed())).status, "already", "The first claim")
    equal((yield* stage.settle(second, completed())).status, "applied", "The second claim")
  }),

  scene("No lease number is used twice, also after a retry by hand", function* (stage) {
    yield* stage.insertOne()
    const worker = yield* stage.worker()
    const first = yield* stage.attempt(worker, failedForGood)
    yield* stage.retry(first.id)
    const second = yield* stage.claimOne(worker)
    equal([first.lease, second.lease], [1, 3], "The leases")
    equal((yield* stage.settle(first, completed())).kind, "failed", "The outcome told to the first")
    const { history } = yield* stage.read(first.id)
    equal(history.map(({ lease }) => lease), [1, 2], "The leases in the history")
  }),

  scene(
    "The lease of a cancelled attempt does not fit the attempt after a retry by hand",
    function* (
      stage,
    ) {
      const task = yield* stage.claimed()
      yield* stage.cancel(task.id)
      yield* stage.retry(task.id)
      const current = yield* stage.claimOne(stage.name("a"))
      const late = yield* stage.settle(task, completed())
      equal([late.status, late.kind], ["already", "cancelled"], "The answer to the cancelled one")
      equal((yield* stage.settle(current, completed())).status, "applied", "The current attempt")
    },
  ),

  scene("A change that was decided on a task before it was claimed is stale", function* (stage) {
    const id = yield* stage.insertOne()
    const record = yield* stage.read(id)
    const cancel = Transition.transition(record, { _tag: "CancelRequested", reason: "late" })!
    yield* stage.claimOne(yield* stage.worker())
    const [late] = yield* stage.driver.settle([cancel])
    equal(late!.status, "stale", "The answer")
    equal((yield* stage.read(id)).state, "running", "The state")
  }),

  scene("A change that was decided on an earlier attempt is stale", function* (stage) {
    yield* stage.insertOne({ maxAttempts: 9 })
    const worker = yield* stage.worker()
    const task = yield* stage.claimOne(worker)
    const ended = { ...task, lease: 2 }
    yield* stage.settle(task, failed())
    equal((yield* stage.settle(ended, completed())).status, "stale", "A lease nobody was given yet")
    const next = yield* stage.claimOne(worker)
    equal((yield* stage.settle(next, completed())).status, "applied", "The lease once it is given")
  }),

  scene("An outcome after the lease ended, but before the recovery, stands", function* (stage) {
    const task = yield* stage.claimed()
    yield* TestClock.adjust(leaseMillis * 3)
    equal((yield* stage.settle(task, completed())).status, "applied", "The answer")
    equal(yield* stage.recover(), [], "What is recovered")
    equal((yield* stage.read(task.id)).state, "completed", "The state")
  }),
]
