import { Driver, Job, Limits, Runs, Transition } from "@millrace/core"
import { assertEquals } from "@std/assert"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { describe, it } from "node:test"
import { claim, onMemory, perform, settle } from "./hand.ts"

class Mail extends Job.make("mail", { maxAttempts: 2, maxCrashes: 1 }) {}

const unknownId = "01890a5d-ac96-774b-bcce-b302099a8057"

const malformedIds = ["", "1", "mail", unknownId.toUpperCase(), `${unknownId}\n`, "' or 1=1 --"]

const busy = { reason: "Error", message: "busy", error: `"451"` } as const

describe("Runs.get", () => {
  it("shows each attempt with its number, times, outcome and failure", () =>
    onMemory(Effect.gen(function* () {
      const runId = yield* Mail.enqueue()
      yield* TestClock.setTime(1000)
      yield* perform("mail", { _tag: "Failed", failure: busy, retryDelayMillis: 9000 })
      const between = yield* Runs.get(runId)
      assertEquals([between.state, between.dueAt], ["ready", 10_000])
      assertEquals([between.output, between.failure], [undefined, undefined])
      yield* TestClock.setTime(10_000)
      yield* perform("mail", { _tag: "Completed", output: "0" })
      const run = yield* Runs.get(runId)
      assertEquals([run.state, run.output, run.failure], ["completed", "0", undefined])
      assertEquals(run.attempts, [
        { number: 1, outcome: "failed", startedAt: 995, finishedAt: 1000, failure: busy },
        {
          number: 2,
          outcome: "completed",
          startedAt: 9995,
          finishedAt: 10_000,
          failure: undefined,
        },
      ])
    })))

  it("counts no attempt for a task that was given back before its handler began", () =>
    onMemory(Effect.gen(function* () {
      const runId = yield* Mail.enqueue()
      const [task] = yield* claim("mail")
      yield* settle(task!, { _tag: "Interrupted" })
      const run = yield* Runs.get(runId)
      assertEquals([run.state, run.attempts.length, run.history.length], ["ready", 0, 1])
    })))

  it("shows a snooze and the attempt after it under the same number", () =>
    onMemory(Effect.gen(function* () {
      const runId = yield* Mail.enqueue()
      yield* perform("mail", { _tag: "Snoozed", delayMillis: 0 })
      yield* perform("mail", { _tag: "Completed", output: "null" })
      const { attempts } = yield* Runs.get(runId)
      assertEquals(attempts.map((one) => [one.number, one.outcome]), [[1, "snoozed"], [
        1,
        "completed",
      ]])
    })))
})

describe("an id", () => {
  for (
    const [name, step] of Object.entries({
      get: Runs.get,
      cancel: Runs.cancel,
      retry: Runs.retry,
      discard: Runs.discard,
      reschedule: (id: string) => Runs.reschedule(id, { delay: 0 }),
      await: Mail.await,
    })
  ) {
    it(`of no run, or of no form, is not found: ${name}`, () =>
      onMemory(Effect.gen(function* () {
        for (const id of [unknownId, ...malformedIds]) {
          const error = yield* Effect.flip(step(id) as Effect.Effect<unknown, Error, Driver.Driver>)
          const message = `Cannot find run "${id}": it was never enqueued here, or it was pruned`
          assertEquals(error.message, message)
        }
      })))
  }
})

describe("Runs.cancel", () => {
  it("of a ready or scheduled run: it never starts", () =>
    onMemory(Effect.gen(function* () {
      for (const options of [{}, { delay: "1 minute" }] as const) {
        const runId = yield* Mail.enqueue(undefined, options)
        assertEquals(yield* Runs.cancel(runId), "cancelled")
        const run = yield* Runs.get(runId)
        assertEquals([run.state, run.dueAt, run.attempts], ["cancelled", undefined, []])
        assertEquals(run.failure, { reason: "Cancelled", message: "cancelled by hand" })
      }
      yield* TestClock.adjust("1 hour")
      assertEquals(yield* claim("mail", 10), [])
    })))

  it("with a reason that no storage can hold, or that is too long: it is cleaned and cut", () =>
    onMemory(Effect.gen(function* () {
      const long = "x".repeat(100_000)
      for (
        const [reason, stored] of [["a\0b\ud800", "a\ufffdb\ufffd"], [long, undefined]] as const
      ) {
        const runId = yield* Mail.enqueue()
        yield* Runs.cancel(runId, { reason })
        const { failure } = yield* Runs.get(runId)
        assertEquals(failure?.message, stored ?? `${long.slice(0, Limits.textLength - 1)}…`)
      }
    })))

  it("of a running run: the worker loses it, and its completion comes too late", () =>
    onMemory(Effect.gen(function* () {
      const runId = yield* Mail.enqueue()
      const [task] = yield* claim("mail")
      assertEquals(yield* Runs.cancel(runId, { reason: "not wanted" }), "cancelled")
      const driver = yield* Driver.Driver
      const held = [{ id: task!.id, lease: task!.lease }]
      const beat = { worker: "by hand", leaseMillis: 1000, held }
      assertEquals((yield* driver.heartbeat(beat)).lost, held)
      const late = Transition.transition(task!, {
        _tag: "AttemptEnded",
        lease: task!.lease,
        outcome: { _tag: "Completed", output: "null" },
      })
      assertEquals((yield* driver.settle([late!]))[0]?.kind, "cancelled")
      assertEquals((yield* Runs.get(runId)).state, "cancelled")
    })))

  it("of a run that has ended: the end stands", () =>
    onMemory(Effect.gen(function* () {
      const runId = yield* Mail.enqueue()
      yield* perform("mail", { _tag: "Completed", output: "null" })
      assertEquals(yield* Runs.cancel(runId), "completed")
      assertEquals((yield* Runs.get(runId)).history.length, 1)
      const other = yield* Mail.enqueue()
      yield* Runs.cancel(other, { reason: "first" })
      assertEquals(yield* Runs.cancel(other, { reason: "second" }), "cancelled")
      assertEquals((yield* Runs.get(other)).failure?.message, "first")
    })))
})

describe("Runs.retry", () => {
  it("of a failed run: a fresh budget, and the history kept", () =>
    onMemory(Effect.gen(function* () {
      const runId = yield* Mail.enqueue()
      for (let count = 0; count < 2; count++) {
        yield* perform("mail", { _tag: "Failed", failure: busy, retryDelayMillis: 0 })
      }
      assertEquals((yield* Runs.get(runId)).state, "failed")
      assertEquals(yield* Runs.retry(runId), "ready")
      const ready = yield* Runs.get(runId)
      assertEquals([ready.state, ready.failure], ["ready", undefined])
      const [task] = yield* claim("mail")
      assertEquals([task?.failures, task?.crashes, task?.lease], [0, 0, 4])
      yield* settle(task!, { _tag: "Failed", failure: busy, retryDelayMillis: 0 })
      const run = yield* Runs.get(runId)
      assertEquals(run.state, "ready")
      assertEquals(run.attempts.map((one) => one.number), [1, 2, 1])
      assertEquals(run.history.map((one) => one.kind), ["failed", "failed", "retried", "failed"])
    })))

  it("of a cancelled run: it runs after all", () =>
    onMemory(Effect.gen(function* () {
      const runId = yield* Mail.enqueue(undefined, { delay: "1 day" })
      yield* Runs.cancel(runId)
      assertEquals(yield* Runs.retry(runId), "ready")
      yield* perform("mail", { _tag: "Completed", output: "null" })
      assertEquals((yield* Runs.get(runId)).state, "completed")
    })))

  it("of a run that waits, runs or is completed: nothing happens", () =>
    onMemory(Effect.gen(function* () {
      const runId = yield* Mail.enqueue()
      assertEquals(yield* Runs.retry(runId), "ready")
      const [task] = yield* claim("mail")
      assertEquals(yield* Runs.retry(runId), "running")
      yield* settle(task!, { _tag: "Completed", output: "null" })
      assertEquals(yield* Runs.retry(runId), "completed")
      assertEquals((yield* Runs.get(runId)).history.length, 1)
    })))
})

describe("Runs.discard", () => {
  it("of a run that waits: it has failed, and never starts", () =>
    onMemory(Effect.gen(function* () {
      for (const options of [{}, { delay: "1 minute" }] as const) {
        const runId = yield* Mail.enqueue(undefined, options)
        assertEquals(yield* Runs.discard(runId, { reason: "of no use" }), "failed")
        const run = yield* Runs.get(runId)
        assertEquals([run.state, run.dueAt, run.attempts], ["failed", undefined, []])
        assertEquals(run.failure, { reason: "Discarded", message: "of no use" })
        const error = yield* Effect.flip(Mail.await(runId))
        assertEquals(
          error.message,
          `Run "${runId}" of job "mail" failed (Discarded): of no use`,
        )
      }
      yield* TestClock.adjust("1 hour")
      assertEquals(yield* claim("mail", 10), [])
    })))

  it("of a run that runs: it is one attempt of it, and can be retried", () =>
    onMemory(Effect.gen(function* () {
      const runId = yield* Mail.enqueue()
      yield* claim("mail")
      assertEquals(yield* Runs.discard(runId), "failed")
      const run = yield* Runs.get(runId)
      assertEquals(run.attempts.map((one) => one.outcome), ["discarded"])
      assertEquals(run.failure?.message, "discarded by hand")
      assertEquals(yield* Runs.retry(runId), "ready")
    })))

  it("of a run that has ended: nothing happens", () =>
    onMemory(Effect.gen(function* () {
      const runId = yield* Mail.enqueue()
      yield* perform("mail", { _tag: "Completed", output: "null" })
      assertEquals(yield* Runs.discard(runId), "completed")
      const other = yield* Mail.enqueue()
      yield* Runs.cancel(other)
      assertEquals(yield* Runs.discard(other), "cancelled")
    })))
})

describe("Runs.reschedule", () => {
  it("by a delay, and to an instant", () =>
    onMemory(Effect.gen(function* () {
      yield* TestClock.setTime(1000)
      const runId = yield* Mail.enqueue()
      assertEquals(yield* Runs.reschedule(runId, { delay: "1 minute" }), "ready")
      assertEquals((yield* Runs.get(runId)).dueAt, 61_000)
      assertEquals(yield* Runs.reschedule(runId, { at: new Date(5000) }), "ready")
      assertEquals((yield* Runs.get(runId)).dueAt, 5000)
      assertEquals(yield* Runs.reschedule(runId, { delay: 0 }), "ready")
      assertEquals((yield* Runs.get(runId)).dueAt, undefined)
      const [task] = yield* claim("mail")
      assertEquals([task?.id, task?.failures], [runId, 0])
      const { history } = yield* Runs.get(runId)
      assertEquals(history.map(({ kind }) => kind), Array(3).fill("rescheduled"))
    })))

  it("of a run that runs, or has ended: nothing happens", () =>
    onMemory(Effect.gen(function* () {
      const runId = yield* Mail.enqueue()
      const [task] = yield* claim("mail")
      assertEquals(yield* Runs.reschedule(runId, { delay: 1 }), "running")
      yield* settle(task!, { _tag: "Completed", output: "null" })
      assertEquals(yield* Runs.reschedule(runId, { delay: 1 }), "completed")
      assertEquals((yield* Runs.get(runId)).history.length, 1)
    })))

  it("refuses a time that is none", () =>
    onMemory(Effect.gen(function* () {
      const runId = yield* Mail.enqueue()
      const wrong: ReadonlyArray<readonly [unknown, string]> = [
        [undefined, "give a delay, or an instant"],
        [{}, "give either delay or at"],
        [{ delay: 1, at: 1 }, "give either delay or at"],
        [{ delay: -1 }, "delay must be a duration from 0 to 10 years"],
        [{ delay: "soon" }, "delay must be a duration from 0 to 10 years"],
        [{ delay: "4000 days" }, "delay must be a duration from 0 to 10 years"],
        [{ delay: Infinity }, "delay must be a duration from 0 to 10 years"],
        [{ at: "today" }, "at must be a date from the year 0 to 9999"],
        [{ at: NaN }, "at must be a date from the year 0 to 9999"],
        [{ at: null }, "at must be a date from the year 0 to 9999"],
      ]
      for (const [when, detail] of wrong) {
        const error = yield* Effect.flip(Runs.reschedule(runId, when as Runs.When))
        assertEquals([error._tag, error.message], ["WhenInvalid", `Cannot reschedule: ${detail}`])
      }
      assertEquals((yield* Runs.get(runId)).history, [])
    })))
})
