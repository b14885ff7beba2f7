/**
 * What a caller's own transaction looks like to the driver: something that runs statements.
 *
 * @since 0.1.0
 */
import { type SQL, sql } from "drizzle-orm"
import type { Query, Row } from "./Connection.ts"

/**
 * Drizzle's transaction, over postgres.js, PGlite or another client: whatever has its `execute`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Executor {
  readonly execute: (query: SQL) => PromiseLike<unknown>
}

/**
 * A transaction of postgres.js itself: what `sql.begin` gives to its function.
 *
 * @category models
 * @since 0.1.0
 */
export interface RawTransaction {
  unsafe(text: string, params?: Array<string | null>): PromiseLike<unknown>
  savepoint(run: (inner: RawTransaction) => Promise<unknown>): Promise<unknown>
}

/** Runs the driver's statements through a caller's transaction.
 * @category conversions
 * @since 0.1.0 */
export const queryOf = (executor: Executor | RawTransaction): Query =>
  "unsafe" in executor
    ? async (text, params) =>
      await executor.unsafe(text, params as Array<string | null>) as ReadonlyArray<Row>
    : async (text, params) => {
      return rowsOf(await executor.execute(toSql(text, params)))
    }

/** The rows of an answer, which clients wrap in different ways.
 * @category conversions
 * @since 0.1.0 */
export const rowsOf = (answer: unknown): ReadonlyArray<Row> =>
  (Array.isArray(answer) ? answer : (answer as { readonly rows: unknown }).rows) as ReadonlyArray<
    Row
  >

/** Turns a text with `$n` into Drizzle's form, with every value bound.
 * @category conversions
 * @since 0.1.0 */
export const toSql = (text: string, params: ReadonlyArray<string | null>): SQL =>
  sql.join(
    text.split(/\$(\d+)/).map((part, index) =>
      index % 2 === 0 ? sql.raw(part) : sql`${sql.param(params[Number(part) - 1] ?? null)}`
    ),
  )
