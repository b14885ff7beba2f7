/**
 * A caller's own transaction, so that tasks are stored with the caller's data or not at all.
 *
 * @since 0.1.0
 */
import { type SQL, sql } from "drizzle-orm"
import { Context, Effect } from "effect"
import type { Query, Row } from "./Connection.ts"

/**
 * What runs statements inside a transaction: Drizzle's database or transaction, over postgres.js or
 * PGlite.
 *
 * @category models
 * @since 0.1.0
 */
export interface Executor {
  readonly execute: (query: SQL) => PromiseLike<unknown>
}

/**
 * The transaction that enqueueing joins; `undefined`, the default, for none.
 *
 * @category references
 * @since 0.1.0
 */
export const CurrentExecutor: Context.Reference<Executor | undefined> = Context.Reference(
  "@millrace/driver-postgres/CurrentExecutor",
  { defaultValue: (): Executor | undefined => undefined },
)

/**
 * Lets all that an effect enqueues join a transaction: committed it is there, rolled back it never
 * was.
 *
 * @category running
 * @since 0.1.0
 */
export const within =
  (executor: Executor) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.provideService(effect, CurrentExecutor, executor)

/** Runs the driver's statements through an executor.
 * @category conversions
 * @since 0.1.0 */
export const queryOf = (executor: Executor): Query => async (text, params) => {
  const answer = await executor.execute(toSql(text, params))
  return (Array.isArray(answer)
    ? answer
    : (answer as { readonly rows: unknown }).rows) as ReadonlyArray<Row>
}

/** Turns a text with `$n` into Drizzle's form, with every value bound.
 * @category conversions
 * @since 0.1.0 */
export const toSql = (text: string, params: ReadonlyArray<string | null>): SQL =>
  sql.join(
    text.split(/\$(\d+)/).map((part, index) =>
      index % 2 === 0 ? sql.raw(part) : sql`${sql.param(params[Number(part) - 1] ?? null)}`
    ),
  )
