/**
 * Drivers with a store of their own that is made before the tests of a file and removed after them.
 */
import type { Driver, DriverError, Registry, ScheduleStore, Transaction } from "@millrace/core"
import { Embedded, Postgres } from "@millrace/driver-postgres"
import { Effect, Layer, ManagedRuntime } from "effect"
import { after, before } from "node:test"
import process from "node:process"
import postgres from "postgres"

export interface Store {
  readonly run: <A>(effect: Effect.Effect<A, unknown, Provided>) => Promise<A>
}

type Provided =
  | Driver.Driver
  | Transaction.Transactions
  | ScheduleStore.ScheduleStore
  | Registry.Registry

/** The server to test against, if there is one. */
export const serverUrl: string | undefined = process.env["DATABASE_URL"]

/** A driver whose tables are in a schema of their own, which is dropped with it. */
export const serverLayer = (
  clock: "effect" | "database" = "effect",
): Layer.Layer<Provided, DriverError> =>
  Layer.unwrap(
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(() => `testing_${crypto.randomUUID().replaceAll("-", "").slice(0, 20)}`),
        (schema) => Effect.promise(() => drop(schema)),
      ),
      (schema) => Postgres.layer({ url: serverUrl ?? "", schema, clock }),
    ),
  )

async function drop(schema: string): Promise<void> {
  const sql = postgres(serverUrl!, { max: 1, onnotice: () => {} })
  await sql`drop schema if exists ${sql(schema)} cascade`
  await sql.end()
}

/** A schema of its own on the server. */
export function onServer(clock: "effect" | "database" = "effect"): Store {
  return store(serverLayer(clock))
}

/** A database in this process and in memory. */
export function embedded(clock: "effect" | "database" = "effect"): Store {
  return store(Embedded.layer({ directory: undefined, clock }))
}

function store(layer: Layer.Layer<Provided, unknown>): Store {
  const runtime = ManagedRuntime.make(layer)
  before(async () => {
    await runtime.context()
  })
  after(() => runtime.dispose())
  return { run: (effect) => runtime.runPromise(effect) }
}
