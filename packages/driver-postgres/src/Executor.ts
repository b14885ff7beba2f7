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
  unsafe(
    text: string,
    params?: Array<string | null>,
    options?: { readonly prepare?: boolean },
  ): PromiseLike<unknown>
  savepoint(run: (inner: RawTransaction) => Promise<unknown>): Promise<unknown>
}

/**
 * Runs the driver's statements through a caller's transaction.
 *
 * **Details**
 *
 * With postgres.js they are prepared, unless its options say otherwise: planning one costs more
 * than running it. Drizzle cannot be told so, hence its client is asked itself.
 *
 * @category conversions
 * @since 0.1.0
 */
export const queryOf = (executor: Executor | RawTransaction): Query => {
  const raw = rawOf(executor)
  return raw === undefined
    ? async (text, params) => rowsOf(await (executor as Executor).execute(toSql(text, params)))
    : async (text, params) =>
      await raw.unsafe(text, params as Array<string | null>, {
        prepare: params.length > 0,
      }) as ReadonlyArray<Row>
}

type Raw = Pick<RawTransaction, "unsafe">

const rawOf = (executor: Executor | RawTransaction): Raw | undefined => {
  if ("unsafe" in executor) return executor
  const { session } = executor as { readonly session?: { readonly client?: Partial<Raw> } }
  return typeof session?.client?.unsafe === "function" ? session.client as Raw : undefined
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
