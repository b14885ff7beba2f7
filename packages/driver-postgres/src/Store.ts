/**
 * What every operation of the driver needs: the client, the statements, the clock.
 *
 * @since 0.1.0
 */
import type { DriverError } from "@millrace/core"
import { Clock, Effect } from "effect"
import { attempt, type Connection, type Query } from "./Connection.ts"
import { isConflict } from "./DatabaseError.ts"
import { assertOpen, CurrentJoined, join, type Joined } from "./Joined.ts"
import type { LimitedQueues } from "./LimitedQueues.ts"
import { QueueIds } from "./QueueIds.ts"
import type { Statements } from "./Statements.ts"

/**
 * Whose time counts: that of the database, which is one for all workers, or that of Effect's
 * `Clock`, which a test can set.
 *
 * @category models
 * @since 0.1.0
 */
export type ClockSource = "database" | "effect"

/**
 * An open schema.
 *
 * @category models
 * @since 0.1.0
 */
export interface Store {
  readonly connection: Connection
  readonly statements: Statements
  readonly queues: QueueIds
  readonly limited: LimitedQueues
  /** The instant as a parameter; NULL asks the database. */
  readonly now: Effect.Effect<string | null>
}

/** The instant that statements are given.
 * @category constructors
 * @since 0.1.0 */
export const nowFrom = (source: ClockSource): Effect.Effect<string | null> =>
  source === "database" ? Effect.succeed(null) : Effect.map(Clock.currentTimeMillis, String)

const conflictTries = 20

/** Runs a call alone, or inside of the transaction that is open around it.
 * @category running
 * @since 0.1.0 */
export const joining = <A>(
  store: Store,
  operation: string,
  alone: Effect.Effect<A, DriverError>,
  within: (store: Store, query: Query, joined: Joined) => Promise<A>,
): Effect.Effect<A, DriverError> =>
  Effect.flatMap(
    CurrentJoined,
    (joined) =>
      joined === undefined ? alone : join(joined, operation, async (query) => {
        await assertOpen(joined, operation)
        return within(insideOf(store), query, joined)
      }),
  )

// What is made inside of a transaction may be rolled back: a number that was learned there is
// forgotten, unless new queues are made beside it.
const insideOf = (store: Store): Store =>
  store.connection.concurrent ? store : { ...store, queues: new QueueIds(store.statements) }

/** Runs what is one statement, again where it met another in a deadlock.
 * @category running
 * @since 0.1.0 */
export const once = <A>(
  store: Store,
  operation: string,
  run: (query: Query) => Promise<A>,
): Effect.Effect<A, DriverError> =>
  attempt(operation, () => repeatConflicts(() => run(store.connection.query)))

/** Runs a transaction, again where it conflicted with another.
 * @category running
 * @since 0.1.0 */
export const transaction = <A>(
  store: Store,
  operation: string,
  run: (query: Query) => Promise<A>,
): Effect.Effect<A, DriverError> =>
  attempt(operation, () => repeatConflicts(() => store.connection.transaction(run)))

/** Runs something again where it conflicted with another, for some time.
 * @category running
 * @since 0.1.0 */
export const repeatConflicts = async <A>(run: () => Promise<A>): Promise<A> => {
  for (let tries = 1;; tries++) {
    try {
      return await run()
    } catch (error) {
      if (tries === conflictTries || !isConflict(error)) throw error
    }
  }
}
