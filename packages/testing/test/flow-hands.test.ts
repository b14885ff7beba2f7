import { Flow, Runs, Worker } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { assert, assertEquals, assertMatch } from "@std/assert"
import { Deferred, Effect, Layer, References, Schema } from "effect"
import { TestClock } from "effect/testing"
import { describe, it } from "node:test"

/** What happened outside of the storage, in order. */
let log: Array<string> = []
let broken = true
const note = (what: string) => Effect.sync(() => void log.push(what))

class Nope extends Schema.TaggedError<Nope>()("Nope", { why: Schema.String }) {}

class Inner extends Flow.make("inner", { input: { n: Schema.Int } })
  .step("one", { output: Schema.Int, undo: true })
  .step("two", { needs: ["one"], output: Schema.Int, error: Nope }) {}

const inner = Inner.perform({
  one: {
    run: ({ n }) => Effect.as(note("one"), n + 1),
    undo: (output) => note(`undo one of ${output}`),
  },
  two: ({ one }) =>
    Effect.andThen(
      note("two"),
      broken ? Effect.fail(new Nope({ why: "broken" })) : Effect.succeed(one * 2),
    ),
})

class Outer extends Flow.make("outer", { input: Schema.Int })
  .step("first", { output: Schema.Int, undo: true })
  .flow("inside", Inner, { needs: ["first"], input: ({ first }) => ({ n: first }) })
  .step("after", { needs: ["inside"], output: Schema.Int }) {}

const outer = Outer.perform({
  first: { run: (n) => Effect.as(note("first"), n), undo: () => note("undo first") },
  inside: inner,
  after: ({ inside }) => Effect.succeed(inside.two),
})

class Plain extends Flow.make("plain")
  .step("a", { output: Schema.Int })
  .step("b", { needs: ["a"], output: Schema.Int })
  .step("c", { needs: ["b"], output: Schema.Int }) {}

const plain = Plain.perform({
  a: () => Effect.as(note("a"), 1),
  b: ({ a }) => Effect.andThen(note("b"), broken ? Effect.die("broken") : Effect.succeed(a + 1)),
  c: ({ b }) => Effect.as(note("c"), b + 1),
})

let gate = Deferred.makeUnsafe<void>()

class Slow extends Flow.make("slow")
  .step("done", { output: Schema.Int, undo: true })
  .step("hangs", { needs: ["done"] }) {}

const slow = Slow.perform({
  done: { run: () => Effect.succeed(1), undo: () => note("undone") },
  hangs: () =>
    Effect.andThen(Effect.suspend(() => Deferred.succeed(gate, undefined)), Effect.never).pipe(
      Effect.onInterrupt(() => note("interrupted")),
    ),
})

const live = Worker.layer({ flows: [outer, plain, slow, inner] }).pipe(
  Layer.provideMerge(MemoryDriver.layer),
  Layer.provide(Layer.succeed(References.MinimumLogLevel, "None")),
)

const test = (name: string, body: Effect.Effect<void, unknown, Layer.Success<typeof live>>) =>
  it(name, () => {
    log = []
    gate = Deferred.makeUnsafe()
    broken = true
    return Effect.runPromise(Effect.provide(body, live))
  })

const states = (runId: string) =>
  Effect.map(Runs.steps(runId), (steps) => steps.map(({ step, state }) => `${step} ${state}`))

describe("a run of a flow", () => {
  test(
    "whose inner flow fails undoes both, and tells the typed error of the inner step",
    Effect.gen(function* () {
      const failed = yield* Effect.flip(Outer.run(1))
      assert(failed._tag === "RunFailed")
      assertMatch(failed.message, /Step "inside" failed: Step "two" failed: Nope/)
      assert(failed.error?.step === "inside" && failed.error.error.step === "two")
      assertEquals(failed.error.error.error.why, "broken")
      assertEquals(log, ["first", "one", "two", "undo one of 2", "undo first"])
    }),
  )

  test(
    "whose inner flow completes has its output",
    Effect.gen(function* () {
      broken = false
      assertEquals(yield* Outer.run(1), { after: 4 })
    }),
  )

  test(
    "goes on from the step that failed when it is retried",
    Effect.gen(function* () {
      const failed = yield* Effect.flip(Plain.run(undefined))
      assert(failed._tag === "RunFailed")
      broken = false
      assertEquals(yield* Runs.retry(failed.runId), "ready")
      assertEquals(yield* Plain.await(failed.runId), { c: 3 })
      assertEquals(log, ["a", "b", "b", "c"])
    }),
  )

  test(
    "is not retried once its steps were undone",
    Effect.gen(function* () {
      const failed = yield* Effect.flip(Outer.run(1))
      assert(failed._tag === "RunFailed")
      const before = yield* Runs.get(failed.runId)
      const refused = yield* Effect.flip(Runs.retry(failed.runId))
      assert(refused._tag === "RunUndone", refused.message)
      const why = "steps of it were undone; start it anew"
      assertEquals(refused.message, `Cannot retry run "${failed.runId}": ${why}`)
      assertEquals(yield* Runs.get(failed.runId), before)
    }),
  )

  test(
    "begins anew from a step, with what had completed before it",
    Effect.gen(function* () {
      broken = false
      const runId = yield* Plain.start(undefined)
      yield* Plain.await(runId)
      log = []
      const again = yield* Plain.rerun(runId, { from: "c" })
      assertEquals(yield* Plain.await(again), { c: 3 })
      assertEquals(log, ["c"])
      const none = yield* Effect.flip(
        Plain.rerun("01910000-1234-7abc-8def-0123456789ab", { from: "c" }),
      )
      assertEquals(none._tag, "RunNotFound")
    }),
  )

  test(
    "that is discarded interrupts what runs, undoes what is done, and has failed",
    Effect.gen(function* () {
      const runId = yield* Slow.start(undefined)
      yield* Deferred.await(gate)
      assertEquals(yield* Runs.discard(runId, { reason: "of no use" }), "ready")
      const failed = yield* Effect.flip(Slow.await(runId))
      assert(failed._tag === "RunFailed")
      assertEquals([failed.reason, failed.detail], ["Discarded", "of no use"])
      assertEquals([...log].sort(), ["interrupted", "undone"])
      assertEquals(yield* states(runId), [
        "done completed",
        "hangs cancelled",
        "done:undo completed",
      ])
    }),
  )

  it("lists what is undone after what was done, also where all of it was at one instant", () => {
    gate = Deferred.makeUnsafe()
    const cancelled = Effect.gen(function* () {
      const runId = yield* Slow.start(undefined)
      yield* Deferred.await(gate)
      yield* Runs.cancel(runId)
      yield* TestClock.adjust("1 minute")
      assertEquals((yield* Runs.steps(runId)).map(({ startedAt, step }) => [startedAt, step]), [
        [0, "done"],
        [0, "hangs"],
        [0, "done:undo"],
      ])
    })
    return Effect.runPromise(
      cancelled.pipe(Effect.provide(live), Effect.provide(TestClock.layer())),
    )
  })

  test(
    "that is cancelled interrupts what runs, undoes what is done, and ends",
    Effect.gen(function* () {
      const runId = yield* Slow.start(undefined)
      yield* Deferred.await(gate)
      yield* Runs.cancel(runId, { reason: "enough" })
      const cancelled = yield* Effect.flip(Slow.await(runId))
      assertEquals(cancelled._tag, "RunCancelled")
      assertMatch(cancelled.message, /enough/)
      assertEquals([...log].sort(), ["interrupted", "undone"])
      assertEquals(yield* states(runId), [
        "done completed",
        "hangs cancelled",
        "done:undo completed",
      ])
    }),
  )

  test(
    "that is started twice under one id is one run, with the first input",
    Effect.gen(function* () {
      broken = false
      const id = "01910000-1234-7abc-8def-0123456789ab"
      assertEquals(yield* Outer.start(1, { id }), id)
      assertEquals(yield* Outer.start(5, { id }), id)
      assertEquals(yield* Outer.await(id), { after: 4 })
      assertEquals(log.filter((one) => one === "first").length, 1)
    }),
  )
})
