/**
 * The connections over which handlers have their transactions: others than those of the driver, so
 * that neither heartbeats nor outcomes ever wait for a handler.
 *
 * @since 0.1.0
 */
import { drizzle } from "drizzle-orm/postgres-js"
import type postgres from "postgres"
import { learn } from "./ArrayTypes.ts"
import { type Begin, type Begun, type Database, fromCallback, type Part } from "./Begin.ts"
import { begin, type ClientTransaction } from "./ClientTransaction.ts"
import type { Row } from "./Connection.ts"
import { codeOf, isLostConnection, NoAnswer } from "./DatabaseError.ts"

/**
 * How the connections are made and used.
 *
 * @category models
 * @since 0.1.0
 */
export interface Settings {
  readonly connect: () => postgres.Sql
  readonly prepare: boolean
  /** How long the end of a transaction may take before the server is given up. */
  readonly answerMillis: number
}

/** A client, and how many transactions it has under way. */
interface Pool {
  readonly client: postgres.Sql
  /** Resolves once the client knows the server's types. */
  readonly ready: Promise<void>
  open: number
}

/**
 * Begins transactions, on a new client after one has lost a connection.
 *
 * @category models
 * @since 0.1.0
 */
export class PostgresTransactions {
  readonly #settings: Settings
  #pool: Pool | undefined

  constructor(settings: Settings) {
    this.#settings = settings
  }

  readonly begin: Begin = async () => {
    const pool = this.#pool ??= this.#open()
    pool.open++
    const beginOne = fromCallback((run) =>
      pool.ready.then(() =>
        begin(pool.client, (transaction) => run(partOf(transaction, pool.client, this.#settings)))
      )
        .catch((error) => this.#failed(pool, error))
        .finally(() => this.#ended(pool))
    )
    return this.#bounded(pool, await beginOne())
  }

  async close(seconds: number): Promise<void> {
    await this.#pool?.client.end({ timeout: seconds })
  }

  // A server that vanished without a word never answers.
  #bounded(pool: Pool, begun: Begun): Begun {
    const within = async (end: () => Promise<void>) => {
      let timer: ReturnType<typeof setTimeout> | undefined
      const late = new Promise<void>((_, reject) => {
        timer = setTimeout(() => {
          this.#giveUp(pool)
          reject(new NoAnswer())
        }, this.#settings.answerMillis)
      })
      await Promise.race([end(), late]).finally(() => clearTimeout(timer))
    }
    return {
      ...begun,
      commit: () => within(begun.commit),
      rollback: () => within(begun.rollback).catch(() => undefined),
    }
  }

  #open(): Pool {
    const client = this.#settings.connect()
    const pool = { client, ready: learn(client), open: 0 }
    // Whoever begins a transaction on it hears of this, and the next one has another client.
    pool.ready.catch(() => this.#giveUp(pool))
    return pool
  }

  #failed(pool: Pool, error: unknown): never {
    const code = codeOf(error)
    if (code !== undefined && isLostConnection(code)) this.#giveUp(pool)
    throw error
  }

  #ended(pool: Pool): void {
    pool.open--
    if (pool.open === 0 && pool !== this.#pool) discard(pool.client)
  }

  #giveUp(pool: Pool): void {
    if (pool === this.#pool) this.#pool = undefined
  }
}

const discard = (client: postgres.Sql): void => {
  client.end({ timeout: 0 }).catch(() => undefined)
}

const partOf = (
  transaction: ClientTransaction,
  client: postgres.Sql,
  settings: Settings,
): Part => {
  // Drizzle begins a transaction inside of another by the client's own `begin`.
  const drizzled = { ...transaction, options: client.options, begin: transaction.savepoint }
  return {
    database: drizzle({ client: drizzled as unknown as postgres.Sql }) as unknown as Database,
    query: async (text, params) =>
      await transaction.unsafe(text, params, {
        prepare: settings.prepare && params.length > 0,
      }) as ReadonlyArray<Row>,
    begin: fromCallback((run) =>
      transaction.savepoint((inner) => run(partOf(inner, client, settings)))
    ),
    cancel: transaction.cancel,
  }
}
