/**
 * Cases of runs that wait, and of what wakes them.
 *
 * @since 0.1.0
 */
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { equal } from "./expect.ts"
import { type Case, scene, settling } from "./fixtures.ts"
import { advanced, completed, failed, failedForGood, snoozed } from "./outcomes.ts"
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

const waiting = (wakes: number) => ({ wakes, state: "waiting" as const })
const woken = (wakes: number) => ({ wakes, state: "ready" as const })

/** Cases of runs that wait, and of what wakes them.
 * @category cases
 * @since 0.1.0 */
export const wakingCases: ReadonlyArray<Case> = [
  scene("A task that waits is not claimed until it is woken", function* (stage) {
    const run = yield* stage.insertOne(runOf(stage))
    yield* stage.settle(yield* claimRun(stage), advanced(0, [stepOf(stage, run)]))
    yield* TestClock.adjust(1_000_000)
    equal(yield* claimRuns(stage, "later"), [], "What can be claimed while it waits")
    equal(yield* wakesOf(stage, run), waiting(0), "The run")
    yield* stage.settle((yield* claimSteps(stage))[0]!, completed())
    equal(yield* wakesOf(stage, run), woken(1), "The run when its step has ended")
    const again = yield* claimRun(stage, "later")
    equal([again.id, again.lease, again.failures, again.crashes], [run, 2, 0, 0], "The claim")
    const kinds = (yield* look(stage, run)).history.map(({ kind, lease }) => [kind, lease])
    equal(kinds, [["advanced", 1]], "Its history")
  }),

  scene("A task that was woken since it looked does not wait", function* (stage) {
    const run = yield* stage.insertOne(runOf(stage))
    yield* stage.insert(mapOf(stage, run, 2))
    const held = yield* claimRun(stage)
    for (const task of yield* claimSteps(stage)) yield* stage.settle(task, completed())
    equal(yield* wakesOf(stage, run), { wakes: 1, state: "running" }, "The run while it runs")
    yield* stage.settle(held, advanced(0))
    equal(yield* wakesOf(stage, run), woken(1), "The run when it would wait")
    yield* stage.settle(yield* claimRun(stage), advanced(1))
    equal(yield* wakesOf(stage, run), waiting(1), "The run that has seen it")
    equal(yield* claimRuns(stage), [], "What can be claimed then")
  }),

  scene(
    "A run that was never woken and has seen one wake less is ready at once",
    function* (stage) {
      const run = yield* stage.insertOne(runOf(stage))
      const over = stepOf(stage, run, { ended: { state: "skipped" } })
      yield* stage.settle(yield* claimRun(stage), advanced(-1, [over]))
      equal(yield* wakesOf(stage, run), woken(0), "The run")
      const again = yield* claimRun(stage)
      yield* stage.settle(again, advanced(-1))
      equal([again.lease, yield* wakesOf(stage, run)], [2, woken(0)], "The run once more")
    },
  ),

  scene("A step that ends wakes its run once all of its tasks have ended", function* (stage) {
    const { run } = yield* planted(stage, {}, { index: 1 }, { index: 2 }, { step: "weigh" })
    const [a, b, c] = yield* claimSteps(stage)
    yield* stage.settle(a!, completed())
    yield* stage.settle(b!, completed())
    equal(yield* wakesOf(stage, run), waiting(0), "The run with a task left")
    yield* stage.settle(c!, completed())
    equal(yield* wakesOf(stage, run), woken(1), "The run at the last")
  }),

  scene("A report that wakes does so at once", function* (stage) {
    const { run } = yield* planted(stage, {}, { index: 1 })
    const [task] = yield* claimSteps(stage)
    yield* stage.settle(task!, failedForGood)
    equal(yield* wakesOf(stage, run), woken(1), "The run")
    equal(yield* countsOf(stage, run), [counted("pack", 2, { failed: 1 })], "The counts")
  }),

  scene("A task that may fail wakes its run only when its step has ended", function* (stage) {
    const { run } = yield* planted(
      stage,
      { onExhausted: "collect" },
      { index: 1, onExhausted: "skip" },
      { index: 2 },
    )
    const [a, b, c] = yield* claimSteps(stage)
    yield* stage.settle(a!, failedForGood)
    yield* stage.settle(b!, failedForGood)
    equal(yield* wakesOf(stage, run), waiting(0), "The run with a task left")
    yield* stage.settle(c!, completed())
    equal(yield* wakesOf(stage, run), woken(1), "The run at the last")
  }),

  scene("A task of a step that is cancelled wakes its run at once", function* (stage) {
    const { run, tasks } = yield* planted(stage, {}, { index: 1 })
    yield* stage.cancel(tasks[1]!)
    equal(yield* wakesOf(stage, run), woken(1), "The run")
  }),

  scene("An attempt that is not the last wakes nobody", function* (stage) {
    const { run } = yield* planted(stage, { maxAttempts: 2 })
    yield* stage.settle((yield* claimSteps(stage))[0]!, failed())
    equal(yield* wakesOf(stage, run), waiting(0), "The run")
  }),

  scene("A task that is retried by hand wakes its run when it ends anew", function* (stage) {
    const { run } = yield* planted(stage, { onExhausted: "collect" })
    yield* stage.settle((yield* claimSteps(stage))[0]!, failedForGood)
    yield* stage.settle(yield* claimRun(stage), advanced(1))
    const [task] = yield* stage.readAll()
    yield* stage.retry(task!.id)
    equal(yield* wakesOf(stage, run), waiting(1), "The run when its step begins anew")
    yield* stage.settle((yield* claimSteps(stage))[0]!, completed())
    equal(yield* wakesOf(stage, run), woken(2), "The run when its step has ended anew")
  }),

  scene("A run is woken once for a batch, however many of its tasks end in it", function* (stage) {
    const { run } = yield* planted(stage, {}, { index: 1 }, { step: "weigh" }, { step: "audit" })
    const tasks = yield* claimSteps(stage)
    yield* stage.driver.settle(
      tasks.map((task, index) => settling(task, index === 0 ? failedForGood : completed())),
    )
    equal(yield* wakesOf(stage, run), woken(1), "The run")
  }),

  scene("A run is woken for each batch in which a step of it ends", function* (stage) {
    const { run } = yield* planted(stage, {}, { step: "weigh" }, { step: "audit" })
    for (const task of yield* claimSteps(stage)) yield* stage.settle(task, completed())
    equal(yield* wakesOf(stage, run), woken(3), "The run")
    equal((yield* claimRuns(stage)).length, 1, "How often it is claimed")
  }),

  scene("A wake of a run that is ready is counted, and moves it nowhere", function* (stage) {
    const run = yield* stage.insertOne(runOf(stage))
    const behind = yield* stage.insertOne(runOf(stage))
    yield* stage.insert([stepOf(stage, run)])
    yield* stage.settle((yield* claimSteps(stage))[0]!, completed())
    equal(yield* wakesOf(stage, run), woken(1), "The run")
    equal((yield* claimRuns(stage)).map(({ id }) => id), [run, behind], "The order of the claim")
  }),

  scene("A wake of a run that is put off is counted, and does not hurry it", function* (stage) {
    const run = yield* stage.insertOne(runOf(stage))
    yield* stage.insert([stepOf(stage, run)])
    yield* stage.settle(yield* claimRun(stage), snoozed(1000))
    yield* stage.settle((yield* claimSteps(stage))[0]!, completed())
    const { dueAt } = yield* look(stage, run)
    equal([yield* wakesOf(stage, run), dueAt], [woken(1), 1000], "The run")
    equal(yield* claimRuns(stage), [], "What can be claimed")
    yield* TestClock.adjust(1000)
    equal((yield* claimRuns(stage)).length, 1, "What can be claimed in time")
  }),

  scene("A wake of a run that has ended is counted, and changes nothing else", function* (stage) {
    const run = yield* stage.insertOne(runOf(stage))
    yield* stage.insert([stepOf(stage, run)])
    yield* stage.settle(yield* claimRun(stage), completed())
    const before = yield* look(stage, run)
    yield* stage.settle((yield* claimSteps(stage))[0]!, completed())
    equal(yield* wakesOf(stage, run), { wakes: 1, state: "completed" }, "The run")
    equal(yield* look(stage, run), before, "What is stored of it")
  }),

  scene("A run that has been woken takes its place behind what was ready before", function* (
    stage,
  ) {
    const { run } = yield* planted(stage, {})
    const urgent = runOf(stage, { priority: 0 })
    const before = yield* stage.insertOne(runOf(stage))
    yield* stage.settle((yield* claimSteps(stage))[0]!, completed())
    const after = yield* stage.insertOne(runOf(stage))
    yield* stage.insert([urgent])
    const order = (yield* claimRuns(stage)).map(({ id }) => id)
    equal(order, [urgent.id, before, run, after], "The order of the claim")
  }),

  scene("Going on clears what a run spent before", function* (stage) {
    const run = yield* stage.insertOne(runOf(stage, { maxAttempts: 3, maxCrashes: 2 }))
    yield* stage.settle(yield* claimRun(stage), failed())
    yield* claimRun(stage, "lost")
    yield* stage.beat(stage.name("lost"), [], 0)
    yield* stage.recover()
    const held = yield* claimRun(stage)
    equal([held.failures, held.crashes], [1, 1], "Spent before")
    yield* stage.settle(held, advanced(0, [stepOf(stage, run)]))
    const { failures, crashes } = yield* look(stage, run)
    equal([failures, crashes], [0, 0], "Spent when it went on")
    yield* stage.settle((yield* claimSteps(stage))[0]!, completed())
    yield* stage.insertOne(runOf(stage))
    equal((yield* claimRuns(stage)).length, 2, "What is claimed together")
  }),

  scene("A run that waits is held by nobody, and nobody's loss concerns it", function* (stage) {
    const run = yield* stage.insertOne(runOf(stage))
    const held = yield* claimRun(stage)
    yield* stage.settle(held, advanced(0, [stepOf(stage, run)]))
    equal((yield* stage.beat(stage.name("conductor"), [held])).lost, [run], "What is lost")
    yield* stage.beat(stage.name("conductor"), [], 0)
    yield* TestClock.adjust(1_000_000)
    equal(yield* stage.recover(), [], "The recovered tasks")
    equal(yield* wakesOf(stage, run), waiting(0), "The run")
  }),

  scene("A run whose worker is lost while it conducts is conducted again", function* (stage) {
    const run = yield* stage.insertOne(runOf(stage))
    yield* stage.insert([stepOf(stage, run)])
    const late = yield* claimRun(stage, "lost")
    yield* stage.settle((yield* claimSteps(stage))[0]!, completed())
    yield* stage.beat(stage.name("lost"), [], 0)
    yield* stage.recover()
    const answer = yield* stage.settle(late, advanced(0, [stepOf(stage, run, { step: "weigh" })]))
    equal([answer.status, answer.kind], ["already", "crashed"], "The late answer")
    equal(yield* wakesOf(stage, run), woken(1), "The run")
    const { id, lease, crashes } = yield* claimRun(stage)
    equal([id, lease, crashes], [run, 2, 1], "The next claim")
    equal((yield* countsOf(stage, run)).length, 1, "The steps")
  }),

  scene("A run that is cancelled while it waits is not woken again", function* (stage) {
    const { run } = yield* planted(stage, {})
    yield* stage.cancel(run)
    const { state, history } = yield* look(stage, run)
    equal([state, history.map(({ lease }) => lease)], ["cancelled", [1]], "The run")
    yield* stage.settle((yield* claimSteps(stage))[0]!, completed())
    equal(yield* wakesOf(stage, run), { wakes: 1, state: "cancelled" }, "The run after its step")
    equal(yield* claimRuns(stage), [], "What can be claimed")
  }),

  scene("A change that was decided on a waiting run is stale once it is woken", function* (stage) {
    const { run } = yield* planted(stage, {}, { step: "weigh" })
    const [pack, weigh] = yield* claimSteps(stage)
    const held = { ...(yield* look(stage, run)), state: "running" as const }
    yield* stage.settle(pack!, completed())
    const late = { ...settling(held, completed()), from: "waiting" as const }
    const [answer] = yield* stage.driver.settle([{ ...late, entry: { ...late.entry, lease: 1 } }])
    equal(answer!.status, "stale", "The answer")
    yield* stage.settle(weigh!, completed())
    equal(yield* wakesOf(stage, run), woken(2), "The run")
  }),

  scene("The end of a run that is a step wakes the outer run", function* (stage) {
    const { run } = yield* planted(stage)
    const inner = subRunOf(stage, run, { state: "waiting" })
    yield* stage.insert([inner, stepOf(stage, inner.id)])
    yield* stage.settle((yield* claimSteps(stage))[0]!, completed())
    equal(yield* wakesOf(stage, run), waiting(0), "The outer run while the inner one goes on")
    yield* stage.settle(yield* claimRun(stage), completed(`{"pack":1}`))
    equal(yield* wakesOf(stage, run), woken(1), "The outer run")
    equal(yield* countsOf(stage, run), [counted("ship", 1, { completed: 1 })], "Its counts")
  }),

  scene("The last two tasks of a step that end at one time wake its run", function* (stage) {
    for (let round = 0; round < 5; round++) {
      const { run } = yield* planted(stage, {}, { index: 1 })
      const tasks = yield* claimSteps(stage)
      yield* Effect.forEach(tasks, (task) => stage.settle(task, completed()), {
        concurrency: "unbounded",
      })
      equal(yield* wakesOf(stage, run), woken(1), "The run")
    }
  }),

  scene("A step that ends while its run begins to wait wakes it", function* (stage) {
    for (let round = 0; round < 10; round++) {
      const run = yield* stage.insertOne(runOf(stage))
      yield* stage.insert([stepOf(stage, run)])
      const held = yield* claimRun(stage)
      const [task] = yield* claimSteps(stage)
      const both = [stage.settle(held, advanced(0)), stage.settle(task!, completed())]
      yield* Effect.all(round % 2 === 0 ? both : both.toReversed(), { concurrency: "unbounded" })
      equal(yield* wakesOf(stage, run), woken(1), "The run")
      yield* stage.settle(yield* claimRun(stage), completed())
    }
  }),

  scene("A run and its last step can be settled in one batch", function* (stage) {
    for (const order of [0, 1]) {
      const run = yield* stage.insertOne(runOf(stage))
      yield* stage.insert([stepOf(stage, run)])
      const held = yield* claimRun(stage)
      const [task] = yield* claimSteps(stage)
      const both = [settling(held, advanced(0)), settling(task!, completed())]
      yield* stage.driver.settle(order === 0 ? both : both.toReversed())
      equal(yield* wakesOf(stage, run), woken(1), "The run")
      yield* stage.settle(yield* claimRun(stage), completed())
    }
  }),
]
