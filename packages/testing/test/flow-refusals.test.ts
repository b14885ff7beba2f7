import { Flow, Runs, Worker } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { assert, assertEquals, assertMatch } from "@std/assert"
import { Effect, Layer, References, Schema } from "effect"
import { describe, it } from "node:test"

class Ask extends Flow.make("ask")
  .waitFor("answer", { output: Schema.Int })
  .step("note", { needs: ["answer"], output: Schema.Int }) {}

const ask = Ask.perform({ note: ({ answer }) => Effect.succeed(answer) })

class Large extends Flow.make("large", { input: Schema.Int })
  .step("write", { output: Schema.String }) {}

const large = Large.perform({ write: (length) => Effect.succeed("x".repeat(length)) })

class Picky extends Flow.make("picky", { input: Schema.Int })
  .step("only", { when: (n) => JSON.parse(`[${n}`) === n }) {}

const picky = Picky.perform({ only: () => Effect.void })

class Wide extends Flow.make("wide", { input: Schema.Array(Schema.Int) })
  .map("each", { over: "input" }) {}

const wide = Wide.perform({ each: () => Effect.void })

// An array that may be missing is an error of types; as data it is found out when it is missing.
const Loose = Flow.ofDraft({
  slug: "loose",
  input: { notes: Schema.optionalKey(Schema.Array(Schema.Int)) },
  steps: [{ slug: "each", kind: "map", over: "input.notes" }],
})

const perform = Loose.perform as unknown as (handlers: object) => Flow.HandledFlow<"loose", never>

const loose = perform({ each: () => Effect.void })

const live = Worker.layer({ flows: [ask, large, picky, wide, loose] }).pipe(
  Layer.provideMerge(MemoryDriver.layer),
  Layer.provide(Layer.succeed(References.MinimumLogLevel, "None")),
)

const test = (name: string, body: Effect.Effect<void, unknown, Layer.Success<typeof live>>) =>
  it(name, () => Effect.runPromise(Effect.provide(body, live)))

const nobody = "01910000-1234-7abc-8def-0123456789ab"

describe("a signal is refused, with a reason,", () => {
  test(
    "for a run that never was, or that is of another flow",
    Effect.gen(function* () {
      const none = yield* Effect.flip(Ask.signal(nobody, "answer", 1))
      assertEquals(none._tag, "RunNotFound")
      const other = yield* Large.start(1)
      const wrong = yield* Effect.flip(Ask.signal(other, "answer", 1))
      assertEquals(wrong._tag, "RunNotFound")
    }),
  )

  test(
    "for a step that is none, and for a value that does not fit",
    Effect.gen(function* () {
      const id = yield* Ask.start(undefined)
      const unknown = yield* Effect.flip(Ask.signal(id, "note" as "answer", 1))
      assert(unknown._tag === "SignalRefused")
      assertEquals(unknown.reason, "UnknownStep")
      assertMatch(
        unknown.message,
        /^Cannot signal "note" to run ".*": flow "ask" has no such signal$/,
      )
      const value = yield* Effect.flip(Ask.signal(id, "answer", 1.5))
      assert(value._tag === "SignalRefused")
      assertEquals(value.reason, "ValueInvalid")
      // Nothing of this was stored.
      yield* Ask.signal(id, "answer", 2)
      assertEquals(yield* Ask.await(id), { note: 2 })
    }),
  )

  test(
    "for a second one, and for a run that has ended",
    Effect.gen(function* () {
      const id = yield* Ask.start(undefined)
      yield* Ask.signal(id, "answer", 1)
      const second = yield* Effect.flip(Ask.signal(id, "answer", 2))
      assert(second._tag === "SignalRefused")
      yield* Ask.await(id)
      const late = yield* Effect.flip(Ask.signal(id, "answer", 3))
      assert(late._tag === "SignalRefused")
      assertEquals(late.reason, "TooLate")

      const cancelled = yield* Ask.start(undefined)
      yield* Runs.cancel(cancelled)
      const gone = yield* Effect.flip(Ask.signal(cancelled, "answer", 3))
      assert(gone._tag === "SignalRefused")
      assertEquals(gone.reason, "TooLate")
    }),
  )
})

describe("a run fails, with a reason,", () => {
  test(
    "where what a map is over is no array",
    Effect.gen(function* () {
      const failed = yield* Effect.flip(Loose.run({}))
      assert(failed._tag === "RunFailed")
      assertMatch(failed.message, /Step "each" cannot start: "input.notes" is not an array$/)
    }),
  )

  test(
    "where an array has more elements than a map may",
    Effect.gen(function* () {
      const failed = yield* Effect.flip(Wide.run(Array.from({ length: 100_001 }, () => 1)))
      assert(failed._tag === "RunFailed")
      assertMatch(failed.message, /Step "each" cannot start: it has 100001 elements; 100000 are/)
    }),
  )

  test(
    "where the output of a step is over the limit",
    Effect.gen(function* () {
      assertEquals(yield* Large.run(3), { write: "xxx" })
      const failed = yield* Effect.flip(Large.run(2 * 1024 * 1024))
      assert(failed._tag === "RunFailed")
      assertMatch(failed.message, /Step "write" failed: .*bytes of JSON, more than the limit/)
    }),
  )

  test(
    "where a condition throws, and says nothing of what it threw",
    Effect.gen(function* () {
      const failed = yield* Effect.flip(Picky.run(7))
      assert(failed._tag === "RunFailed")
      assertMatch(failed.message, /Step "only" cannot start: its condition threw$/)
    }),
  )
})
