/**
 * The driver over any client that speaks PostgreSQL's SQL.
 *
 * @since 0.1.0
 */
import { Driver, type DriverError, Registry, ScheduleStore, Transaction } from "@millrace/core"
import { Context, Effect, type Scope } from "effect"
import * as Claims from "./Claims.ts"
import type { Connection } from "./Connection.ts"
import { Holdings } from "./Holdings.ts"
import * as Inserting from "./Inserting.ts"
import * as LimitedQueues from "./LimitedQueues.ts"
import * as Migrations from "./Migrations.ts"
import { QueueIds } from "./QueueIds.ts"
import * as Reading from "./Reading.ts"
import * as Registrations from "./Registrations.ts"
import * as Schedules from "./Schedules.ts"
import * as Settling from "./Settling.ts"
import * as Statements from "./Statements.ts"
import { type ClockSource, nowFrom, type Store } from "./Store.ts"
import * as Transacted from "./Transacted.ts"
import * as Transacting from "./Transacting.ts"
import * as Wakeups from "./Wakeups.ts"

/**
 * How a schema is used.
 *
 * @category models
 * @since 0.1.0
 */
export interface Settings {
  /** What the driver is called in logs. */
  readonly name: string
  readonly schema: string
  readonly clock: ClockSource
  /** Whether the schema is created and brought up to date, or must be so already. */
  readonly migrate: boolean
}

/** What a layer of the driver provides.
 * @category models
 * @since 0.1.0 */
export type Provided =
  | Driver.Driver
  | Transaction.Transactions
  | Registry.Registry
  | ScheduleStore.ScheduleStore

/**
 * Makes the driver and its transactions; the schema's name must be valid.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  connection: Connection,
  settings: Settings,
): Effect.fn.Return<Context.Context<Provided>, DriverError, Scope.Scope> {
  yield* (settings.migrate ? Migrations.migrate : Migrations.check)(connection, settings.schema)
  const statements = Statements.make(settings.schema)
  const store: Store = {
    connection,
    statements,
    queues: new QueueIds(statements),
    limited: new LimitedQueues.LimitedQueues(),
    now: nowFrom(settings.clock),
  }
  const holdings = new Holdings()
  const { claim, heartbeat } = Claims.make(store, holdings)
  const { find, progress, prune, queues } = Reading.make(store)
  const driver = Driver.Driver.of({
    name: settings.name,
    insert: Inserting.make(store),
    claim,
    settle: Settling.make(store, holdings),
    transact: Transacting.make(store),
    heartbeat,
    limit: LimitedQueues.make(store),
    prune,
    progress,
    find,
    queues,
    wakeups: yield* Wakeups.make(connection, settings.schema),
  })
  return Context.make(Driver.Driver, driver).pipe(
    Context.add(Transaction.Transactions, Transacted.make(settings.name, connection.begin)),
    Context.add(Registry.Registry, Registrations.make(store)),
    Context.add(ScheduleStore.ScheduleStore, Schedules.make(store)),
  )
})
