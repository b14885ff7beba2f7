/** effect-mq on PostgreSQL, with its run ledger. */
import { PgClient } from "@effect/sql-pg"
import { Effect, Exit, Layer, ManagedRuntime, Redacted, Schema, Scope } from "effect"
import { Job, Worker } from "effect-mq"
import {
  DrizzleJobStore,
  mqDedupe,
  mqFlowChildren,
  mqFlowOutbox,
  mqJobAttempts,
  mqJobs,
  mqQueueControl,
  mqSchedules,
} from "effect-mq/drizzle-postgres"
import { SqlClient } from "effect/sql"
import { readFileSync } from "node:fs"
import pg from "pg"
import { type Contestant, orders, type Session } from "../model.ts"

class Noop extends Job.make("noop", {
  payload: { n: Schema.Number, text: Schema.String },
  queue: "noop",
}) {}

const layerOf = (url: string) => {
  const jobs = mqJobs()
  return DrizzleJobStore.layer({
    jobs,
    attempts: mqJobAttempts(jobs),
    schedules: mqSchedules(),
    queues: mqQueueControl(),
    dedupe: mqDedupe(),
    flowChildren: mqFlowChildren(),
    flowOutbox: mqFlowOutbox(),
  }).pipe(
    Layer.provideMerge(PgClient.layer({ url: Redacted.make(url), maxConnections: 24 })),
  )
}

export const contestant: Contestant = {
  configuration: "24 takers, 24 connections, defaults otherwise; full history",
  waiting: "select count(*) from effect_mq_jobs where state <> 'completed'",
  history: "select count(*) from effect_mq_job_attempts",
  setup: async (url) => {
    const client = new pg.Client(url)
    await client.connect()
    await client.query(readFileSync(new URL("./effect-mq.sql", import.meta.url), "utf8"))
    await client.query(orders)
    await client.end()
  },
  open: async (url): Promise<Session> => {
    const runtime = ManagedRuntime.make(layerOf(url))
    await runtime.context()
    return {
      enqueue: (payload) => runtime.runPromise(Noop.enqueue(payload)),
      enqueueMany: (payloads) => runtime.runPromise(Noop.enqueueMany(payloads)),
      enqueueWithin: (payload) =>
        runtime.runPromise(Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          yield* sql.withTransaction(Effect.andThen(
            sql`insert into orders values (${payload.n})`,
            Noop.enqueue(payload),
          ))
        })),
      work: async (task, { concurrency }) => {
        const handler = Noop.toLayer((payload) => Effect.sync(() => task(payload)), { concurrency })
        const scope = Scope.makeUnsafe()
        const layer = Layer.provide(handler, Worker.layer({ concurrency }))
        await runtime.runPromise(Layer.buildWithScope(layer, scope))
        return { stop: () => runtime.runPromise(Scope.close(scope, Exit.void)) }
      },
      close: () => runtime.dispose(),
    }
  },
}
