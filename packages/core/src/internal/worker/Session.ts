/**
 * A worker's standing with the driver: a name, a lease that heartbeats extend, and what it holds.
 */
import type { AttemptProgress } from "../../Driver.ts"
import * as Limits from "../../Limits.ts"
import type { TaskId } from "../../Task.ts"
import { plainText } from "../plainText.ts"

/** A task with the lease of the claim. */
interface Holding {
  readonly id: TaskId
  readonly lease: number
}

export class Session {
  readonly id: string
  /** By the worker's own monotonic clock, and a little early: the last heartbeat was sent then. */
  expiresAt: number
  /**
   * `draining` where the driver may know of tasks that the worker does not, because a reply was
   * lost: it claims no more, and ends as soon as it holds nothing, which gives those tasks up.
   */
  state: "open" | "draining" | "ended" = "open"
  /** All that was claimed and is not settled, each at its place; places are used again. */
  readonly #held: Array<Holding | undefined> = []
  readonly #free: Array<number> = []

  /** What attempts have said since the last heartbeat, the latest of each. */
  readonly #progress = new Map<Holding, AttemptProgress>()

  constructor(id: string, expiresAt: number) {
    this.id = id
    this.expiresAt = expiresAt
  }

  get size(): number {
    return this.#held.length - this.#free.length
  }

  /** Answers the place by which to release it. */
  hold(task: Holding): number {
    const place = this.#free.pop() ?? this.#held.length
    this.#held[place] = task
    return place
  }

  /** Does nothing where it was released before. */
  release(task: Holding, place: number): void {
    if (this.#held[place] !== task) return
    this.#held[place] = undefined
    if (this.#progress.size > 0) this.#progress.delete(task)
    this.#free.push(place)
  }

  holds(id: TaskId): boolean {
    return this.#held.some((task) => task?.id === id)
  }

  held(): ReadonlyArray<Holding> {
    const held: Array<Holding> = []
    for (const task of this.#held) {
      if (task !== undefined) held.push({ id: task.id, lease: task.lease })
    }
    return held
  }

  /**
   * An attempt says how far it is; answers whether that is to be sent. Whatever a handler says here
   * must not fail it.
   */
  report(task: Holding, place: number, fraction: unknown, note: unknown): boolean {
    const isHeld = this.#held[place] === task
    if (!isHeld || typeof fraction !== "number" || Number.isNaN(fraction)) return false
    this.#progress.set(task, {
      id: task.id,
      lease: task.lease,
      fraction: Math.min(1, Math.max(0, fraction)),
      note: typeof note === "string" ? plainText(note, Limits.noteLength) : undefined,
    })
    return true
  }

  /** Takes what was said, to be sent; it is put back where it could not be. */
  takeProgress(): ReadonlyMap<Holding, AttemptProgress> {
    if (this.#progress.size === 0) return nothing
    const taken = new Map(this.#progress)
    this.#progress.clear()
    return taken
  }

  putBack(taken: ReadonlyMap<Holding, AttemptProgress>): void {
    for (const [task, progress] of taken) {
      if (!this.#progress.has(task) && this.#held.includes(task)) this.#progress.set(task, progress)
    }
  }

  drain(): void {
    if (this.state === "open") this.state = "draining"
  }
}

const nothing: ReadonlyMap<Holding, AttemptProgress> = new Map()
