/**
 * Cases of what the outcomes of attempts make of a task.
 *
 * @since 0.1.0
 */
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { equal, equalJson } from "./expect.ts"
import { type Case, scene } from "./fixtures.ts"
import * as On from "./outcomes.ts"

/** Cases of what the outcomes of attempts make of a task.
 * @category cases
 * @since 0.1.0 */
export const attemptCases: ReadonlyArray<Case> = [
  scene("A task that failed is ready again after its delay, and not before", function* (stage) {
    const task = yield* stage.claimed()
    yield* stage.settle(task, On.failed(5000))
    const record = yield* stage.read(task.id)
    equal([record.state, record.dueAt, record.failures], ["ready", 5000, 1], "The task")
    yield* TestClock.adjust(4999)
    equal(yield* stage.claim(stage.name("a")), [], "Claimed early")
    yield* TestClock.adjust(1)
    equal((yield* stage.claimOne(stage.name("a"))).failures, 1, "The failures at the next claim")
  }),

  scene("The delay counts from when the outcome is settled, not from the claim", function* (stage) {
    const task = yield* stage.claimed()
    yield* TestClock.adjust(7000)
    yield* stage.settle(task, On.failed(5000))
    equal((yield* stage.read(task.id)).dueAt, 12_000, "Its instant")
  }),

  scene("A task runs no more often than its attempts allow", function* (stage) {
    const id = yield* stage.insertOne({ maxAttempts: 4 })
    const worker = yield* stage.worker()
    for (let round = 0; round < 4; round++) yield* stage.attempt(worker, On.failed())
    const record = yield* stage.read(id)
    equal([record.state, record.failures, record.lease], ["failed", 4, 4], "The task")
    equal(yield* stage.claim(worker), [], "What can be claimed")
  }),

  scene("A failure that no attempt can mend ends the task, whatever is left", function* (stage) {
    const task = yield* stage.claimed({ maxAttempts: 9 })
    yield* stage.settle(task, On.failedForGood)
    const record = yield* stage.read(task.id)
    equal([record.state, record.failures, record.dueAt], ["failed", 1, undefined], "The task")
  }),

  scene("A timeout counts as a failure", function* (stage) {
    const id = yield* stage.insertOne({ maxAttempts: 2 })
    const worker = yield* stage.worker()
    yield* stage.attempt(worker, On.timedOut())
    yield* stage.attempt(worker, On.timedOut())
    const record = yield* stage.read(id)
    equal([record.state, record.failures], ["failed", 2], "The task")
    equal(
      record.history.map(({ kind, failure }) => [kind, failure?.reason]),
      [["timed_out", "TimedOut"], ["timed_out", "TimedOut"]],
      "The history",
    )
  }),

  scene("Snoozing spends nothing, however often", function* (stage) {
    const id = yield* stage.insertOne({ maxAttempts: 1, maxCrashes: 0 })
    const worker = yield* stage.worker()
    for (let round = 0; round < 20; round++) yield* stage.attempt(worker, On.snoozed())
    const task = yield* stage.claimOne(worker)
    equal([task.failures, task.crashes, task.lease], [0, 0, 21], "The numbers")
    yield* stage.settle(task, On.completed())
    equal((yield* stage.read(id)).history.length, 21, "The history")
  }),

  scene("A snoozed task sleeps for its time", function* (stage) {
    const task = yield* stage.claimed()
    yield* stage.settle(task, On.snoozed(60_000))
    equal((yield* stage.read(task.id)).dueAt, 60_000, "Its instant")
    equal(yield* stage.claim(stage.name("a")), [], "What can be claimed")
  }),

  scene("Tasks that a shutdown gives back are not lost, and nothing is spent", function* (stage) {
    yield* stage.insert(stage.newTasks(3, { maxAttempts: 1, maxCrashes: 0 }))
    const old = yield* stage.worker("old")
    for (const task of yield* stage.claim(old, 3)) yield* stage.settle(task, On.interrupted)
    yield* stage.beat(old, [], 0)
    const claimed = yield* stage.claim(yield* stage.worker("new"), 3)
    equal(
      claimed.map(({ failures, crashes, lease }) => [failures, crashes, lease]),
      [[0, 0, 2], [0, 0, 2], [0, 0, 2]],
      "The claimed tasks",
    )
  }),

  scene("A task that its handler discards has failed at once", function* (stage) {
    const task = yield* stage.claimed({ maxAttempts: 9 })
    yield* stage.settle(task, On.discarded)
    const record = yield* stage.read(task.id)
    equal([record.state, record.failures], ["failed", 0], "The task")
    equal(record.history.map(({ kind }) => kind), ["discarded"], "The history")
  }),

  scene("The history keeps why an attempt failed: reason, line and typed error", function* (stage) {
    const task = yield* stage.claimed()
    const why = { reason: "Defect", message: "boom", error: `{"_tag":"Boom","at":[1,2]}` } as const
    yield* stage.settle(task, On.failed(0, why))
    const { failure } = (yield* stage.read(task.id)).history[0]!
    equal([failure?.reason, failure?.message], ["Defect", "boom"], "The failure")
    equalJson(failure?.error, why.error, "The typed error")
  }),

  scene("An error that is named AbortError is a failure like any other", function* (stage) {
    const task = yield* stage.claimed({ maxAttempts: 1 })
    const why = On.failure("AbortError: gone", `{"_tag":"AbortError"}`)
    yield* stage.settle(task, On.failed(0, why))
    const record = yield* stage.read(task.id)
    equal([record.state, record.failures], ["failed", 1], "The task")
    equal(record.history[0]!.failure?.message, "AbortError: gone", "The line")
  }),

  scene("A failure without a typed error has none afterwards", function* (stage) {
    const task = yield* stage.claimed()
    yield* stage.settle(task, On.failed())
    const { failure, output } = (yield* stage.read(task.id)).history[0]!
    equal([failure?.error, output], [undefined, undefined], "The error and the output")
  }),

  scene("Every reason of a failure is stored", function* (stage) {
    const reasons = [
      "Error",
      "Defect",
      "TimedOut",
      "Discarded",
      "InputUndecodable",
      "OutputInvalid",
    ]
    const id = yield* stage.insertOne({ maxAttempts: 99 })
    const worker = yield* stage.worker()
    for (const reason of reasons) {
      const why = { ...On.failure(), reason: reason as "Error" }
      yield* stage.attempt(worker, On.failed(0, why))
    }
    const { history } = yield* stage.read(id)
    equal(history.map(({ failure }) => String(failure?.reason)), reasons, "The reasons")
  }),

  scene("The history numbers attempts by failures, not by claims", function* (stage) {
    const id = yield* stage.insertOne({ maxAttempts: 9 })
    const worker = yield* stage.worker()
    const outcomes = [On.snoozed(), On.failed(), On.interrupted, On.timedOut(), On.completed()]
    for (const outcome of outcomes) yield* stage.attempt(worker, outcome)
    const { history } = yield* stage.read(id)
    equal(history.map(({ attempt }) => attempt), [1, 1, 2, 2, 3], "The numbers")
    equal(history.map(({ lease }) => lease), [1, 2, 3, 4, 5], "The leases")
  }),

  scene("A backoff of ten years overflows nothing", function* (stage) {
    const task = yield* stage.claimed({ maxAttempts: 100_000 })
    const delay = 10 * 365 * 24 * 60 * 60 * 1000
    yield* stage.settle(task, On.failed(delay))
    equal((yield* stage.read(task.id)).dueAt, delay, "Its instant")
  }),

  scene("A task that failed often keeps every line of its history", function* (stage) {
    const id = yield* stage.insertOne({ maxAttempts: 100_000 })
    const worker = yield* stage.worker()
    yield* Effect.repeat(stage.attempt(worker, On.failed()), { times: 59 })
    const record = yield* stage.read(id)
    equal([record.failures, record.history.length], [60, 60], "The failures and the history")
    equal(record.history.at(-1)?.attempt, 60, "The last attempt")
  }),
]
