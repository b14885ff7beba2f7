/**
 * Statements of PGlite that are planned once. PGlite's own `query` plans each anew, which takes ten
 * times as long as a claim itself.
 *
 * @since 0.1.0
 */
import type * as Library from "@electric-sql/pglite"
import type { Row } from "./Connection.ts"
import { codeOf } from "./DatabaseError.ts"

/**
 * The part of PGlite that runs messages of the protocol, and what its `query` waits for.
 *
 * @category models
 * @since 0.1.0
 */
export type Database = Pick<
  Library.PGlite,
  "execProtocol" | "parsers" | "_checkReady" | "_runExclusiveQuery" | "_runExclusiveTransaction"
>

/** Whether a client is PGlite itself, or all that is needed of it.
 * @category guards
 * @since 0.1.0 */
export const canPrepare = <A extends object>(client: A): client is A & Database =>
  ["execProtocol", "_checkReady", "_runExclusiveQuery", "_runExclusiveTransaction"].every(
    (name) => typeof (client as Record<string, unknown>)[name] === "function",
  )

/** The statements of one database, by their text.
 * @category constructors
 * @since 0.1.0 */
export const of = (database: Database, library: () => Promise<typeof Library>): Statements => {
  const known = all.get(database) ?? new Statements(database, library)
  all.set(database, known)
  return known
}

// Of several drivers on one database, none may take another's names.
const all = new WeakMap<Database, Statements>()

/**
 * Runs statements that it keeps prepared.
 *
 * @category models
 * @since 0.1.0
 */
export class Statements {
  readonly #database: Database
  readonly #library: () => Promise<typeof Library>
  readonly #kept = new Map<string, { readonly name: string; ready: boolean }>()

  constructor(database: Database, library: () => Promise<typeof Library>) {
    this.#database = database
    this.#library = library
  }

  /** Runs one by itself; waits for the end of an open transaction. */
  async alone(text: string, params: ReadonlyArray<string | null>): Promise<ReadonlyArray<Row>> {
    await this.#database._checkReady()
    return await this.#database._runExclusiveTransaction(async () => {
      await this.#database._checkReady()
      try {
        return await this.#run(text, params, true)
      } catch (error) {
        if (!isForgotten(error)) throw error
        return await this.#run(text, params, true)
      }
    })
  }

  /** Runs one in the transaction that is open. */
  inside(text: string, params: ReadonlyArray<string | null>): Promise<ReadonlyArray<Row>> {
    return this.#run(text, params, false)
  }

  async #run(
    text: string,
    params: ReadonlyArray<string | null>,
    syncToFs: boolean,
  ): Promise<ReadonlyArray<Row>> {
    const { parse, protocol: { serialize } } = await this.#library()
    const one = this.#kept.get(text) ?? { name: `millrace_${this.#kept.size}`, ready: false }
    this.#kept.set(text, one)
    const { name } = one
    const message = concat([
      ...(one.ready ? [] : [serialize.close({ type: "S", name }), serialize.parse({ name, text })]),
      serialize.bind({ statement: name, values: [...params] }),
      serialize.describe({ type: "P" }),
      serialize.execute({}),
      serialize.sync(),
    ])
    try {
      const { messages } = await this.#database._runExclusiveQuery(() =>
        this.#database.execProtocol(message, { syncToFs })
      )
      one.ready = true
      return parse.parseResults(messages, this.#database.parsers)[0]!.rows as ReadonlyArray<Row>
    } catch (error) {
      if (isForgotten(error)) one.ready = false
      throw error
    }
  }
}

// It was deallocated, or what it answers has other columns now.
const isForgotten = (error: unknown): boolean => {
  const code = codeOf(error)
  return code === "26000" || code === "0A000"
}

const concat = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
