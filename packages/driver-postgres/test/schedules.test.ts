import { assert, assertEquals } from "@std/assert"
import { Job, Schedules, type ScheduleStore } from "@millrace/core"
import { Effect, Schema } from "effect"
import { TestClock } from "effect/testing"
import { after, describe, it } from "node:test"
import * as F from "./fixtures.ts"
import { dropSchema, schemaName } from "./server.ts"

const schema = schemaName()
after(() => dropSchema(schema))

const timeout = 240_000
const tickers = 24
const Tick = Job.make("tick", { input: Schema.String })
const Keyed = Job.make("keyed", { input: Schema.String, unique: { key: (input) => input } })

describe("schedules with real connections", () => {
  it("each of 100 rounds enqueues each occurrence once, by 24 at once", { timeout }, async () => {
    await using one = await F.openSchema(schema, { maxConnections: 8, clock: "effect" })
    await using two = await F.openSchema(schema, { maxConnections: 8, clock: "effect" })
    const program = Effect.gen(function* () {
      yield* Schedules.upsert("plain", Tick, "plain", { every: "1 second", misfire: { all: 900 } })
      yield* Schedules.upsert("keyed", Keyed, "key", { every: "5 seconds" })
      yield* Schedules.upsert("cron", Tick, "cron", { cron: "*/2 * * * * *" })
    })
    let clock = 0
    const at = <A>(opened: F.Opened, effect: Effect.Effect<A, unknown, F.Provided>) =>
      opened.run(Effect.provide(
        Effect.andThen(TestClock.setTime(clock), effect),
        TestClock.layer(),
        { local: true },
      ))
    await at(one, program)
    for (let round = 1; round <= 100; round++) {
      clock = round * 3000
      await Promise.all(
        Array.from({ length: tickers }, (_, index) => at(index % 2 ? one : two, Schedules.tick)),
      )
      const all = await at(one, one.driver.find({ queue: "tick", limit: 10_000 }))
      const count = (input: string) => all.filter((task) => task.input === input).length
      assertEquals(count(`"plain"`), round * 3, `round ${round}`)
      assertEquals(count(`"cron"`), Math.floor(round * 3 / 2), `round ${round}`)
      const keyed = await at(one, one.driver.find({ queue: "keyed", limit: 100 }))
      assertEquals(keyed.length, round * 3 < 5 ? 0 : 1, `round ${round}`)
    }
  })

  it("changes by many at once all come about", { timeout }, async () => {
    await using opened = await F.openSchema(schema, { maxConnections: 8 })
    const changes = Array.from(
      { length: 32 },
      (_, index) => Schedules.upsert("contended", Tick, String(index), { every: "1 day" }),
    )
    const made: ReadonlyArray<Schedules.Info> = await opened.run(
      Effect.all(changes, { concurrency: "unbounded" }) as Effect.Effect<
        ReadonlyArray<Schedules.Info>,
        unknown,
        ScheduleStore.ScheduleStore
      >,
    )
    assertEquals(made.length, 32)
    const found = await opened.run(Schedules.get("contended"))
    assert(made.some(({ input }) => input === found.input))
  })
})
