/**
 * Puts inserts that come while others are on their way into one statement.
 *
 * @since 0.1.0
 */
import { type Driver, Limits } from "@millrace/core"
import { clearTimeout, setImmediate, setTimeout } from "node:timers"
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

/** A statement that takes longer, perhaps since it waits for a lock, holds up no other. */
const slowMillis = 50

/** What is larger gains nothing by sharing a statement, and would delay those that share it. */
const maxTasks = 100
const maxCharacters = 1024 * 1024

/**
 * Groups inserts.
 *
 * **Details**
 *
 * A lone caller waits for nothing. What comes while a statement is on its way shares the next one,
 * in the order of coming, and waits for 50 ms at most. Where a shared statement is refused for
 * good, each of its callers is tried alone, so that nobody pays for another's tasks.
 *
 * @category models
 * @since 0.1.0
 */
export class Grouping {
  readonly #send: Send
  readonly #isRetryable: (error: unknown) => boolean
  #flying = 0
  #soon = false
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
      if (this.#flying === 0 && !this.#soon) this.#pump()
      else this.#pumpSoon()
    })
  }

  // Those whose statement has just ended come again one after the other: they are to share the next
  // one, and the first of them is not to take it alone.
  #pumpSoon(): void {
    if (this.#soon) return
    this.#soon = true
    setImmediate(() => {
      this.#soon = false
      this.#pump()
    })
  }

  #pump(): void {
    while (this.#flying === 0 && this.#waiting.length > 0) void this.#fly(this.#take())
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
    let counts = true
    const land = () => {
      if (counts) this.#flying--
      counts = false
      if (group.length > 1 || this.#waiting.length > 0) this.#pumpSoon()
    }
    const slow = setTimeout(land, slowMillis)
    slow.unref()
    await this.#share(group)
    clearTimeout(slow)
    land()
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
