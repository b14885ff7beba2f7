/** Effect's own PersistedQueue, stored in SQL. */
import { PgClient } from "@effect/sql-pg"
import { Effect, Fiber, Layer, ManagedRuntime, Redacted, Schema } from "effect"
import { PersistedQueue } from "effect/persistence"
import { SqlClient } from "effect/sql"
import { type Contestant, orders, type Session } from "../model.ts"

const noop = PersistedQueue.make({
  name: "noop",
  schema: Schema.Struct({ n: Schema.Number, text: Schema.String }),
})

const layerOf = (url: string) => {
  const client = PgClient.layer({ url: Redacted.make(url), maxConnections: 24 })
  const store = PersistedQueue.layerStoreSql({ pollInterval: "100 millis" })
  return PersistedQueue.layer.pipe(
    Layer.provideMerge(store),
    Layer.provideMerge(client),
  )
}

export const contestant: Contestant = {
  configuration: "24 fibers that take, 24 connections, polled each 100 ms",
  waiting: "select count(*) from effect_queue where state = 'pending'",
  history: "select count(*) from effect_queue where state = 'completed'",
  setup: async (url) => {
    const runtime = ManagedRuntime.make(layerOf(url))
    await runtime.runPromise(Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(orders)))
    await runtime.dispose()
  },
  open: async (url): Promise<Session> => {
    const runtime = ManagedRuntime.make(layerOf(url))
    const queue = await runtime.runPromise(noop)
    return {
      enqueue: (payload) => runtime.runPromise(queue.offer(payload)),
      enqueueWithin: (payload) =>
        runtime.runPromise(Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          yield* sql.withTransaction(Effect.andThen(
            sql`insert into orders values (${payload.n})`,
            queue.offer(payload),
          ))
        })),
      work: async (task, { concurrency }) => {
        const take = queue.take((payload) => Effect.sync(() => task(payload)))
        const fibers = Array.from(
          { length: concurrency },
          () => runtime.runFork(Effect.forever(take)),
        )
        return await Promise.resolve({
          stop: async () => {
            // What has run is written by then, or counting the rows will tell.
            await runtime.runPromise(Effect.sleep("20 millis"))
            await runtime.runPromise(Fiber.interruptAll(fibers))
          },
        })
      },
      close: () => runtime.dispose(),
    }
  },
}
