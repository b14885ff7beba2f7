/**
 * The small numbers that stand for queues, kept in memory once known: they never change.
 *
 * @since 0.1.0
 */
import { arrayLiteral } from "./ArrayLiteral.ts"
import type { Query } from "./Connection.ts"
import type { Statements } from "./Statements.ts"

/**
 * Knows the number of a queue and the queue of a number.
 *
 * @category models
 * @since 0.1.0
 */
export class QueueIds {
  readonly #ids = new Map<string, number>()
  readonly #names = new Map<number, string>()
  readonly #statements: Statements

  constructor(statements: Statements) {
    this.#statements = statements
  }

  /** Answers how to number these queues, making those that are new. */
  async resolve(
    query: Query,
    queues: Iterable<string>,
  ): Promise<(queue: string) => number> {
    const unknown = new Set<string>()
    for (const queue of queues) if (!this.#ids.has(queue)) unknown.add(queue)
    if (unknown.size > 0) await this.#make(query, unknown)
    return this.#idOf
  }

  /** Numbers queues inside a transaction that can be rolled back, and so remembers nothing. */
  async resolveOnce(
    query: Query,
    queues: Iterable<string>,
  ): Promise<(queue: string) => number> {
    const found = new Map<string, number>()
    const unknown = new Set<string>()
    for (const queue of queues) {
      const id = this.#ids.get(queue)
      if (id === undefined) unknown.add(queue)
      else found.set(queue, id)
    }
    if (unknown.size > 0) {
      for (const row of await this.#read(query, unknown)) found.set(row.name, row.id)
    }
    return (queue) => found.get(queue)!
  }

  /** The number of a queue, where this process has met it. */
  known(queue: string): number | undefined {
    return this.#ids.get(queue)
  }

  /** The number of a queue, where there is such a queue. */
  async find(query: Query, queue: string): Promise<number | undefined> {
    if (!this.#ids.has(queue)) {
      this.#remember(await query(this.#statements.readQueues, [arrayLiteral([queue])]))
    }
    return this.#ids.get(queue)
  }

  /** Answers how to name the queues of these numbers. */
  async names(query: Query, ids: Iterable<number>): Promise<(id: number) => string> {
    for (const id of ids) {
      if (!this.#names.has(id)) {
        this.#remember(await query(this.#statements.allQueues, []))
        break
      }
    }
    return (id) => this.#names.get(id) ?? `#${id}`
  }

  readonly #idOf = (queue: string): number => this.#ids.get(queue)!

  async #make(query: Query, unknown: ReadonlySet<string>): Promise<void> {
    this.#remember(await this.#read(query, unknown))
  }

  async #read(query: Query, unknown: ReadonlySet<string>) {
    const names = arrayLiteral([...unknown])
    let rows = await query(this.#statements.readQueues, [names])
    if (rows.length < unknown.size) {
      await query(this.#statements.makeQueues, [names])
      rows = await query(this.#statements.readQueues, [names])
    }
    return rows as ReadonlyArray<{ readonly id: number; readonly name: string }>
  }

  #remember(rows: ReadonlyArray<Readonly<Record<string, unknown>>>): void {
    for (const row of rows) {
      this.#ids.set(String(row.name), Number(row.id))
      this.#names.set(Number(row.id), String(row.name))
    }
  }
}
