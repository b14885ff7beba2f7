/**
 * A connection pool over postgres.js.
 *
 * @since 0.1.0
 */
import postgres from "postgres"
import { begin, type ClientTransaction } from "./ClientTransaction.ts"
import type { Connection, Query, Row } from "./Connection.ts"
import { codeOf, isLostConnection, NoAnswer } from "./DatabaseError.ts"
import { PostgresTransactions } from "./PostgresTransactions.ts"
import { quoted } from "./SchemaName.ts"

/**
 * How to connect.
 *
 * @category models
 * @since 0.1.0
 */
export interface Settings {
  readonly url: string
  readonly maxConnections: number
  /** At most so many transactions of handlers, on connections of their own. */
  readonly maxTransactions: number
  /** Whether statements are prepared; a pooler that cannot keep them needs `false`. */
  readonly prepare: boolean
  /** How long a statement may take before the server is given up. */
  readonly answerMillis: number
}

// A scan or a sort of a table that was never analyzed costs a claim fifty times what it should.
// Where these plans are forbidden by cost, costs are huge, and the just-in-time compiler must not
// take them for a reason.
const planner = {
  enable_bitmapscan: "off",
  enable_seqscan: "off",
  enable_sort: "off",
  jit: "off",
  plan_cache_mode: "force_generic_plan",
  default_transaction_isolation: "read committed",
}

const identity = { application_name: "millrace" }

const connectSeconds = 10
const closeSeconds = 5
const reconnectMillis = 250
// How long calls may take that are under way on other connections when one is lost.
const graceMillis = 1000
const watchMillis = 500

/** Opens a pool; nothing connects before the first statement.
 * @category constructors
 * @since 0.1.0 */
export const make = (settings: Settings): Connection => new Pools(settings)

/** A call that has not been answered. */
interface Call {
  readonly deadline: number
  readonly reject: (error: unknown) => void
}

/** A client, and the calls that it owes an answer. */
interface Pool {
  readonly client: postgres.Sql
  readonly calls: Set<Call>
}

/**
 * One pool after the other. A client that lost a connection can keep the calls that it had queued,
 * and the connections that it makes later, waiting for ever: it is given up, and the next call goes
 * to a new one.
 */
class Pools implements Connection {
  readonly concurrent = true
  readonly #settings: Settings
  #planned = true
  #pool: Pool
  #watch: ReturnType<typeof setInterval> | undefined
  readonly #transactions: PostgresTransactions

  constructor(settings: Settings) {
    this.#settings = settings
    // What the planner is told suits the driver's statements, and not those of others.
    this.#transactions = new PostgresTransactions({
      ...settings,
      connect: () =>
        this.#connect({
          max: settings.maxTransactions,
          // The client's own COMMIT would be prepared too, otherwise.
          prepare: settings.prepare,
          connection: identity,
        }),
    })
    this.#pool = this.#open()
  }

  readonly query: Query = (text, params) => this.#call((client) => this.#run(client, text, params))

  readonly transaction = <A>(f: (query: Query) => Promise<A>): Promise<A> =>
    this.#call((client) =>
      begin(client, (transaction) => f((text, params) => this.#run(transaction, text, params)))
    )

  readonly listen: Connection["listen"] = async (channel, onNotify, onAgain) => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let client: postgres.Sql | undefined
    let stopped = false
    let begun = false
    const start = async (): Promise<void> => {
      const current = this.#connect({
        max: 1,
        max_lifetime: null,
        onclose: () => restart(current),
        onnotify: (_: string, payload: string) => onNotify(payload),
      })
      client = current
      try {
        await current.unsafe(`listen ${quoted(channel)}`)
        if (begun) onAgain()
      } catch {
        restart(current)
      }
    }
    const restart = (lost: postgres.Sql) => {
      if (stopped || lost !== client) return
      client = undefined
      discard(lost)
      timer = setTimeout(start, reconnectMillis)
    }
    await start()
    begun = true
    return async () => {
      stopped = true
      clearTimeout(timer)
      await client?.end({ timeout: 0 })
    }
  }

  readonly begin: Connection["begin"] = () => this.#transactions.begin()

  readonly close = async () => {
    clearInterval(this.#watch)
    await this.#transactions.close(closeSeconds)
    await this.#pool.client.end({ timeout: closeSeconds })
  }

  async #run(
    client: postgres.Sql | ClientTransaction,
    text: string,
    params: ReadonlyArray<string | null>,
  ): Promise<ReadonlyArray<Row>> {
    return await client.unsafe(text, params as Array<string | null>, {
      prepare: this.#settings.prepare && params.length > 0,
    }) as ReadonlyArray<Row>
  }

  async #call<A>(run: (client: postgres.Sql) => Promise<A>): Promise<A> {
    const pool = this.#pool
    try {
      return await this.#answered(pool, run)
    } catch (error) {
      const code = codeOf(error)
      if (code !== undefined && isLostConnection(code)) this.#giveUp(pool)
      if (!this.#planned || code !== unsupportedParameter) throw error
      // A transaction pooler refuses settings at the start of a connection.
      this.#planned = false
      this.#giveUp(pool)
      return await this.#answered(this.#pool, run)
    }
  }

  #answered<A>(pool: Pool, run: (client: postgres.Sql) => Promise<A>): Promise<A> {
    return new Promise<A>((resolve, reject) => {
      const call = { deadline: performance.now() + this.#settings.answerMillis, reject }
      pool.calls.add(call)
      this.#watch ??= this.#startWatch()
      run(pool.client).then(resolve, reject).finally(() => pool.calls.delete(call))
    })
  }

  // A server that vanished without a word never answers.
  #startWatch() {
    const watch = setInterval(() => {
      const pool = this.#pool
      const now = performance.now()
      for (const call of pool.calls) {
        if (call.deadline > now) continue
        call.reject(new NoAnswer())
        this.#giveUp(pool)
        break
      }
      if (pool.calls.size === 0) {
        clearInterval(watch)
        this.#watch = undefined
      }
    }, watchMillis)
    return watch
  }

  #giveUp(pool: Pool): void {
    if (this.#pool !== pool) return
    this.#pool = this.#open()
    setTimeout(() => {
      for (const call of pool.calls) call.reject(new NoAnswer())
      discard(pool.client)
    }, pool.calls.size === 0 ? 0 : graceMillis)
  }

  #open(): Pool {
    return { client: this.#connect({}), calls: new Set() }
  }

  #connect(options: Record<string, unknown>): postgres.Sql {
    return postgres(this.#settings.url, {
      max: this.#settings.maxConnections,
      connect_timeout: connectSeconds,
      backoff: () => reconnectMillis / 1000,
      fetch_types: false,
      onnotice: () => undefined,
      connection: this.#planned ? { ...identity, ...planner } : identity,
      ...options,
    })
  }
}

const discard = (client: postgres.Sql): void => {
  client.end({ timeout: 0 }).catch(() => undefined)
}

const unsupportedParameter = "08P01"
