/** One worker, many jobs, and a history that counts them exactly. */
import { Job, Worker } from "@millrace/core"
import { Postgres } from "@millrace/driver-postgres"
import { assertEquals } from "@std/assert"
import { Deferred, Effect, References, Schema } from "effect"
import { describe, it } from "node:test"
import { connect, databaseUrl, dropSchema, schemaName } from "./server.ts"

const count = 20_000

describe("a worker on PostgreSQL", () => {
  it("drains 20,000 jobs, and the history holds an attempt of each", async () => {
    const schema = schemaName()
    const Noop = Job.make("noop", { input: Schema.Int, output: Schema.Int })
    const drained = Effect.gen(function* () {
      const all = yield* Deferred.make<void>()
      let ran = 0
      const noop = Noop.perform((n) =>
        Effect.sync(() => {
          if (++ran === count) Deferred.doneUnsafe(all, Effect.void)
          return n
        })
      )
      yield* Noop.enqueueMany(Array.from({ length: count }, (_, n) => n))
      // Stopping the worker writes what is not written yet.
      yield* Effect.provide(Deferred.await(all), Worker.layer({ jobs: [noop] }))
      return ran
    }).pipe(
      Effect.provide(Postgres.layer({ url: databaseUrl(), schema })),
      Effect.provideService(References.MinimumLogLevel, "None"),
    )
    try {
      assertEquals(await Effect.runPromise(drained), count)
      const sql = connect()
      const rows = await sql.unsafe(
        `select kind, count(*)::int as entries, count(distinct task_id)::int as tasks
         from "${schema}".attempts group by kind`,
      )
      await sql.end()
      assertEquals(JSON.parse(JSON.stringify(rows)), [
        { kind: "completed", entries: count, tasks: count },
      ])
    } finally {
      await dropSchema(schema)
    }
  })
})
