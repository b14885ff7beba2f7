/**
 * Cases of storing the tasks of flows: those that have ended already, and runs that wait.
 *
 * @since 0.1.0
 */
import type { Driver, Outcome } from "@millrace/core"
import { TestClock } from "effect/testing"
import { equal, equalJson } from "./expect.ts"
import { type Case, scene } from "./fixtures.ts"
import {
  claimRun,
  claimRuns,
  claimSteps,
  counted,
  countsOf,
  look,
  mapOf,
  planted,
  runOf,
  stepOf,
  subRunOf,
  wakesOf,
} from "./trees.ts"

const done: Driver.Ended = { state: "completed", output: `{"parcel":1}` }
const unmet: Outcome.Failure = { reason: "ConditionUnmet", message: "Its condition is not met" }
const left: Driver.Ended = { state: "skipped", failure: unmet }

/** Cases of storing the tasks of flows.
 * @category cases
 * @since 0.1.0 */
export const branchCases: ReadonlyArray<Case> = [
  scene("A task that is stored as ended is never claimed, and has one entry", function* (stage) {
    const { run, tasks } = yield* planted(stage, { ended: done }, { ended: left, step: "weigh" })
    equal(yield* claimSteps(stage), [], "What can be claimed")
    yield* TestClock.adjust(1_000_000)
    equal(yield* claimSteps(stage, 10, "later"), [], "What can be claimed later")
    const [packed, weighed] = yield* stage.readAll()
    const entry = { lease: 1, attempt: undefined, startedAt: undefined, at: 0 }
    equal(
      [packed!.id, packed!.state, packed!.lease, packed!.history],
      [tasks[0]!, "completed", 1, [{
        ...{ ...entry, kind: "completed", output: packed!.history[0]!.output },
        failure: undefined,
      }]],
      "The completed task",
    )
    equalJson(packed!.history[0]!.output, `{"parcel":1}`, "Its output")
    equal(
      [weighed!.id, weighed!.state, weighed!.history],
      [tasks[1]!, "skipped", [{ ...entry, kind: "skipped", output: undefined, failure: unmet }]],
      "The skipped task",
    )
    equal(weighed!.branch?.parent, run, "The run of the skipped task")
  }),

  scene("A task that is stored as ended wakes the run that it is a step of", function* (stage) {
    const { run } = yield* planted(stage)
    yield* stage.insert([stepOf(stage, run, { step: "approve:signal", ended: done })])
    equal(yield* wakesOf(stage, run), { wakes: 1, state: "ready" }, "The run")
    equal((yield* claimRun(stage)).id, run, "The claimed task")
  }),

  scene("A task that is stored as ended wakes nobody while its step goes on", function* (stage) {
    const { run } = yield* planted(stage, {})
    yield* stage.insert([stepOf(stage, run, { index: 1, ended: done })])
    equal(yield* wakesOf(stage, run), { wakes: 0, state: "waiting" }, "The run")
  }),

  scene("Tasks that are stored as ended wake their run once for a batch", function* (stage) {
    const { run } = yield* planted(stage)
    const other = yield* planted(stage)
    yield* stage.insert([
      ...mapOf(stage, run, 3, { ended: done }),
      stepOf(stage, run, { step: "weigh", ended: left }),
      stepOf(stage, other.run, { ended: done }),
    ])
    equal(yield* wakesOf(stage, run), { wakes: 1, state: "ready" }, "The run")
    equal(yield* wakesOf(stage, other.run), { wakes: 1, state: "ready" }, "The other run")
  }),

  scene("A run that is stored as waiting is not claimed", function* (stage) {
    yield* planted(stage, {})
    const worker = yield* stage.worker()
    const lanes = [{ queue: stage.otherQueue, limit: 10 }]
    const claim = yield* stage.driver.claim({ worker, lanes, waits: false })
    equal(claim, { tasks: [], nextDueMillis: undefined }, "The claim")
  }),

  scene("A run that is stored as waiting beside a step that has ended is woken", function* (stage) {
    const { run } = yield* planted(stage, {}, { step: "weigh", ended: left })
    equal(yield* wakesOf(stage, run), { wakes: 1, state: "ready" }, "The run")
  }),

  scene("The output of a task that is stored as ended is kept as JSON", function* (stage) {
    const outputs = ["0", "false", "null", `""`, "[]", `{"a":[1,{"b":"{NULL}, \\"漢字\\" $1"}]}`]
    const { run } = yield* planted(stage)
    yield* stage.insert(
      outputs.map((output, index) =>
        stepOf(stage, run, { index, ended: { state: "completed", output } })
      ),
    )
    for (const { index, history } of yield* stage.readAll()) {
      equalJson(history[0]!.output, outputs[index]!, "The output")
    }
  }),

  scene("A failure of a task that is stored as ended is kept with its error", function* (stage) {
    const failure: Outcome.Failure = { reason: "NeedSkipped", message: "it's {NULL}", error: "[0]" }
    const { tasks } = yield* planted(stage, { ended: { state: "skipped", failure } })
    const [entry] = (yield* look(stage, tasks[0]!)).history
    equal(entry!.failure, failure, "The failure")
  }),

  scene("A task that exists is not stored as ended, nor counted again", function* (stage) {
    const { run, tasks } = yield* planted(stage, {})
    const again = stepOf(stage, run, { id: tasks[0]!, ended: done })
    equal(yield* stage.driver.insert([again]), [{ id: again.id, inserted: false }], "The answer")
    equal((yield* look(stage, tasks[0]!)).state, "ready", "Its state")
    equal(yield* countsOf(stage, run), [counted("pack", 1)], "The counts")
    equal(yield* wakesOf(stage, run), { wakes: 0, state: "waiting" }, "The run")
  }),

  scene("A second end of a task changes nothing and wakes nobody", function* (stage) {
    const { run } = yield* planted(stage)
    const first = stepOf(stage, run, { step: "approve:signal", ended: done })
    yield* stage.insert([first])
    yield* stage.insert([{ ...first, ended: { state: "completed", output: `"later"` } }])
    equalJson((yield* look(stage, first.id)).history[0]!.output, `{"parcel":1}`, "The output")
    equal((yield* wakesOf(stage, run)).wakes, 1, "The wakes")
    equal(
      yield* countsOf(stage, run),
      [counted("approve:signal", 1, { completed: 1 })],
      "The counts",
    )
  }),

  scene("An id that is twice in a batch is counted once", function* (stage) {
    const { run } = yield* planted(stage)
    const task = stepOf(stage, run)
    const answers = yield* stage.driver.insert([task, task])
    equal(answers.map(({ inserted }) => inserted), [true, false], "The answers")
    equal(yield* countsOf(stage, run), [counted("pack", 1)], "The counts")
  }),

  scene("A task of a step tells its run, its policy and its version", function* (stage) {
    const run = runOf(stage, { undoes: true })
    const policies = ["fail", "skip", "collect", undefined] as const
    const steps = policies.map((onExhausted, index) =>
      stepOf(stage, run.id, { index, onExhausted, version: `v${index}` })
    )
    yield* stage.insert([run, ...steps])
    const expected = policies.map((onExhausted = "fail", index) => [
      { parent: run.id, step: "pack", onExhausted },
      `v${index}`,
      index,
    ])
    const claimed = yield* claimSteps(stage)
    equal(claimed.map((one) => [one.branch, one.version, one.index]), expected, "What is claimed")
    const found = yield* stage.readAll()
    equal(found.map((one) => [one.branch, one.version, one.index]), expected, "What is found")
    const own = yield* claimRun(stage)
    equal([own.branch, own.undoes, own.version], [undefined, true, "v1"], "The claimed run")
    const { branch, undoes, version } = yield* look(stage, run.id)
    equal([branch, undoes, version], [undefined, true, "v1"], "The found run")
  }),

  scene(
    "A run that is a step belongs to the outer run, and is a run of its own",
    function* (stage) {
      const { run } = yield* planted(stage)
      const inner = subRunOf(stage, run)
      yield* stage.insert([inner, stepOf(stage, inner.id)])
      const claimed = yield* claimRuns(stage)
      equal(
        claimed.map(({ id, runId, branch }) => [id, runId, branch?.parent, branch?.step]),
        [[inner.id, inner.id, run, "ship"]],
        "The claimed task",
      )
      equal(yield* countsOf(stage, run), [counted("ship", 1)], "The counts of the outer run")
      equal(yield* countsOf(stage, inner.id), [counted("pack", 1)], "The counts of the inner run")
    },
  ),

  scene("A step is counted though its run is stored after it", function* (stage) {
    const run = runOf(stage)
    yield* stage.insert([stepOf(stage, run.id, { ended: done }), stepOf(stage, run.id)])
    yield* stage.insert([run])
    equal(
      yield* countsOf(stage, run.id),
      [counted("pack", 2, { completed: 1 })],
      "The counts",
    )
  }),

  scene("1,000 elements of a map are stored, counted and claimed by their index", function* (
    stage,
  ) {
    const { run } = yield* planted(stage)
    yield* stage.insert(mapOf(stage, run, 1000))
    equal(yield* countsOf(stage, run), [counted("pack", 1000)], "The counts")
    const claimed = yield* claimSteps(stage)
    equal(claimed.map(({ index }) => index), claimed.map((_, at) => at), "The claimed elements")
    equal(claimed.length, 1000, "How many")
  }),
]
