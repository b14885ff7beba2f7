/**
 * What the compiler must accept and refuse of transactions. Nothing here runs: `tsc` and
 * `deno check` fail where an expected error is none, or an unexpected one is there.
 */
import {
  type Attempt,
  type AttemptContext,
  type Driver,
  type DriverError,
  type InputInvalid,
  Job,
  type QueueFull,
  Transaction,
  Worker,
} from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Embedded, Postgres } from "@millrace/driver-postgres"
import { sql } from "drizzle-orm"
import type { PgliteDatabase } from "drizzle-orm/pglite"
import type { PostgresJsDatabase } from "drizzle-orm/postgres-js"
import { Effect, type Layer, Schema } from "effect"
import { it } from "node:test"
import type postgres from "postgres"

type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false

const same = <A, B>(_: Equals<A, B>): void => {}

const typed = (name: string, _types: () => unknown): void => void it(name, () => {})

class Refused extends Schema.TaggedError<Refused>()("Refused", {}) {}

const Count = Job.make("count", { input: Schema.Int, output: Schema.Int, error: Refused })

const reading = Postgres.query((tx) => tx.execute(sql`select 1`))

declare const onServer: PostgresJsDatabase
declare const inProcess: PgliteDatabase<{ readonly some: never }>
declare const raw: postgres.Sql
declare const driverAlone: Layer.Layer<Driver.Driver>

typed("a transaction keeps the effect's types, and needs what begins it", () => {
  const run = Transaction.run(Effect.as(Count.enqueue(1), "a" as const))
  same<
    typeof run,
    Effect.Effect<
      "a",
      InputInvalid | QueueFull | DriverError,
      Driver.Driver | Transaction.Transactions
    >
  >(true)
})

typed("what is read and written needs a transaction around it", () => {
  // @ts-expect-error: no transaction is open here.
  Effect.runPromise(Effect.orDie(reading))
  // @ts-expect-error: nor does the layer of a driver open one.
  Effect.runPromise(Effect.provide(reading, Embedded.layer({ directory: undefined })))
  Effect.runPromise(
    Effect.provide(Transaction.run(reading), Embedded.layer({ directory: undefined })),
  )
})

typed("completing belongs into a handler", () => {
  const completing = Transaction.complete(Effect.succeed(1))
  same<
    typeof completing,
    Effect.Effect<
      number,
      Attempt.Snooze,
      Driver.Driver | Transaction.Transactions | AttemptContext
    >
  >(true)
  // @ts-expect-error: there is no attempt outside of a handler.
  Effect.runPromise(Effect.provide(completing, MemoryDriver.layer))
  const handled = Count.perform(() => completing)
  same<Job.Requirements<typeof handled>, Driver.Driver | Transaction.Transactions>(true)
})

typed("completing keeps the handler's own errors, and deals with the storage's", () => {
  Count.perform((n) =>
    Transaction.complete(
      Effect.gen(function* () {
        yield* Effect.catchTag(Count.enqueue(n), ["InputInvalid", "QueueFull"], Effect.die)
        return yield* n === 0 ? new Refused() : Effect.succeed(n)
      }),
    )
  )
  // @ts-expect-error: the job has no such error.
  Count.perform(() => Transaction.complete(reading))
  // @ts-expect-error: the output is a number.
  Count.perform(() => Transaction.complete(Effect.succeed("1")))
})

typed("a worker whose handlers complete needs a driver with transactions", () => {
  const handled = Count.perform((n) => Transaction.complete(Effect.succeed(n)))
  Worker.run({ jobs: [handled] }, MemoryDriver.layer)
  Worker.run({ jobs: [handled] }, Postgres.layerConfig())
  // @ts-expect-error: this driver has none.
  Worker.run({ jobs: [handled] }, driverAlone)
})

typed("a caller's transaction is one of Drizzle, or of postgres.js", () => {
  onServer.transaction((tx) => Effect.runPromise(reading.pipe(Postgres.within(tx))))
  inProcess.transaction((tx) => Effect.runPromise(reading.pipe(Postgres.within(tx))))
  raw.begin((tx) => Effect.runPromise(reading.pipe(Postgres.within(tx))))
  Postgres.layerTransactions(onServer)
  Postgres.layerTransactions(inProcess)
  // @ts-expect-error: postgres.js itself has no transaction open.
  Postgres.within(raw)
  // @ts-expect-error: a promise of one is none.
  Postgres.within(Promise.resolve(onServer))
  // @ts-expect-error: within takes the transaction first, and then the effect.
  Postgres.within(reading)
  // @ts-expect-error: postgres.js itself is not Drizzle's database.
  Postgres.layerTransactions(raw)
})
