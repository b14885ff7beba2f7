/**
 * Puts inserts that come while others are on their way into one statement.
 *
 * @since 0.1.0
 */
import { type Driver, Limits } from "@millrace/core"
import type { Row } from "./Connection.ts"

type Tasks = ReadonlyArray<Driver.NewTask>
type Rows = ReadonlyArray<Row>

/** Stores tasks at an instant (NULL for the database's own) in one statement. */
type Send = (now: string | null, tasks: Tasks) => Promise<Rows>

interface Waiter {
  readonly now: string | null
  readonly tasks: Tasks
  readonly characters: number
  readonly resolve: (rows: Rows) => void
  readonly reject: (error: unknown) => void
}

/** So many statements are on their way at a time; a lone caller's is sent at once. */
const maxFlying = 2

/** What is larger gains nothing by sharing a statement, and would delay those that share it. */
const maxTasks = 100
const maxCharacters = 1024 * 1024

/**
 * Groups inserts.
 *
 * **Details**
 *
 * Nothing waits while fewer than two statements are on their way. What comes meanwhile shares the
 * next one, in the order of coming. Where a shared statement is refused for good, each of its
 * callers is tried alone, so that nobody pays for another's tasks.
 *
 * @category models
 * @since 0.1.0
 */
export class Grouping {
  readonly #send: Send
  readonly #isRetryable: (error: unknown) => boolean
  #flying = 0
  #waiting: Array<Waiter> = []

  constructor(send: Send, isRetryable: (error: unknown) => boolean) {
    this.#send = send
    this.#isRetryable = isRetryable
  }

  /** Stores tasks, and answers the rows of those that were not there. */
  insert(now: string | null, tasks: Tasks): Promise<Rows> {
    const characters = tasks.reduce((sum, { input }) => sum + input.length, 0)
    if (tasks.length > maxTasks || characters > maxCharacters) return this.#send(now, tasks)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ now, tasks, characters, resolve, reject })
      this.#pump()
    })
  }

  #pump(): void {
    while (this.#flying < maxFlying && this.#waiting.length > 0) void this.#fly(this.#take())
  }

  /** The longest run of waiters from the front that one statement can hold. */
  #take(): ReadonlyArray<Waiter> {
    const { now } = this.#waiting[0]!
    let tasks = 0
    let characters = 0
    const end = this.#waiting.findIndex((waiter) => {
      tasks += waiter.tasks.length
      characters += waiter.characters
      return waiter.now !== now || tasks > Limits.batchSize || characters > maxCharacters
    })
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : Math.max(1, end))
  }

  async #fly(group: ReadonlyArray<Waiter>): Promise<void> {
    this.#flying++
    try {
      await this.#share(group)
    } finally {
      this.#flying--
      this.#pump()
    }
  }

  async #share(group: ReadonlyArray<Waiter>): Promise<void> {
    try {
      const all = group.length === 1 ? group[0]!.tasks : group.flatMap(({ tasks }) => tasks)
      distribute(group, await this.#send(group[0]!.now, all))
    } catch (error) {
      if (group.length === 1 || this.#isRetryable(error)) {
        for (const { reject } of group) reject(error)
      } else {
        for (const waiter of group) await this.#share([waiter])
      }
    }
  }
}

/** Gives each caller the rows of its own tasks; of an id that came twice the first is stored. */
const distribute = (group: ReadonlyArray<Waiter>, rows: Rows): void => {
  if (group.length === 1) return group[0]!.resolve(rows)
  const stored = new Map(rows.map((row) => [row.id as string, row]))
  for (const { tasks, resolve } of group) {
    const own: Array<Row> = []
    for (const { id } of tasks) {
      const row = stored.get(id)
      if (row !== undefined) own.push(row)
      stored.delete(id)
    }
    resolve(own)
  }
}
