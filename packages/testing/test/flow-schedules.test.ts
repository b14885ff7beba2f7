/** Flows that start by themselves. */
import { assert, assertEquals, assertThrows } from "@std/assert"
import { Driver, Flow, Runs, Schedules, ScheduleStore, Worker } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Simulation } from "@millrace/testing"
import { Effect, Layer, References, Schema } from "effect"
import { TestClock } from "effect/testing"
import { describe, it } from "node:test"

type Needs = Driver.Driver | ScheduleStore.ScheduleStore

const quiet = <A, E>(effect: Effect.Effect<A, E, Needs>) =>
  Effect.runPromise(
    effect.pipe(
      Effect.provideService(References.MinimumLogLevel, "None"),
      Effect.provide(Layer.fresh(MemoryDriver.layer)),
      Effect.provide(TestClock.layer()),
    ),
  )

const serving = <A, E>(
  worker: Layer.Layer<Worker.Worker, unknown, Driver.Driver>,
  effect: Effect.Effect<A, E, Needs>,
) => Effect.scoped(Effect.andThen(Layer.build(worker), effect))

const runsOf = (flow: string) =>
  Effect.flatMap(
    Driver.Driver,
    (driver) =>
      Effect.map(driver.find({ flow, limit: 1000 }), (all) => all.filter((one) => !one.branch)),
  )

describe("a schedule of a flow", () => {
  const Report = Flow.make("report", {
    input: { day: Schema.String },
    schedule: { every: "1 hour", input: { day: "today" } },
  }).step("collect", { output: Schema.Int }).step("send", { needs: ["collect"] })

  it("in its definition starts whole runs, one for each occurrence", () =>
    quiet(Effect.gen(function* () {
      const sent: Array<number> = []
      const report = Report.perform({
        collect: () => Effect.succeed(7),
        send: ({ collect }) => Effect.sync(() => void sent.push(collect)),
      })
      yield* serving(
        Worker.layer({ flows: [report] }),
        Effect.gen(function* () {
          yield* TestClock.adjust("3 hours")
          yield* TestClock.adjust("1 minute")
        }),
      )
      assertEquals(sent, [7, 7, 7])
      const runs = yield* runsOf("report")
      assertEquals(runs.map(({ state, input }) => [state, input]), [
        ["completed", `{"day":"today"}`],
        ["completed", `{"day":"today"}`],
        ["completed", `{"day":"today"}`],
      ])
      const [info] = yield* Schedules.list({ job: Report })
      assertEquals([info?.name, info?.job, info?.defined], ["report", "report", true])
    })))

  it("as data starts runs with its own input, and is removed with none left", () =>
    quiet(Effect.gen(function* () {
      const Plain = Flow.make("plain", { input: { n: Schema.Int } }).step("only")
      const seen: Array<number> = []
      const plain = Plain.perform({ only: ({ n }) => Effect.sync(() => void seen.push(n)) })
      yield* Schedules.upsert("plain of 5", Plain, { n: 5 }, { every: "10 minutes" })
      yield* serving(
        Worker.layer({ flows: [plain] }),
        Effect.gen(function* () {
          yield* TestClock.adjust("21 minutes")
          assertEquals(seen, [5, 5])
          assertEquals(yield* Schedules.remove("plain of 5"), true)
          yield* TestClock.adjust("1 hour")
          assertEquals(seen, [5, 5])
        }),
      )
    })))

  it("is fired by workers that do not know the flow", () =>
    quiet(Effect.gen(function* () {
      const Plain = Flow.make("plain").step("only")
      yield* Schedules.upsert("plain", Plain, undefined, { every: "10 minutes" })
      yield* TestClock.adjust("10 minutes")
      yield* Schedules.tick
      const [run] = yield* runsOf("plain")
      assertEquals([run?.flowType, run?.state, run?.version], [
        "flow",
        "ready",
        Plain.definition.version,
      ])
      let ran = 0
      const plain = Plain.perform({ only: () => Effect.sync(() => void ran++) })
      yield* serving(Worker.layer({ flows: [plain] }), TestClock.adjust("1 minute"))
      assertEquals([ran, (yield* Runs.get(run!.id)).state], [1, "completed"])
    })))

  it("as data starts the version that a worker serves, once it does", () =>
    quiet(Effect.gen(function* () {
      const Old = Flow.make("plain").step("only")
      const New = Flow.make("plain").step("only").step("more", { undo: true })
      yield* Schedules.upsert("plain", Old, undefined, { every: "10 minutes" })
      const before = yield* Schedules.get("plain")
      const done: Array<string> = []
      const handled = New.perform({
        only: () => Effect.sync(() => void done.push("only")),
        more: {
          run: () => Effect.sync(() => void done.push("more")),
          undo: () => Effect.void,
        },
      })
      const old = Old.perform({ only: () => Effect.void })
      // Of several versions the first counts.
      yield* serving(Worker.layer({ flows: [handled, old] }), TestClock.adjust("11 minutes"))
      assertEquals(done.toSorted(), ["more", "only"])
      const [run] = yield* runsOf("plain")
      assertEquals([run?.version, run?.undoes], [New.definition.version, true])
      assertEquals((yield* Schedules.get("plain")).recurrence, before.recurrence)
    })))

  it("may have a run that expires, and a retention", () =>
    quiet(Effect.gen(function* () {
      const Brief = Flow.make("brief", {
        schedule: { every: "10 minutes" },
        expiresIn: "1 minute",
        retention: { cancelled: "1 hour" },
      }).step("only")
      yield* Schedules.define([Brief])
      yield* TestClock.adjust("10 minutes")
      yield* Schedules.tick
      yield* TestClock.adjust("5 minutes")
      const brief = Brief.perform({ only: () => Effect.void })
      yield* serving(Worker.layer({ flows: [brief] }), TestClock.adjust("1 second"))
      const [run] = yield* runsOf("brief")
      assertEquals([run?.state, run?.expiresAt], ["cancelled", 660_000])
    })))

  it("is refused at the definition where it cannot be", () => {
    const make = (schedule: unknown) =>
      Flow.make("report", { input: { day: Schema.String }, schedule: schedule as never })
    assertThrows(
      () => make({ every: "1 hour", input: { day: 5 } }),
      Error,
      `Cannot define flow "report": schedule.input cannot be enqueued: Expected string`,
    )
    assertThrows(() => make({ every: "1 hour" }), Error, "schedule.input cannot be enqueued")
    for (const schedule of ["daily", {}, { cron: "x" }, { every: "1 milli" }, { each: 5 }, null]) {
      assertThrows(() => make(schedule), Error, `Cannot define flow "report": `)
    }
  })

  it("as data is refused with a typed failure", () =>
    quiet(Effect.gen(function* () {
      const refused = (input: unknown, options: object) =>
        Effect.map(
          Effect.flip(Schedules.upsert("x", Report, input as never, options as never)),
          (error) => error._tag,
        )
      assertEquals(yield* refused({ day: 5 }, { every: "1 hour" }), "ScheduleInvalid")
      assertEquals(yield* refused({ day: "a" }, { every: "never" }), "ScheduleInvalid")
      yield* Schedules.define([Report])
      const taken = yield* Effect.flip(
        Schedules.upsert("report", Report, { day: "a" }, { every: "1 hour" }),
      )
      assert(taken.message.includes(`belongs to the definition of "report"`), taken.message)
    })))
})

describe("schedules of flows in a simulation", () => {
  const Count = Flow.make("count", { schedule: { cron: "*/30 * * * * *" } })
    .step("first", { maxAttempts: 50, maxCrashes: 100 })
    .step("second", { needs: ["first"], maxAttempts: 50, maxCrashes: 100 })

  it("start one run for each occurrence, whatever goes wrong", { timeout: 240_000 }, async () => {
    let ended = 0
    const report = await Effect.runPromise(Simulation.explore({
      seeds: 15,
      duration: "3 minutes",
      flows: () => [
        Count.perform({
          first: () => Effect.void,
          second: () => Effect.sync(() => void ended++),
        }),
      ],
      load: () => Effect.sleep("10 minutes"),
      within: "2 hours",
    }))
    assert(report.faults > 15, `only ${report.faults} faults`)
    assert(ended > 15 * 6, `only ${ended} runs came to their end`)
  })
})
