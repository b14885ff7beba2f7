/**
 * Cases of changing many runs at a time.
 *
 * @since 0.1.0
 */
import { Runs } from "@millrace/core"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { equal } from "./expect.ts"
import { type Case, everything, scene } from "./fixtures.ts"
import { completed, failedForGood } from "./outcomes.ts"
import { planted } from "./trees.ts"

const both = { concurrency: "unbounded" } as const

/** Cases of changing many runs at a time.
 * @category cases
 * @since 0.1.0 */
export const manyCases: ReadonlyArray<Case> = [
  scene("Many runs are cancelled page by page, each with all that is below it", function* (stage) {
    yield* stage.insert(stage.newTasks(230, { flow: "alpha" }))
    const kept = yield* stage.insertOne({ flow: "beta" })
    for (let nth = 0; nth < 12; nth++) yield* planted(stage, {}, { step: "weigh" })
    const other = yield* planted(stage, {})
    yield* stage.cancel(other.run)
    const answer = yield* Runs.cancelMany({ job: "alpha" })
    equal(answer, { found: 230, changed: 230 }, "The answer")
    equal((yield* stage.read(kept)).state, "ready", "A run of another job")
    const flows = yield* Runs.cancelMany({ states: ["waiting"] }, { limit: 11 })
    equal(flows, { found: 11, changed: 11 }, "The answer for flows")
    const open = yield* stage.driver.find({ states: ["waiting", "ready"], limit: everything })
    equal(open.length, 5, "What is left: one run with two steps, one without a run, and one job")
  }),

  scene("Of two that change many runs at one time, each run is changed by one", function* (stage) {
    const ids = yield* stage.insert(stage.newTasks(120))
    const answers = yield* Effect.all(
      [Runs.cancelMany({ everything: true }), Runs.discardMany({ everything: true })],
      both,
    )
    equal(answers[0].changed + answers[1].changed, 120, "How many were changed")
    const records = yield* stage.driver.find({ ids, limit: everything })
    equal(records.every(({ history }) => history.length === 1), true, "One entry each")
  }),

  scene("Many runs are put off while they are claimed, and each is one of both", function* (stage) {
    yield* stage.insert(stage.newTasks(60))
    const worker = yield* stage.worker()
    const [tasks, { changed }] = yield* Effect.all(
      [stage.claim(worker, 30), Runs.rescheduleMany({ states: ["ready"] }, { delay: 1000 })],
      both,
    )
    equal(tasks.length + changed >= 60, true, "How many were claimed or put off")
    for (const { dueAt, state } of yield* stage.readAll()) {
      equal([state, dueAt], state === "running" ? ["running", undefined] : ["ready", 1000], "A run")
    }
    yield* TestClock.adjust(1000)
    equal((yield* stage.claim(worker, 100)).length, 60 - tasks.length, "What is claimed later")
  }),

  scene("Many failed runs are retried, and what has completed stays", function* (stage) {
    yield* stage.insert(stage.newTasks(110))
    const worker = yield* stage.worker()
    const tasks = yield* stage.claim(worker, 110)
    yield* Effect.forEach(
      tasks,
      (task, nth) => stage.settle(task, nth < 105 ? failedForGood : completed()),
    )
    equal(yield* Runs.retryMany({ states: ["failed"] }), { found: 105, changed: 105 }, "The answer")
    equal((yield* stage.claim(worker, 200)).length, 105, "What can be claimed")
  }),
]
