/**
 * The transaction that the driver's calls join: one that the driver began, or a caller's own.
 *
 * @since 0.1.0
 */
import { DriverError } from "@millrace/core"
import { Context, Effect, Semaphore } from "effect"
import {
  type Begin,
  type Database,
  ofDrizzle,
  ofRaw,
  type Part,
  type Transactable,
} from "./Begin.ts"
import { attempt, type Query } from "./Connection.ts"
import { type Executor, queryOf, type RawTransaction } from "./Executor.ts"

/**
 * A transaction that calls join.
 *
 * @category models
 * @since 0.1.0
 */
export interface Joined {
  readonly query: Query
  /** Drizzle on it, where it is there to be had. */
  readonly database: Database | undefined
  /** Begins a part of it, where its client can. */
  readonly begin: Begin | undefined
  /**
   * One call at a time: what belongs to the whole must not come into a part of it that may be
   * rolled back.
   */
  readonly turns: Semaphore.Semaphore
  /** The id of a caller's transaction, by which one that has ended is told from it. */
  readonly id: (() => Promise<string>) | undefined
  /** That id, once it is known. */
  knownId: string | undefined
  hasEnded: boolean
}

/** The transaction that calls join; `undefined`, the default, for none.
 * @category references
 * @since 0.1.0 */
export const CurrentJoined: Context.Reference<Joined | undefined> = Context.Reference(
  "@millrace/driver-postgres/CurrentJoined",
  { defaultValue: (): Joined | undefined => undefined },
)

/** Joins a transaction that the driver began.
 * @category constructors
 * @since 0.1.0 */
export const ofPart = (part: Part): Joined => {
  const joined: Joined = {
    // A call that was interrupted must not go on after the rollback.
    query: (text, params) =>
      joined.hasEnded ? Promise.reject(hasEnded("go on")) : part.query(text, params),
    database: part.database,
    begin: part.begin,
    turns: Semaphore.makeUnsafe(1),
    id: undefined,
    knownId: undefined,
    hasEnded: false,
  }
  return joined
}

const known = new WeakMap<object, Joined>()

/** Joins a caller's transaction, which the caller ends.
 * @category constructors
 * @since 0.1.0 */
export const ofCaller = (transaction: Executor | RawTransaction): Joined => {
  const before = known.get(transaction)
  if (before !== undefined) return before
  const query = queryOf(transaction)
  const joined: Joined = {
    query,
    database: "execute" in transaction && "select" in transaction
      ? transaction as Executor & Database
      : undefined,
    begin: "unsafe" in transaction
      ? ofRaw(transaction)
      : "transaction" in transaction
      ? ofDrizzle(transaction as Executor & Transactable, { checked: false })
      : undefined,
    turns: Semaphore.makeUnsafe(1),
    id: async () => joined.knownId ??= await idOf(query),
    knownId: undefined,
    hasEnded: false,
  }
  known.set(transaction, joined)
  return joined
}

const idOf = async (query: Query) => String((await query(idText, []))[0]?.id)

const idText = "select pg_current_xact_id()::text as id"

/**
 * Runs a call in a transaction. One of a caller's own is not left in the middle of a call: nobody
 * would know where it stands.
 *
 * @category running
 * @since 0.1.0
 */
export const join = <A>(
  joined: Joined,
  operation: string,
  run: (query: Query) => Promise<A>,
): Effect.Effect<A, DriverError> => {
  const call = attempt(operation, async () => {
    if (joined.hasEnded) throw hasEnded(operation)
    return await run(joined.query)
  })
  return joined.turns.withPermit(joined.id === undefined ? call : Effect.uninterruptible(call))
}

/** Makes sure that a caller's transaction is open, where the statement does not by itself.
 * @category guards
 * @since 0.1.0 */
export const assertOpen = async (joined: Joined, operation: string): Promise<void> => {
  if (joined.id === undefined) return
  if (await joined.id() !== await idOf(joined.query)) throw notOpen(operation)
}

const hasEnded = (operation: string): DriverError =>
  DriverError.rejected(
    operation,
    "the transaction has ended; do this inside of its effect, or outside of any transaction",
  )

const notOpen = (operation: string): DriverError =>
  DriverError.rejected(
    operation,
    "this is no open transaction, or it has ended; give the tx of " +
      "db.transaction(async (tx) => …), and await what uses it before its function returns",
  )
