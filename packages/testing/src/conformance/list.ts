/**
 * Cases of looking for tasks as people do.
 *
 * @since 0.1.0
 */
import type { Driver } from "@millrace/core"
import { TestClock } from "effect/testing"
import { equal } from "./expect.ts"
import { type Case, scene, type Stage } from "./fixtures.ts"
import { completed, failed, failedForGood } from "./outcomes.ts"
import { planted } from "./trees.ts"

/** The ids that a query finds.
 * @category reading
 * @since 0.1.0 */
export const idsOf = function* (stage: Stage, query: Partial<Driver.FindQuery>) {
  return (yield* stage.driver.find({ limit: 100, ...query })).map(({ id }) => id)
}

const keyed = (flow: string, key: string): Partial<Driver.NewTask> => ({
  flow,
  unique: { key, states: ["ready"], onClash: "replace" },
})

/** Tasks in every place: ready, scheduled, running, waiting, failed, cancelled, completed. */
const everywhere = function* (stage: Stage) {
  const done = yield* stage.claimed()
  yield* stage.settle(done, completed())
  const dead = yield* stage.claimed()
  yield* stage.settle(dead, failedForGood)
  const running = yield* stage.claimed()
  const again = yield* stage.claimed()
  yield* stage.settle(again, failed(60_000))
  const cancelled = yield* stage.insertOne()
  yield* stage.cancel(cancelled)
  const ready = yield* stage.insertOne()
  const waiting = yield* stage.insertOne({ flowType: "flow", state: "waiting" })
  return {
    ...{ done: done.id, dead: dead.id, running: running.id, again: again.id },
    ...{ cancelled, ready, waiting },
  }
}

/** Cases of looking for tasks as people do.
 * @category cases
 * @since 0.1.0 */
export const listCases: ReadonlyArray<Case> = [
  scene("Tasks are found in the opposite order of their ids", function* (stage) {
    const numbers = [40, 7, 300, 1]
    for (const number of numbers) yield* stage.insertOne({ id: stage.id(number) })
    const sorted = [300, 40, 7, 1].map((number) => stage.id(number))
    const query = { descending: true } as const
    equal(yield* idsOf(stage, { ...query, queue: stage.queue }), sorted, "By queue")
    equal(yield* idsOf(stage, { ...query, ids: sorted }), sorted, "By id")
    equal(yield* idsOf(stage, { ...query, runs: sorted }), sorted, "By run")
    equal(yield* idsOf(stage, { ...query, states: ["ready"] }), sorted, "By state")
    equal(yield* idsOf(stage, { ...query, limit: 2 }), sorted.slice(0, 2), "Two")
  }),

  scene("Pages in the opposite order go on before an id", function* (stage) {
    const all = (yield* stage.insert(stage.newTasks(7))).toReversed()
    for (const query of [{}, { states: ["ready"] as const }, { own: true }]) {
      const found: Array<string> = []
      for (let pages = 0; pages < 4; pages++) {
        const before = found.at(-1)
        found.push(...yield* idsOf(stage, { ...query, before, descending: true, limit: 3 }))
      }
      equal(found, all, "The pages")
    }
    equal(yield* idsOf(stage, { before: all[0]!, after: all[3]! }), [all[2]!, all[1]!], "Between")
  }),

  scene("The own tasks of runs are found without those of steps", function* (stage) {
    const { run } = yield* planted(stage, {}, { step: "weigh" })
    const job = yield* stage.insertOne()
    const sub = yield* stage.insertOne({
      ...{ flowType: "flow", state: "waiting", parent: run, step: "sub", version: "v1" },
    })
    equal(yield* idsOf(stage, { own: true }), [run, job].sort(), "Own tasks")
    const states = ["waiting", "ready"] as const
    equal(yield* idsOf(stage, { own: true, states }), [run, job].sort(), "Open own tasks")
    equal(yield* idsOf(stage, { own: true, ids: [sub, job] }), [job], "Of two ids")
    equal((yield* idsOf(stage, { own: false })).length, 5, "All tasks")
  }),

  scene("Tasks are found by the key of their group", function* (stage) {
    const a = yield* stage.insertOne({ group: "a" })
    const b = yield* stage.insertOne({ group: "b" })
    const more = yield* stage.insertOne({ group: "a", delayMillis: 1000 })
    yield* stage.insertOne()
    equal(yield* idsOf(stage, { group: "a" }), [a, more], "Of the one")
    equal(yield* idsOf(stage, { group: "b", states: ["ready"] }), [b], "Of the other")
    equal(yield* idsOf(stage, { group: "c" }), [], "Of none")
    equal(yield* idsOf(stage, { group: "" }), [], "Of no key")
  }),

  scene("The task that took a key last is found by it", function* (stage) {
    const flow = "alpha"
    yield* stage.insertOne(keyed(flow, "k"))
    const second = yield* stage.insertOne(keyed(flow, "k"))
    const other = yield* stage.insertOne(keyed("beta", "k"))
    yield* stage.insertOne(keyed(flow, "l"))
    equal(yield* idsOf(stage, { key: { flow, key: "k" } }), [second], "The one")
    equal(yield* idsOf(stage, { key: { flow: "beta", key: "k" } }), [other], "Of another job")
    equal(yield* idsOf(stage, { key: { flow, key: "K" } }), [], "Of no task")
    equal(yield* idsOf(stage, { key: { flow, key: "k" }, queue: "nowhere" }), [], "Elsewhere")
    yield* stage.cancel(second)
    equal(yield* idsOf(stage, { key: { flow, key: "k" } }), [second], "Of an ended one")
    const query = { key: { flow, key: "k" }, states: ["ready"] as const }
    equal(yield* idsOf(stage, query), [], "Of an ended one, as ready")
  }),

  scene("Tasks are found by when they were stored", function* (stage) {
    const all: Array<string> = []
    for (const time of [1000, 2000, 3000]) {
      yield* TestClock.setTime(time)
      all.push(yield* stage.insertOne())
    }
    const [first, second, third] = all as [string, string, string]
    equal(yield* idsOf(stage, { createdFrom: 2000 }), [second, third], "From")
    equal(yield* idsOf(stage, { createdFrom: 2001 }), [third], "From later")
    equal(yield* idsOf(stage, { createdBefore: 2000 }), [first], "Before")
    equal(yield* idsOf(stage, { createdBefore: 2001 }), [first, second], "Before later")
    equal(yield* idsOf(stage, { createdFrom: 2000, createdBefore: 3000 }), [second], "Both")
    const query = { createdFrom: -1e15, createdBefore: 1e14 }
    equal(yield* idsOf(stage, { ...query, states: ["ready"] }), all, "In all of time")
    equal(yield* idsOf(stage, { createdBefore: -5 }), [], "Before there was anything")
  }),

  scene("Lists of some states find each task once, where it stands", function* (stage) {
    const all = yield* everywhere(stage)
    const of = (...states: ReadonlyArray<Driver.TaskRecord["state"]>) =>
      idsOf(stage, { own: true, states })
    equal(yield* of("ready"), [all.again, all.ready], "Ready")
    equal(yield* of("running"), [all.running], "Running")
    equal(yield* of("waiting"), [all.waiting], "Waiting")
    equal(yield* of("failed"), [all.dead], "Failed")
    equal(yield* of("cancelled"), [all.cancelled], "Cancelled")
    equal(yield* of("failed", "cancelled"), [all.dead, all.cancelled], "Failed or cancelled")
    const open = [all.running, all.again, all.ready, all.waiting]
    equal(yield* of("ready", "running", "waiting"), open, "Open")
    equal(yield* of("failed", "running"), [all.dead, all.running], "Failed or running")
    equal(yield* of("completed"), [all.done], "Completed")
    equal(yield* of(), [], "None")
  }),

  scene("A task that goes on is listed where it stands now", function* (stage) {
    const dead = yield* stage.claimed()
    yield* stage.settle(dead, failedForGood)
    yield* stage.retry(dead.id)
    const of = (state: "ready" | "running" | "failed") =>
      idsOf(stage, { own: true, states: [state] })
    equal([yield* of("failed"), yield* of("ready")], [[], [dead.id]], "Retried")
    const worker = yield* stage.worker()
    const held = yield* stage.claimOne(worker)
    equal([yield* of("ready"), yield* of("running")], [[], [dead.id]], "Claimed")
    yield* stage.settle(held, failed(0))
    equal([yield* of("running"), yield* of("ready")], [[], [dead.id]], "Given back")
    yield* stage.attempt(worker, failedForGood)
    equal([yield* of("ready"), yield* of("failed")], [[], [dead.id]], "Failed again")
  }),

  scene("A task that failed at a later attempt is listed as failed, once", function* (stage) {
    const id = yield* stage.insertOne()
    const worker = yield* stage.worker()
    yield* stage.attempt(worker, failed(0))
    yield* stage.attempt(worker, failedForGood)
    equal(yield* idsOf(stage, { own: true, states: ["failed"] }), [id], "Failed")
    yield* stage.retry(id)
    yield* stage.attempt(worker, failedForGood)
    equal(yield* idsOf(stage, { own: true, states: ["failed"] }), [id], "Failed once more")
  }),

  scene("A task of a claim whose others have ended is listed as running", function* (stage) {
    yield* stage.insert(stage.newTasks(3))
    const worker = yield* stage.worker()
    const [a, b, c] = yield* stage.claim(worker, 3)
    yield* stage.settle(a!, completed())
    yield* stage.settle(b!, failed(0))
    equal(yield* idsOf(stage, { own: true, states: ["running"] }), [c!.id], "Running")
    equal(yield* idsOf(stage, { own: true, states: ["ready", "running"] }), [b!.id, c!.id], "Open")
  }),

  scene("All conditions of a list hold together", function* (stage) {
    yield* TestClock.setTime(1000)
    const wanted = yield* stage.insertOne({ flow: "alpha", group: "a" })
    yield* stage.insertOne({ flow: "beta", group: "a" })
    yield* stage.insertOne({ flow: "alpha", group: "b" })
    yield* stage.insertOne({ flow: "alpha", group: "a", queue: stage.otherQueue })
    yield* stage.cancel(yield* stage.insertOne({ flow: "alpha", group: "a" }))
    yield* TestClock.setTime(2000)
    yield* stage.insertOne({ flow: "alpha", group: "a" })
    const query = {
      ...{ own: true, flow: "alpha", group: "a", queue: stage.queue, descending: true },
      ...{ states: ["ready"] as const, createdFrom: 500, createdBefore: 1500 },
    }
    equal(yield* idsOf(stage, query), [wanted], "What is found")
    equal((yield* idsOf(stage, { ...query, states: undefined })).length, 2, "In any state")
  }),
]
