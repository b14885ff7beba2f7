/** Millrace, with a handler that decodes, encodes and can time out. */
import { type Driver, Job, Queues, Worker } from "@millrace/core"
import { Postgres } from "@millrace/driver-postgres"
import { drizzle } from "drizzle-orm/postgres-js"
import { sql } from "drizzle-orm"
import { Effect, Exit, Layer, Logger, ManagedRuntime, Schema, Scope, Tracer } from "effect"
import postgres from "postgres"
import { type Contestant, type Kind, orders, type Payload, type Session } from "../model.ts"

const definition = {
  input: { n: Schema.Number, text: Schema.String },
  output: { n: Schema.Number },
} as const

class Other extends Job.make("other", definition) {}

/** What its job and its queue have beyond the defaults. */
export interface Variant {
  readonly configuration: string
  readonly group?: (input: Payload) => string
  readonly unique?: { readonly key: (input: Payload) => string }
  readonly limits?: Queues.LimitOptions
}

/** Makes a contestant of a variant. */
export const contestantOf = (
  { configuration, limits, ...more }: Variant,
): Contestant => {
  const Noop = Job.make("noop", { ...definition, ...more })
  return {
    configuration,
    waiting: `
    select (select count(*) from millrace.ready) + (select count(*) from millrace.scheduled) + (
      select count(*) from millrace.claims c, unnest(c.task_ids, c.leases) as u(id, lease)
      where not exists (
        select 1 from millrace.attempts a where a.task_id = u.id and a.lease = u.lease
      )
    )`,
    history: `select count(*) from millrace.attempts where kind = 'completed'`,
    setup: async (url) => {
      const client = postgres(url, { max: 1, onnotice: () => undefined })
      await client.unsafe(orders)
      await client.end()
      const runtime = ManagedRuntime.make(Postgres.layer({ url }))
      if (limits !== undefined) await runtime.runPromise(Queues.limit(Noop.queue, limits))
      await runtime.runPromise(Noop.enqueue({ n: 0, text: "" }))
      await runtime.runPromise(Other.enqueue({ n: 0, text: "" }))
      await runtime.dispose()
      const cleaner = postgres(url, { max: 1, onnotice: () => undefined })
      await cleaner`truncate millrace.tasks, millrace.ready`
      await cleaner.end()
    },
    open: async (url): Promise<Session> => {
      const quiet = Logger.layer([])
      const runtime = ManagedRuntime.make(Layer.provideMerge(Postgres.layer({ url }), quiet))
      await runtime.context()
      const client = postgres(url, { max: 1, onnotice: () => undefined })
      const db = drizzle({ client })
      return {
        enqueue: (payload) => runtime.runPromise(Noop.enqueue(payload)),
        enqueueMany: (payloads, kind) => runtime.runPromise(many(Noop, payloads, kind)),
        enqueueWithin: (payload) =>
          db.transaction(async (tx) => {
            await tx.execute(sql`insert into orders values (${payload.n})`)
            await runtime.runPromise(Postgres.within(tx)(Noop.enqueue(payload)))
          }),
        work: async (run, { concurrency, traced }) => {
          const noop = Noop.perform(({ n, text }) =>
            Effect.sync(() => {
              run({ n, text })
              return { n }
            })
          )
          const layer = Worker.layer({ jobs: [noop], concurrency })
          const scope = Scope.makeUnsafe()
          await runtime.runPromise(
            traced
              ? Effect.withTracer(Layer.buildWithScope(layer, scope), listening)
              : Layer.buildWithScope(layer, scope),
          )
          return { stop: () => runtime.runPromise(Scope.close(scope, Exit.void)) }
        },
        close: async () => {
          await client.end()
          await runtime.dispose()
        },
      }
    },
  }
}

export const contestant: Contestant = contestantOf({
  configuration: "concurrency 24, defaults otherwise; full history",
})

const many = (
  Noop: Job.Any,
  payloads: ReadonlyArray<Payload>,
  kind: Kind,
): Effect.Effect<unknown, unknown, Driver.Driver> => {
  if (kind === "other") return Other.enqueueMany(payloads)
  return Noop.enqueueMany(payloads, kind === "future" ? { delay: "1 day" } : {})
}

const listening = Tracer.make({ span: (options) => new Tracer.NativeSpan(options) })
