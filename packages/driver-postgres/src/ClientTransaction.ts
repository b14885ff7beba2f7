/**
 * A transaction of postgres.js that outlives its connection.
 *
 * The client itself sends a rollback after a failure, to a connection that may be gone by then, and
 * what it throws there no promise holds: the process ends (porsager/postgres#1208). So whatever
 * fails in a transaction is told one turn of the event loop later, when it is known whether the
 * connection is gone; and where it is, nothing is sent any more: neither further statements nor,
 * since the function that the client waits for never ends, a rollback.
 *
 * @since 0.1.0
 */
import type postgres from "postgres"

/**
 * What the driver and Drizzle use of a transaction of postgres.js.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClientTransaction {
  readonly unsafe: (
    text: string,
    params?: ReadonlyArray<string | null>,
    options?: postgres.UnsafeQueryOptions,
  ) => Statement
  /** Commits or rolls back a part by itself. */
  readonly savepoint: <A>(run: (part: ClientTransaction) => Promise<A>) => Promise<A>
  /** Stops the statements that are under way; resolves once they have ended. */
  readonly cancel: () => Promise<unknown>
}

/**
 * A statement that is sent in the next microtask, so that Drizzle can still choose its form.
 *
 * @category models
 * @since 0.1.0
 */
export interface Statement extends Promise<ReadonlyArray<unknown>> {
  readonly values: () => Promise<ReadonlyArray<unknown>>
}

/**
 * Commits what `run` answers and rolls back what it throws; rejects where the connection is lost.
 *
 * @category constructors
 * @since 0.1.0
 */
export const begin = <A>(
  client: postgres.Sql,
  run: (transaction: ClientTransaction) => Promise<A>,
): Promise<A> => {
  const end = new End()
  const done = client.begin((transaction) => end.kept(run(partOf(transaction, end))))
  done.catch(end.reach)
  return done as Promise<A>
}

const partOf = (transaction: postgres.TransactionSql, end: End): ClientTransaction => {
  const underWay = new Set<Sent>()
  return {
    unsafe: (text, params, options) => {
      if (end.reached) return statement(end.told(end.promise), () => undefined)
      const query: Sent = transaction.unsafe(text, params as Array<string | null>, options)
      underWay.add(query)
      const answer = end.told(query)
      const ended = () => underWay.delete(query)
      answer.then(ended, ended)
      return statement(answer, () => query.values())
    },
    savepoint: <A>(run: (part: ClientTransaction) => Promise<A>) =>
      end.told<A>(
        end.reached
          ? end.promise
          : transaction.savepoint((inner) => end.kept(run(partOf(inner, end)))) as Promise<A>,
      ),
    cancel: () => Promise.allSettled(Array.from(underWay, (query) => stopped(query))),
  }
}

// One answer in both forms, so that each failure is told to whoever waits, and to nobody else.
const statement = (answer: Promise<ReadonlyArray<unknown>>, choose: () => void): Statement =>
  Object.assign(answer, { values: () => (choose(), answer) })

/** The end that a transaction comes to of itself: that of its connection. */
class End {
  reached = false
  #reject!: (error: unknown) => void
  readonly promise = new Promise<never>((_, reject) => {
    this.#reject = reject
  })

  constructor() {
    this.promise.catch(() => undefined)
  }

  readonly reach = (error: unknown): void => {
    this.reached = true
    this.#reject(error)
  }

  /** An answer, or the failure a turn later; also where the client owes an answer for ever. */
  told<A>(answer: PromiseLike<A>): Promise<A> {
    return Promise.race([answer, this.promise]).catch((error) =>
      new Promise<A>((_, reject) => setImmediate(reject, error))
    )
  }

  /** What runs, as long as the client is to hear of its end. */
  kept<A>(running: Promise<A>): Promise<A> {
    return new Promise<A>((resolve, reject) =>
      running.then(
        (value) => this.reached || resolve(value),
        (error) => this.reached || reject(error),
      )
    )
  }
}

/** A query of the client, with the part of it that asks the server to stop it. */
type Sent = postgres.PendingQuery<Array<postgres.Row>> & {
  canceller?: ((query: unknown) => Promise<unknown>) | null
}

// The client's own `cancel` drops this promise, and with a server that takes no connections nobody
// would hold its rejection.
const stopped = async (query: Sent): Promise<void> => {
  const stop = query.canceller
  query.canceller = null
  if (typeof stop === "function") await stop(query).catch(() => undefined)
  await query
}
