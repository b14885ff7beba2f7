/**
 * Cases of discarding by hand.
 *
 * @since 0.1.0
 */
import type { Task } from "@millrace/core"
import { Effect } from "effect"
import { equal } from "./expect.ts"
import { type Case, scene, type Stage } from "./fixtures.ts"
import { completed, discarded, failed } from "./outcomes.ts"
import { countsOf, planted, wakesOf } from "./trees.ts"

const discard = (stage: Stage, ...ids: ReadonlyArray<Task.TaskId>) =>
  stage.happen(ids, { _tag: "DiscardRequested", reason: "no use" })

/** Cases of discarding by hand.
 * @category cases
 * @since 0.1.0 */
export const discardCases: ReadonlyArray<Case> = [
  scene("A ready task that is discarded by hand has failed, and never runs", function* (stage) {
    const ready = yield* stage.insertOne()
    const scheduled = yield* stage.insertOne({ delayMillis: 1000 })
    const answers = yield* discard(stage, ready, scheduled)
    equal(answers.map(({ kind, status }) => [kind, status]), [
      ["discarded", "applied"],
      ["discarded", "applied"],
    ], "The answers")
    for (const id of [ready, scheduled]) {
      const { history, lease, state } = yield* stage.read(id)
      equal([state, lease, history.length], ["failed", 1, 1], "The task")
      const { attempt, failure } = history[0]!
      equal(
        [attempt, failure],
        [undefined, { reason: "Discarded", message: "no use" }],
        "The entry",
      )
    }
    equal(yield* stage.claim(yield* stage.worker(), 10), [], "What can be claimed")
  }),

  scene(
    "A running task that is discarded by hand has failed, whatever its worker says later",
    function* (
      stage,
    ) {
      const task = yield* stage.claimed()
      yield* discard(stage, task.id)
      const before = yield* stage.read(task.id)
      equal([before.state, before.lease, before.history[0]!.attempt], ["failed", 1, 1], "The task")
      const pulse = yield* stage.beat(stage.name("a"), [task])
      equal(pulse.lost, [task.id], "What the worker has lost")
      const late = yield* stage.settle(task, completed())
      equal([late.status, late.kind], ["already", "discarded"], "The answer to the worker")
      equal(yield* stage.read(task.id), before, "The task afterwards")
    },
  ),

  scene("A task that has ended is not discarded", function* (stage) {
    const done = yield* stage.claimed()
    yield* stage.settle(done, completed())
    const cancelled = yield* stage.insertOne()
    yield* stage.cancel(cancelled)
    equal(yield* discard(stage, done.id, cancelled), [], "The answer")
    equal((yield* stage.read(done.id)).state, "completed", "The one")
    equal((yield* stage.read(cancelled)).state, "cancelled", "The other")
  }),

  scene("A run with steps to undo that is discarded is ready once more, to unwind", function* (
    stage,
  ) {
    const id = yield* stage.insertOne({ flowType: "flow", undoes: true, state: "waiting" })
    const [settled] = yield* discard(stage, id)
    equal([settled?.kind, settled?.status], ["unwinding", "applied"], "The answer")
    const [progress] = yield* stage.driver.progress([id])
    equal(progress?.ending, { reason: "Discarded", message: "no use" }, "Why it is unwinding")
    const task = yield* stage.claimOne(yield* stage.worker())
    yield* stage.settle(task, discarded)
    equal((yield* stage.read(id)).state, "failed", "The state in the end")
  }),

  scene("A step that is discarded by hand ends as its policy says, and tells its run", function* (
    stage,
  ) {
    const { run, tasks } = yield* planted(
      stage,
      { step: "a" },
      { step: "b", onExhausted: "skip" },
    )
    yield* discard(stage, tasks[0]!)
    equal(yield* wakesOf(stage, run), { wakes: 1, state: "ready" }, "The run")
    yield* discard(stage, tasks[1]!)
    const [a, b] = yield* countsOf(stage, run)
    equal([a?.failed, b?.skipped], [1, 1], "How the steps ended")
  }),

  scene("A task that was discarded by hand can be retried", function* (stage) {
    const worker = yield* stage.worker()
    const id = yield* stage.insertOne()
    yield* stage.attempt(worker, failed(1000))
    yield* discard(stage, id)
    yield* stage.retry(id)
    const task = yield* stage.claimOne(worker)
    equal([task.id, task.failures, task.lease], [id, 0, 4], "The claimed task")
  }),

  scene("Of a discard and a completion at one time exactly one stands", function* (stage) {
    yield* stage.insert(stage.newTasks(10))
    for (const task of yield* stage.claim(yield* stage.worker(), 10)) {
      yield* Effect.all([discard(stage, task.id), stage.settle(task, completed())], {
        concurrency: "unbounded",
      })
      const { history } = yield* stage.read(task.id)
      equal(history.length, 1, "The entries")
    }
  }),
]
