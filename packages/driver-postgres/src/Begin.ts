/**
 * Transactions that the driver begins and ends: of its own connections, or of a caller's Drizzle
 * database.
 *
 * @since 0.1.0
 */
import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core"
import type { Query } from "./Connection.ts"
import { type Executor, queryOf, type RawTransaction } from "./Executor.ts"

/**
 * Drizzle on a transaction: for the caller's own reads and writes.
 *
 * @category models
 * @since 0.1.0
 */
export type Database = PgDatabase<PgQueryResultHKT>

/**
 * A transaction, or a part of one, while it is open.
 *
 * @category models
 * @since 0.1.0
 */
export interface Part {
  /** Drizzle on it; there is none for a transaction of postgres.js itself. */
  readonly database: Database | undefined
  readonly query: Query
  /** Begins a part of it that can be rolled back by itself. */
  readonly begin: Begin
  /** Stops the statements that are under way; resolves once they have ended. */
  readonly cancel: () => Promise<unknown>
}

/**
 * A transaction that has begun, and how it ends.
 *
 * @category models
 * @since 0.1.0
 */
export interface Begun extends Part {
  /** Rejects where it was rolled back instead, or where nobody knows. */
  readonly commit: () => Promise<void>
  /** Never rejects: what is not committed is rolled back, at the latest by the server. */
  readonly rollback: () => Promise<void>
  /** Calls back where it ended before it was told to, as with its connection. */
  readonly onLost: (lost: (error: unknown) => void) => void
}

/** Begins a transaction.
 * @category models
 * @since 0.1.0 */
export type Begin = () => Promise<Begun>

class RolledBack extends Error {
  override readonly name = "RolledBack"
}

/**
 * Takes apart what clients offer in one piece: a call that commits when a function's promise
 * resolves, and rolls back when it rejects.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromCallback =
  (transact: (run: (part: Part) => Promise<void>) => Promise<unknown>): Begin => () =>
    new Promise<Begun>((began, failed) => {
      const done: Promise<unknown> = transact((part) =>
        new Promise<void>((commit, rollback) => {
          began({
            ...part,
            commit: async () => {
              commit()
              await done
            },
            rollback: async () => {
              await part.cancel()
              rollback(new RolledBack())
              await done.catch(() => undefined)
            },
            onLost: (lost) => void done.catch(lost),
          })
        })
      )
      done.catch(failed)
    })

/**
 * A Drizzle database of the caller, over whichever client.
 *
 * @category models
 * @since 0.1.0
 */
export interface Transactable {
  transaction<A>(run: (transaction: Executor) => Promise<A>): Promise<A>
}

/**
 * Begins transactions of a Drizzle database.
 *
 * **Details**
 *
 * Not every client says so when a failed transaction is rolled back by the commit, so with
 * `checked` a statement asks before it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofDrizzle = (
  database: Transactable,
  { checked }: { readonly checked: boolean },
): Begin =>
  fromCallback((run) =>
    database.transaction(async (transaction) => {
      const query = queryOf(transaction)
      await run({
        database: transaction as Executor & Database,
        query,
        begin: ofDrizzle(transaction as Executor & Transactable, { checked: false }),
        // Drizzle does not show what is under way: the rollback waits for it.
        cancel: () => Promise.resolve(),
      })
      if (checked) await query("select 1", [])
    })
  )

/** Begins parts of a transaction of postgres.js itself.
 * @category constructors
 * @since 0.1.0 */
export const ofRaw = (transaction: RawTransaction): Begin =>
  fromCallback((run) =>
    transaction.savepoint((inner) =>
      run({
        database: undefined,
        query: queryOf(inner),
        begin: ofRaw(inner),
        cancel: () => Promise.resolve(),
      })
    )
  )
