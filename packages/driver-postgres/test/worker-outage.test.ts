/** A worker whose server crashes and comes back, in the middle of its work. */
import { Driver, Job, Worker } from "@millrace/core"
import { Postgres } from "@millrace/driver-postgres"
import { assert, assertEquals } from "@std/assert"
import { Effect, References, Schedule, Schema } from "effect"
import { describe, it } from "node:test"
import { startPostgres } from "../../../tools/scripts/postgres.mjs"

const count = 2000

describe("a worker whose server goes away", () => {
  it("resumes by itself, and everything accepted ends", { timeout: 60_000 }, async () => {
    const server = await startPostgres()
    const Nap = Job.make("nap", { input: Schema.Int, maxAttempts: 3, baseDelay: "10 millis" })
    let begun = 0
    const nap = Nap.perform(() =>
      Effect.andThen(Effect.sync(() => void begun++), Effect.sleep("20 millis"))
    )
    const open = Driver.Driver.use((driver) =>
      driver.find({ states: ["waiting", "ready", "running"], limit: 1 })
    )
    const program = Effect.gen(function* () {
      const ids = yield* Nap.enqueueMany(Array.from({ length: count }, (_, n) => n))
      yield* Effect.gen(function* () {
        while (begun < count / 10) yield* Effect.sleep(5)
        yield* Effect.promise(() => server.restart({ mode: "immediate", downMillis: 500 }))
        assert(begun < count, "the restart was to come in the middle")
        yield* Effect.repeat(Effect.retry(open, Schedule.spaced("100 millis")), {
          schedule: Schedule.spaced("100 millis"),
          until: (tasks) => tasks.length === 0,
        })
      }).pipe(Effect.provide(Worker.layer({ jobs: [nap], concurrency: 24, lease: "2 seconds" })))
      const driver = yield* Driver.Driver
      return yield* driver.find({ runs: ids, limit: count })
    }).pipe(
      Effect.provide(Postgres.layer({ url: server.url })),
      Effect.provideService(References.MinimumLogLevel, "None"),
    )
    try {
      const records = await Effect.runPromise(program)
      assertEquals(records.length, count)
      const states = new Set(records.map((record) => record.state))
      assertEquals([...states], ["completed"])
      for (const record of records) {
        const completed = record.history.filter((entry) => entry.kind === "completed")
        assertEquals(completed.length, 1, record.id)
      }
    } finally {
      await server.stop()
    }
  })
})
