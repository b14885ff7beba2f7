import {
  Definition,
  Driver,
  Flow,
  Job,
  Limits,
  Runs,
  Schedules,
  ScheduleStore,
} from "@millrace/core"
import { assert, assertEquals, assertThrows } from "@std/assert"
import { MemoryDriver } from "@millrace/driver-memory"
import { Effect, Layer } from "effect"
import { describe, it } from "node:test"
import { onMemory, perform } from "./hand.ts"

class Mail extends Job.make("mail", { tags: ["mail", "a"] }) {}
class Plain extends Job.make("plain") {}
const Parcel = Flow.make("parcel", { tags: ["parcel"] }).step("pack")
  .step("send", { needs: ["pack"] })

const many = (count: number) => Array.from({ length: count }, (_, nth) => `t${nth}`)

describe("tags and metadata", () => {
  it("of a definition and of enqueueing belong to the run, each once", () =>
    onMemory(Effect.gen(function* () {
      const id = yield* Mail.enqueue(undefined, { tags: ["z", "a", "z"], meta: { customer: "7" } })
      const run = yield* Runs.get(id)
      assertEquals([run.tags, run.meta], [["a", "mail", "z"], { customer: "7" }])
      const plain = yield* Runs.get(yield* Plain.enqueue())
      assertEquals([plain.tags, plain.meta], [[], {}])
    })))

  it("find runs, together with other conditions", () =>
    onMemory(Effect.gen(function* () {
      const [first, second] = yield* Mail.enqueueMany([undefined, undefined], { tags: ["b"] })
      const other = yield* Plain.enqueue(undefined, { tags: ["b"], meta: { customer: "7" } })
      const ids = (filter: Runs.Filter) =>
        Effect.map(Runs.list(filter), ({ runs }) => runs.map((run) => run.id))
      assertEquals(yield* ids({ tags: ["b"] }), [other, second, first])
      assertEquals(yield* ids({ tags: ["mail", "b"] }), [second, first])
      assertEquals(yield* ids({ tags: ["b"], job: Plain }), [other])
      assertEquals(yield* ids({ meta: { customer: "7" } }), [other])
      assertEquals(yield* ids({ meta: { customer: "7" }, tags: ["mail"] }), [])
      const answer = yield* Runs.cancelMany({ tags: ["mail"] })
      assertEquals(answer, { found: 2, changed: 2 })
    })))

  it("of a flow belong to its run, and not to its steps; a rerun has them, too", () =>
    onMemory(Effect.gen(function* () {
      const id = yield* Parcel.start(undefined, { meta: { customer: "7" } })
      const { runs } = yield* Runs.list({ tags: ["parcel"], meta: { customer: "7" } })
      assertEquals(runs.map((run) => run.id), [id])
      const driver = yield* Driver.Driver
      const tagged = yield* driver.find({ tags: ["parcel"], limit: 10 })
      assertEquals(tagged.length, 1)
      const again = yield* Parcel.rerun(id, { from: "pack" })
      const rerun = yield* Runs.get(again)
      assertEquals([rerun.tags, rerun.meta], [["parcel"], { customer: "7" }])
    })))

  it("of a job that is scheduled belong to its runs", () =>
    Effect.runPromise(Effect.provide(
      Effect.gen(function* () {
        yield* Schedules.upsert("often", Mail, undefined, { every: "1 hour" })
        const store = yield* ScheduleStore.ScheduleStore
        const { rows: [row] } = yield* store.find({ names: ["often"], limit: 1 })
        assertEquals(JSON.parse(row!.body).template.tags, ["mail", "a"])
      }),
      Layer.fresh(MemoryDriver.layer),
    )))

  it("stay with a run that goes on", () =>
    onMemory(Effect.gen(function* () {
      const id = yield* Mail.enqueue()
      yield* perform("mail", { _tag: "Snoozed", delayMillis: 0 })
      assertEquals((yield* Runs.get(id)).tags, ["a", "mail"])
    })))

  it("that are wrong are refused when a run is enqueued, and nothing is stored", () =>
    onMemory(Effect.gen(function* () {
      const tags = "tags must be a list of at most 16 texts of 1 to 255 characters"
      const meta = "meta must be an object of at most 16 texts"
      const wrong: ReadonlyArray<readonly [unknown, string]> = [
        [{ tags: "a" }, `${tags}, got "a"`],
        [{ tags: null }, `${tags}, got null`],
        [{ tags: many(17) }, `${tags}, got 17`],
        [{ tags: many(15) }, "tags must be at most 16, those of the definition included"],
        [{ tags: [""] }, `${tags} without control characters`],
        [{ tags: [7] }, `${tags} without control characters`],
        [{ tags: ["a\nb"] }, `${tags} without control characters`],
        [{ tags: ["\u0000"] }, `${tags} without control characters`],
        [{ tags: ["\ud800"] }, `${tags} without control characters`],
        [{ tags: ["x".repeat(256)] }, `${tags} without control characters`],
        [{ meta: [] }, `${meta}, got a value of type array`],
        [{ meta: "a" }, `${meta}, got "a"`],
        [{ meta: Object.fromEntries(many(17).map((name) => [name, ""])) }, `${meta}, got 17`],
      ]
      for (const [options, detail] of wrong) {
        const error = yield* Effect.flip(Mail.enqueue(undefined, options as never))
        assertEquals(error.message, `Cannot enqueue job "mail": ${detail}`)
      }
      const unfit = [{ a: 1 }, { "": "a" }, { ["n".repeat(65)]: "" }, { a: "x".repeat(256) }, {
        a: "\t",
      }]
      for (const meta of unfit) {
        const error = yield* Effect.flip(Mail.enqueue(undefined, { meta } as never))
        assert(error.message.includes("without control characters"), error.message)
      }
      assertEquals((yield* Runs.list()).runs, [])
      yield* Mail.enqueue(undefined, {
        tags: ["x".repeat(Limits.keyLength)],
        meta: { ["n".repeat(64)]: "y".repeat(255), empty: "" },
      })
    })))

  it("that are wrong in a filter are refused", () =>
    onMemory(Effect.gen(function* () {
      for (const filter of [{ tags: "a" }, { meta: { a: 1 } }, { tags: ["\n"] }]) {
        const error = yield* Effect.flip(Runs.list(filter as never))
        assert(/^Cannot find runs: (tags|meta) must be /.test(error.message), error.message)
      }
    })))

  it("that are wrong in a definition are refused", () => {
    const options = (tags: unknown) =>
      Definition.check([{ slug: "mail", tags }]).map((problem) => problem.option)
    assertEquals(options(["a"]), [])
    assertEquals(options("a"), ["tags"])
    assertEquals(options(many(17)), ["tags"])
    assertEquals(options([""]), ["tags"])
    assertThrows(
      () => Job.make("mail", { tags: [1] as never }),
      Error,
      `Cannot define job "mail": tags must be a list of at most 16 texts`,
    )
    assertThrows(() => Flow.make("parcel", { tags: [""] }).step("pack"), Error, "tags must be")
  })
})
