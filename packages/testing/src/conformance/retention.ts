/**
 * Cases of removing the runs of one definition that have ended.
 *
 * @since 0.1.0
 */
import type { Driver } from "@millrace/core"
import { TestClock } from "effect/testing"
import { equal } from "./expect.ts"
import { type Case, scene, type Stage } from "./fixtures.ts"
import { completed, failed, failedForGood } from "./outcomes.ts"

const ended = function* (
  stage: Stage,
  flow: string,
  outcome = completed() as Parameters<
    Stage["settle"]
  >[1],
) {
  const task = yield* stage.claimed({ flow })
  yield* stage.settle(task, outcome)
  return task.id
}

const left = function* (stage: Stage) {
  return (yield* stage.readAll()).map(({ id }) => id)
}

const flowTask = { flowType: "flow", version: "v1", flow: "order" } as const

const endAll = function* (stage: Stage) {
  yield* stage.cancel(...(yield* left(stage)))
}

const every: Driver.PruneRequest = { olderThanMillis: 0, limit: 100 }

/** Cases of retention.
 * @category cases
 * @since 0.1.0 */
export const retentionCases: ReadonlyArray<Case> = [
  scene("Pruning the runs of one definition leaves those of others", function* (stage) {
    const mail = yield* ended(stage, "mail")
    const order = yield* ended(stage, "order")
    const open = yield* stage.insertOne({ flow: "mail" })
    equal(yield* stage.driver.prune({ ...every, flow: "mail" }), 1, "The answer")
    equal(yield* left(stage), [order, open], "What is left")
    equal(
      [yield* stage.driver.prune({ ...every, flow: "mail" }), mail === order],
      [0, false],
      "2nd",
    )
  }),

  scene("Pruning the runs that ended one way leaves those that ended another", function* (stage) {
    const done = yield* ended(stage, "mail")
    const wrong = yield* ended(stage, "mail", failedForGood)
    const gone = yield* stage.insertOne({ flow: "mail" })
    yield* stage.cancel(gone)
    const of = (states: Driver.PruneRequest["states"]) =>
      stage.driver.prune({ ...every, flow: "mail", states })
    equal(yield* of(["failed"]), 1, "The failed ones")
    equal(yield* left(stage), [done, gone], "Without the failed one")
    equal([yield* of(["failed", "cancelled"]), yield* of([])], [1, 0], "Two ways, and none")
    equal(yield* left(stage), [done], "What has completed")
    equal([yield* of(["completed"]), wrong === done], [1, false], "The completed one")
  }),

  scene("A run that failed, was retried and runs again is not pruned", function* (stage) {
    const id = yield* ended(stage, "mail", failedForGood)
    yield* stage.retry(id)
    equal(yield* stage.driver.prune({ ...every, flow: "mail", states: ["failed"] }), 0, "Ready")
    yield* stage.claimOne(stage.name("a"))
    equal(yield* stage.driver.prune({ ...every, flow: "mail" }), 0, "While it runs")
    equal(yield* stage.driver.prune({ ...every, flow: "mail", keep: 0 }), 0, "By count")
    equal(yield* left(stage), [id], "What is left")
  }),

  scene("Pruning runs goes by the age of their end, up to a limit", function* (stage) {
    for (let nth = 0; nth < 5; nth++) {
      yield* ended(stage, "mail")
      yield* TestClock.adjust(1000)
    }
    const prune = (olderThanMillis: number, limit: number) =>
      stage.driver.prune({ olderThanMillis, limit, flow: "mail" })
    equal(yield* prune(5001, 10), 0, "Before the first is old enough")
    equal(yield* prune(3000, 2), 2, "Two of three")
    equal(yield* prune(3000, 2), 1, "The third")
    equal((yield* left(stage)).length, 2, "What is left")
  }),

  scene("Pruning keeps the newest runs where a count is given", function* (stage) {
    const ids: Array<string> = []
    for (let nth = 0; nth < 5; nth++) ids.push(yield* ended(stage, "mail"))
    const other = yield* ended(stage, "order")
    const wrong = yield* ended(stage, "mail", failedForGood)
    const open = yield* stage.insertOne({ flow: "mail" })
    const prune = (keep: number, limit = 100) =>
      stage.driver.prune({ olderThanMillis: 0, limit, flow: "mail", states: ["completed"], keep })
    equal(yield* prune(7), 0, "More than there are")
    equal(yield* prune(4, 100), 1, "All but four")
    equal(yield* left(stage), [...ids.slice(1), other, wrong, open], "Four of them")
    equal([yield* prune(1, 2), yield* prune(1, 2), yield* prune(1, 2)], [2, 1, 0], "Two at a time")
    equal(yield* left(stage), [ids[4]!, other, wrong, open], "The newest")
    equal(yield* prune(0), 1, "None is kept")
  }),

  scene("Of the runs beyond a count only those go that are old enough", function* (stage) {
    const old = yield* ended(stage, "mail")
    yield* TestClock.adjust(10_000)
    const young = yield* ended(stage, "mail")
    const newest = yield* ended(stage, "mail")
    const request = { olderThanMillis: 5000, limit: 10, flow: "mail", keep: 1 }
    equal(yield* stage.driver.prune(request), 1, "The answer")
    equal([yield* left(stage), old === young], [[young, newest], false], "What is left")
  }),

  scene("Pruning what ended within a time leaves what ended before", function* (stage) {
    const first = yield* ended(stage, "mail")
    yield* TestClock.adjust(10_000)
    const second = yield* ended(stage, "mail")
    yield* TestClock.adjust(10_000)
    const third = yield* ended(stage, "mail")
    const prune = (olderThanMillis: number, youngerThanMillis: number) =>
      stage.driver.prune({ olderThanMillis, youngerThanMillis, limit: 10, flow: "mail" })
    equal(yield* prune(5000, 10_000), 0, "Up to the second")
    equal(yield* prune(5000, 10_001), 1, "With the second")
    equal([yield* left(stage), second === first], [[first, third], false], "What is left")
  }),

  scene(
    "A run of a flow is pruned with all that is below it, once all of that has ended",
    function* (
      stage,
    ) {
      const run = stage.newTask({ ...flowTask, state: "waiting" })
      const [a, b, nested] = stage.newTasks(3, { ...flowTask, runId: run.id, parent: run.id })
      const inner = { ...nested!, runId: nested!.id, flow: "inner", step: "inner" }
      const deep = stage.newTask({ ...flowTask, flow: "inner", runId: inner.id, parent: inner.id })
      const other = stage.newTask({ ...flowTask, flow: "inner" })
      yield* stage.insert([run, a!, b!, inner, deep, other])
      yield* stage.cancel(run.id, a!.id, inner.id, deep.id, other.id)
      const prune = stage.driver.prune({ ...every, flow: "order" })
      equal(yield* prune, 0, "While a step is open")
      yield* stage.cancel(b!.id)
      equal(yield* stage.driver.prune({ ...every, flow: "inner" }), 1, "What is no step")
      equal(yield* prune, 5, "The answer")
      equal(yield* left(stage), [], "What is left")
      equal(yield* stage.driver.progress([run.id]), [], "Its progress")
    },
  ),

  scene("A limit of runs counts no steps", function* (stage) {
    for (let nth = 0; nth < 3; nth++) {
      const run = stage.newTask({ ...flowTask, state: "waiting" })
      yield* stage.insert([
        run,
        ...stage.newTasks(4, { ...flowTask, runId: run.id, parent: run.id }),
      ])
    }
    yield* endAll(stage)
    equal(yield* stage.driver.prune({ ...every, limit: 2, flow: "order" }), 10, "Two runs")
    equal(yield* stage.driver.prune({ ...every, limit: 2, flow: "order" }), 5, "The third")
  }),

  scene("A key of a run that was pruned is free", function* (stage) {
    const unique = { key: "ada", states: ["completed"], onClash: "ignore" } as const
    const first = yield* stage.claimed({ flow: "mail", unique })
    yield* stage.settle(first, completed())
    const again = stage.newTask({ flow: "mail", unique })
    equal((yield* stage.driver.insert([again]))[0]?.holder, first.id, "While it is there")
    equal(yield* stage.driver.prune({ ...every, flow: "mail" }), 1, "The answer")
    equal((yield* stage.driver.insert([again]))[0]?.inserted, true, "Once it is gone")
  }),

  scene("A run that waits for its next attempt is not pruned", function* (stage) {
    const task = yield* stage.claimed({ flow: "mail" })
    yield* stage.settle(task, failed(1000))
    yield* TestClock.adjust(5000)
    equal(yield* stage.driver.prune({ ...every, flow: "mail" }), 0, "By age")
    equal(yield* stage.driver.prune({ ...every, flow: "mail", keep: 0 }), 0, "By count")
  }),
]
