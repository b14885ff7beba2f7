/**
 * What the driver needs of a database client: statements with text parameters, transactions,
 * notifications.
 *
 * @since 0.1.0
 */
import { DriverError } from "@millrace/core"
import { Effect } from "effect"
import type { Begin } from "./Begin.ts"
import { toDriverError } from "./DatabaseError.ts"

/** A row of an answer, by column name.
 * @category models
 * @since 0.1.0 */
export type Row = Readonly<Record<string, unknown>>

/**
 * Runs one statement. Every parameter is a text or NULL and is cast inside the statement, so that
 * each client treats it alike.
 *
 * @category models
 * @since 0.1.0
 */
export type Query = (
  text: string,
  params: ReadonlyArray<string | null>,
) => Promise<ReadonlyArray<Row>>

/**
 * A database client, reduced to what the driver uses.
 *
 * @category models
 * @since 0.1.0
 */
export interface Connection {
  readonly query: Query
  /** Commits what `f` answers, rolls back what it throws. */
  readonly transaction: <A>(f: (query: Query) => Promise<A>) => Promise<A>
  /** Begins a transaction for the caller's own statements, as long as the caller likes. */
  readonly begin: Begin
  /**
   * Calls back with each payload, and after a lost connection as soon as it hears again; answers
   * how to stop.
   */
  readonly listen: (
    channel: string,
    onNotify: (payload: string) => void,
    onAgain: () => void,
  ) => Promise<() => Promise<void>>
  readonly close: () => Promise<void>
  /** Whether statements run beside an open transaction, or wait for its end. */
  readonly concurrent: boolean
}

/** Runs what a client promises, with its errors as the driver's own.
 * @category conversions
 * @since 0.1.0 */
export const attempt = <A>(
  operation: string,
  run: () => Promise<A>,
): Effect.Effect<A, DriverError> =>
  Effect.tryPromise({ try: run, catch: (error) => toDriverError(operation, error) })
