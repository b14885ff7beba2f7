/**
 * A worker's standing with the driver: a name, a lease that heartbeats extend, and what it holds.
 */
import type { TaskId } from "../../Task.ts"

export class Session {
  readonly id: string
  /** By the worker's own monotonic clock, and a little early: the last heartbeat was sent then. */
  expiresAt: number
  /**
   * `draining` where the driver may know of tasks that the worker does not, because a reply was
   * lost: it claims no more, and ends as soon as it holds nothing, which gives those tasks up.
   */
  state: "open" | "draining" | "ended" = "open"
  /** The leases of all that was claimed and is not settled. */
  readonly #held = new Map<TaskId, number>()

  constructor(id: string, expiresAt: number) {
    this.id = id
    this.expiresAt = expiresAt
  }

  get size(): number {
    return this.#held.size
  }

  hold(task: { readonly id: TaskId; readonly lease: number }): void {
    this.#held.set(task.id, task.lease)
  }

  release(task: { readonly id: TaskId; readonly lease: number }): void {
    if (this.#held.get(task.id) === task.lease) this.#held.delete(task.id)
  }

  leaseOf(id: TaskId): number | undefined {
    return this.#held.get(id)
  }

  held(): ReadonlyArray<{ readonly id: TaskId; readonly lease: number }> {
    return Array.from(this.#held, ([id, lease]) => ({ id, lease }))
  }

  drain(): void {
    if (this.state === "open") this.state = "draining"
  }
}
