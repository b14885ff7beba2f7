/**
 * Cases of how far the steps of runs are.
 *
 * @since 0.1.0
 */
import { Effect } from "effect"
import { equal } from "./expect.ts"
import { type Case, scene, settling } from "./fixtures.ts"
import { completed, discarded, failed, failedForGood, interrupted, unwinding } from "./outcomes.ts"
import { claimRun, claimSteps, counted, countsOf, mapOf, planted, progressOf } from "./trees.ts"

/** Cases of how far the steps of runs are.
 * @category cases
 * @since 0.1.0 */
export const progressCases: ReadonlyArray<Case> = [
  scene("Progress counts the tasks of each step, and how they ended", function* (stage) {
    const { run, tasks } = yield* planted(
      stage,
      ...Array.from({ length: 5 }, (_, index) => ({ index, onExhausted: "collect" as const })),
      { step: "weigh", onExhausted: "skip" },
      { step: "audit", ended: { state: "skipped" } },
    )
    const [first, second, third, , , weigh] = yield* claimSteps(stage)
    yield* stage.driver.settle([
      settling(first!, completed()),
      settling(second!, completed()),
      settling(third!, failedForGood),
      settling(weigh!, failedForGood),
    ])
    yield* stage.cancel(tasks[3]!)
    equal(yield* countsOf(stage, run), [
      counted("audit", 1, { skipped: 1 }),
      counted("pack", 5, { completed: 2, failed: 1, cancelled: 1 }),
      counted("weigh", 1, { skipped: 1 }),
    ], "The counts")
  }),

  scene("Progress tells why a run is unwinding, until it is retried", function* (stage) {
    const { run, tasks } = yield* planted(stage, {})
    equal((yield* progressOf(stage, run)).ending, undefined, "Before")
    yield* stage.cancel(tasks[0]!)
    yield* stage.settle(yield* claimRun(stage), unwinding("no parcel"))
    const { failure } = unwinding("no parcel")
    equal((yield* progressOf(stage, run)).ending, failure, "While it unwinds")
    yield* stage.settle(yield* claimRun(stage), { _tag: "Discarded", failure })
    equal((yield* progressOf(stage, run)).ending, failure, "When it has failed")
    yield* stage.retry(run)
    equal((yield* progressOf(stage, run)).ending, undefined, "When it is retried")
    yield* stage.settle(yield* claimRun(stage), unwinding("again"))
    equal((yield* progressOf(stage, run)).ending, unwinding("again").failure, "The second time")
  }),

  scene("A run that does not exist has no progress", function* (stage) {
    const { run } = yield* planted(stage)
    const found = yield* stage.driver.progress([stage.id(999), run, "no id"])
    equal(found, [{ id: run, wakes: 0, ending: undefined, steps: [] }], "The progress")
    equal(yield* stage.driver.progress([]), [], "The progress of no runs")
  }),

  scene("The steps of a progress are in the order of their names", function* (stage) {
    const names = ["b", "a_b", "a", "pack:undo", "pack", "ab"]
    const { run } = yield* planted(stage, ...names.map((step) => ({ step })))
    const steps = (yield* countsOf(stage, run)).map(({ step }) => step)
    equal(steps, ["a", "a_b", "ab", "b", "pack", "pack:undo"], "The steps")
  }),

  scene("Runs are counted apart, and one that is named twice is told once", function* (stage) {
    const one = yield* planted(stage, {}, { index: 1 })
    const two = yield* planted(stage, {})
    const [, , other] = yield* claimSteps(stage)
    yield* stage.settle(other!, completed())
    const found = yield* stage.driver.progress([two.run, one.run, two.run])
    equal(
      [...found].sort((a, b) => (a.id < b.id ? -1 : 1)).map(({ id, steps }) => [id, steps]),
      [
        [one.run, [counted("pack", 2)]],
        [two.run, [counted("pack", 1, { completed: 1 })]],
      ],
      "The progress",
    )
  }),

  scene("An attempt that is not the last is not counted", function* (stage) {
    const { run } = yield* planted(stage, { maxAttempts: 3 })
    for (const outcome of [failed(), interrupted, failed()]) {
      yield* stage.settle((yield* claimSteps(stage))[0]!, outcome)
      equal(yield* countsOf(stage, run), [counted("pack", 1)], "The counts")
    }
    yield* stage.settle((yield* claimSteps(stage))[0]!, failed())
    equal(yield* countsOf(stage, run), [counted("pack", 1, { failed: 1 })], "At the last")
  }),

  scene("A step whose attempts are spent ends as it says", function* (stage) {
    const policies = ["fail", "skip", "collect"] as const
    const { run } = yield* planted(
      stage,
      ...policies.map((onExhausted) => ({ step: onExhausted, onExhausted, maxAttempts: 1 })),
      { step: "gave_up", onExhausted: "skip" },
    )
    const tasks = yield* claimSteps(stage)
    yield* stage.driver.settle([
      ...tasks.slice(0, 3).map((task) => settling(task, failed())),
      settling(tasks[3]!, discarded),
    ])
    const states = (yield* stage.readAll()).map(({ state }) => state)
    equal(states, ["failed", "skipped", "failed", "skipped"], "The states")
    equal(yield* countsOf(stage, run), [
      counted("collect", 1, { failed: 1 }),
      counted("fail", 1, { failed: 1 }),
      counted("gave_up", 1, { skipped: 1 }),
      counted("skip", 1, { skipped: 1 }),
    ], "The counts")
  }),

  scene("A step whose crashes are spent ends as it says, and is counted", function* (stage) {
    const policies = ["fail", "skip", "collect"] as const
    const { run } = yield* planted(
      stage,
      ...policies.map((onExhausted) => ({ step: onExhausted, onExhausted, maxCrashes: 0 })),
      { step: "left", maxCrashes: 1 },
    )
    yield* claimSteps(stage)
    yield* stage.beat(stage.name("steps"), [], 0)
    equal((yield* stage.recover()).length, 4, "The recovered tasks")
    const states = (yield* stage.readAll()).map(({ state }) => state)
    equal(states, ["failed", "skipped", "failed", "ready"], "The states")
    equal(yield* countsOf(stage, run), [
      counted("collect", 1, { failed: 1 }),
      counted("fail", 1, { failed: 1 }),
      counted("left", 1),
      counted("skip", 1, { skipped: 1 }),
    ], "The counts")
  }),

  scene("A task that is retried by hand leaves the count of its end", function* (stage) {
    const { run, tasks } = yield* planted(stage, { maxAttempts: 1 }, { index: 1 }, { index: 2 })
    const [first, second] = yield* claimSteps(stage)
    yield* stage.settle(first!, failed())
    yield* stage.settle(second!, completed())
    yield* stage.cancel(tasks[2]!)
    yield* stage.retry(...tasks)
    equal(yield* countsOf(stage, run), [counted("pack", 3, { completed: 1 })], "When retried")
    const [again] = yield* claimSteps(stage)
    yield* stage.settle(again!, failed())
    equal(
      yield* countsOf(stage, run),
      [counted("pack", 3, { completed: 1, failed: 1 })],
      "When it failed again",
    )
  }),

  scene("A settle that is stale or repeated is not counted", function* (stage) {
    const { run } = yield* planted(stage, {}, { index: 1 })
    const [task] = yield* claimSteps(stage)
    const change = settling(task!, completed())
    yield* stage.driver.settle([change, change])
    yield* stage.driver.settle([change])
    yield* stage.driver.settle([settling({ ...task!, lease: 7 }, completed())])
    equal(yield* countsOf(stage, run), [counted("pack", 2, { completed: 1 })], "The counts")
  }),

  scene("1,000 ends in one batch are counted", function* (stage) {
    const { run } = yield* planted(stage)
    yield* stage.insert(mapOf(stage, run, 1000, { onExhausted: "collect" }))
    const tasks = yield* claimSteps(stage)
    yield* stage.driver.settle(
      tasks.map((task, index) => settling(task, index % 4 === 0 ? failedForGood : completed())),
    )
    equal(
      yield* countsOf(stage, run),
      [counted("pack", 1000, { completed: 750, failed: 250 })],
      "The counts",
    )
  }),

  scene("Concurrent batches of the tasks of some runs are counted to the last", function* (stage) {
    const runs = [yield* planted(stage), yield* planted(stage), yield* planted(stage)]
    for (const { run } of runs) yield* stage.insert(mapOf(stage, run, 40))
    const tasks = yield* claimSteps(stage)
    // Each batch has tasks of every run, in another order.
    const batches = Array.from({ length: 8 }, (_, of) => {
      const some = tasks.filter((_, index) => index % 8 === of)
      return of % 2 === 0 ? some : some.toReversed()
    })
    yield* Effect.forEach(
      batches,
      (batch) => stage.driver.settle(batch.map((task) => settling(task, completed()))),
      { concurrency: "unbounded" },
    )
    for (const { run } of runs) {
      const { wakes, steps } = yield* progressOf(stage, run)
      equal([wakes, steps], [1, [counted("pack", 40, { completed: 40 })]], "The run")
    }
  }),
]
