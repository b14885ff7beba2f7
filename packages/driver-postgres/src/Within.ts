/**
 * The caller's side of transactions: joining one's own, and writing in the one that is open.
 *
 * @since 0.1.0
 */
import { DriverError, Transaction } from "@millrace/core"
import type { SQL } from "drizzle-orm"
import { Effect, Layer, Schema } from "effect"
import { type Database, ofDrizzle, type Transactable } from "./Begin.ts"
import type { Row } from "./Connection.ts"
import { codeOf, constraintOf, toDriverError } from "./DatabaseError.ts"
import { type Executor, type RawTransaction, rowsOf } from "./Executor.ts"
import { CurrentJoined, join, ofCaller } from "./Joined.ts"
import * as Transacted from "./Transacted.ts"

/**
 * Lets all that an effect enqueues join a transaction of the caller's own: committed it is there,
 * and wakes workers then; rolled back it never was.
 *
 * **Details**
 *
 * Takes what `db.transaction` of Drizzle gives to its function, or `sql.begin` of postgres.js. It
 * is the caller's code that commits or rolls back, so let a failure of the effect reach it, as
 * `Effect.runPromise` does.
 *
 * **Gotchas**
 *
 * A transaction that has ended is a `DriverError`, and nothing is stored, as long as it was used
 * with `within` before it ended or its connection is not in another one by now.
 *
 * @category running
 * @since 0.1.0
 */
export const within = (transaction: Executor | RawTransaction) =>
<A, E, R>(
  effect: Effect.Effect<A, E, R>,
): Effect.Effect<A, E, Exclude<R, Transaction.Transaction>> =>
  effect.pipe(
    Effect.provideService(CurrentJoined, ofCaller(transaction)),
    Effect.provideService(Transaction.Transaction, { name: "postgres" }),
  )

/**
 * The database refused a statement of the caller. Its message holds no values.
 *
 * @category errors
 * @since 0.1.0
 */
export class QueryError extends Schema.TaggedError<QueryError>()("QueryError", {
  /** The SQLSTATE, such as `23505`. */
  code: Schema.String,
  /** Which constraint refused it, where it was one. */
  constraint: Schema.optional(Schema.String),
}) {
  override get message(): string {
    const words = refusals[this.code] ?? "the database refused the statement"
    const which = this.constraint === undefined ? "" : `, as "${this.constraint}" says`
    return `Cannot run the query: ${words}${which} (${this.code})`
  }
}

const refusals: Readonly<Record<string, string>> = {
  "23502": "a value is missing",
  "23503": "a row that it refers to is missing, or another one refers to it",
  "23505": "a row with this key exists",
  "23514": "a value is out of the bounds",
  "25P02": "a statement of this transaction had failed before",
  "42P01": "there is no such table",
  "42703": "there is no such column",
}

/**
 * Reads or writes with Drizzle in the transaction that is open: `Transaction.run`,
 * `Transaction.complete` or `within`.
 *
 * **Details**
 *
 * What the database refuses is a `QueryError`. A lost connection or a deadlock is a retryable
 * `DriverError`, after which `Transaction.complete` puts the attempt off. What else the function
 * throws is a defect.
 *
 * @category running
 * @since 0.1.0
 */
export const query = <A>(
  run: (database: Database) => PromiseLike<A>,
): Effect.Effect<A, QueryError | DriverError, Transaction.Transaction> =>
  Effect.gen(function* () {
    const { name } = yield* Transaction.Transaction
    const joined = yield* CurrentJoined
    const database = joined?.database
    if (joined === undefined || database === undefined) {
      return yield* Effect.die(new Error(joined === undefined ? foreign(name) : withoutDrizzle))
    }
    const exit = yield* join(
      joined,
      "run the query",
      () =>
        Promise.resolve(run(database)).then(
          (value) => Effect.succeed(value),
          (error: unknown) => failureOf(error),
        ),
    )
    return yield* exit
  })

/**
 * Runs a statement in the transaction that is open, as `query` does, and answers its rows, whatever
 * the client. The type of the rows is the caller's claim, and is not checked.
 *
 * @category running
 * @since 0.1.0
 */
export const execute = <A extends Row = Row>(
  statement: SQL,
): Effect.Effect<ReadonlyArray<A>, QueryError | DriverError, Transaction.Transaction> =>
  Effect.map(
    query((database) => database.execute(statement)),
    (answer) => rowsOf(answer) as ReadonlyArray<A>,
  )

const foreign = (name: string): string =>
  `Cannot run the query: the open transaction is one of the driver "${name}", not of PostgreSQL; ` +
  "give the handler a service for its data, with an implementation for tests"

const withoutDrizzle =
  "Cannot run the query: the open transaction is one of postgres.js itself, or has only an " +
  "execute; write with its own client"

const failureOf = (error: unknown): Effect.Effect<never, QueryError | DriverError> => {
  const code = codeOf(error)
  if (code === undefined) return Effect.die(withoutParameters(error))
  const failed = toDriverError("run the query", error)
  if (failed.isRetryable || !/^[0-9A-Z]{5}$/.test(code)) return Effect.fail(failed)
  return Effect.fail(new QueryError({ code, constraint: constraintOf(error) }))
}

// Drizzle's own error repeats every parameter.
const withoutParameters = (error: unknown): unknown =>
  error instanceof Error && "params" in error && "query" in error ? error.cause : error

/**
 * Lets `Transaction.run` and `Transaction.complete` have their transactions on a Drizzle database
 * of the caller's, instead of on connections of the driver. It must be the database that the driver
 * has its tables in.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerTransactions = (
  database: Transactable,
): Layer.Layer<Transaction.Transactions> =>
  Layer.succeed(
    Transaction.Transactions,
    Transacted.make("postgres", ofDrizzle(database, { checked: true })),
  )
