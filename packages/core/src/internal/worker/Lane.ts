/**
 * One queue as its worker sees it: how many attempts run, what is claimed and waits for a place,
 * and how much to claim next.
 */
import * as Limits from "../../Limits.ts"
import type { TaskId } from "../../Task.ts"
import type { Claimed } from "./Attempts.ts"

/** How long a claimed task may wait for its place before the worker claims less. */
const maxWaitMillis = 100

/** The most that one lane claims ahead, and asks for at once. */
const maxStock = 3 * Limits.batchSize
const maxAsk = Limits.batchSize

interface Waiting {
  readonly held: Claimed
  readonly since: number
}

export class Lane {
  readonly queue: string
  readonly concurrency: number
  active = 0
  /** How many tasks are asked for by claims that are on their way. */
  asked = 0
  /** The last claim was given all that it asked for here, and no limits rule what is given. */
  abundant = false
  /** The last claim found nothing here, and nothing has announced work since. */
  quiet = false
  #waiting: Array<Waiting> = []
  #head = 0
  /** How many tasks to have at hand, those that run included. Grows while they are short-lived. */
  #stock: number

  constructor(queue: string, concurrency: number) {
    this.queue = queue
    this.concurrency = concurrency
    this.#stock = concurrency
  }

  get waiting(): number {
    return this.#waiting.length - this.#head
  }

  /** How many tasks to ask for; 0 while enough are at hand, or on their way. */
  get need(): number {
    const atHand = this.active + this.waiting + this.asked
    const missing = this.#stock - atHand
    const starving = atHand < this.concurrency
    const asks = starving || missing >= maxAsk || missing * 2 >= this.#stock
    return asks ? Math.min(maxAsk, Math.max(0, missing)) : 0
  }

  /** Takes what a claim of `asked` tasks answered. */
  add(claimed: ReadonlyArray<Claimed>, asked: number, now: number): void {
    this.asked -= asked
    this.abundant = claimed.length === asked && claimed[0]?.task.limited === undefined
    // What a rate lets through is to start now, and so is never claimed ahead.
    if (claimed[0]?.task.limited === "paced") this.#stock = this.concurrency
    else if (claimed.length === asked && this.active + this.waiting < this.concurrency) {
      this.#stock = Math.min(maxStock + this.concurrency, this.#stock * 2)
    }
    for (const held of claimed) this.#waiting.push({ held, since: now })
  }

  /** The next task to start, where there is one and a place for it. */
  next(now: number): Claimed | undefined {
    if (this.active >= this.concurrency || this.waiting === 0) return undefined
    const { held, since } = this.#waiting[this.#head++]!
    if (this.#head === this.#waiting.length) {
      this.#waiting = []
      this.#head = 0
    }
    if (now - since > maxWaitMillis) this.#stock = Math.max(this.concurrency, this.#stock / 2 | 0)
    return held
  }

  /** Takes back everything that waits, or what has waited since before an instant. */
  giveBack(before: number): ReadonlyArray<Claimed> {
    if (this.waiting === 0) return []
    const all = this.#waiting.slice(this.#head)
    this.#waiting = all.filter(({ since }) => since >= before)
    this.#head = 0
    return all.filter(({ since }) => since < before).map(({ held }) => held)
  }

  /** Forgets a waiting task whose lease is lost, and answers it if it was there. */
  drop(id: TaskId, lease: number): Claimed | undefined {
    const at = this.#waiting.findIndex(({ held: { task } }, index) =>
      index >= this.#head && task.id === id && task.lease === lease
    )
    return at >= 0 ? this.#waiting.splice(at, 1)[0]!.held : undefined
  }
}
