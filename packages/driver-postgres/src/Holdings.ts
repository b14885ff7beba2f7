/**
 * What the workers of this process hold: which claim a task came with, and how much of each claim
 * is open.
 *
 * @since 0.1.0
 */
import type { Task } from "@millrace/core"

interface Claim {
  readonly id: number
  readonly worker: string
  open: number
}

interface Held {
  readonly lease: number
  readonly claim: Claim
  /** A transaction has settled it, which may have been committed. */
  sent: boolean
}

/**
 * Remembers claims, so that settling need not look for them, and says which have ended. What it has
 * forgotten, or another process claimed, is looked up: this only saves time.
 *
 * @category models
 * @since 0.1.0
 */
export class Holdings {
  readonly #held = new Map<Task.TaskId, Held>()
  /** Claims that ended only after the statement that could have deleted them was written. */
  #ended: Array<number> = []

  remember(
    worker: string,
    id: number,
    tasks: ReadonlyArray<{ readonly id: Task.TaskId; readonly lease: number }>,
  ): void {
    const claim: Claim = { id, worker, open: tasks.length }
    for (const task of tasks) {
      const before = this.#held.get(task.id)
      if (before !== undefined) this.#close(before.claim)
      this.#held.set(task.id, { lease: task.lease, claim, sent: false })
    }
  }

  claimOf(id: Task.TaskId, lease: number): number | undefined {
    const held = this.#held.get(id)
    return held?.lease === lease ? held.claim.id : undefined
  }

  /** These tasks are settled in a transaction: that is known once it is committed. */
  send(tasks: ReadonlyArray<Task.TaskId>): void {
    for (const id of tasks) {
      const held = this.#held.get(id)
      if (held !== undefined) held.sent = true
    }
  }

  /** As `claimOf`, for a task that no transaction has settled. */
  unsentClaimOf(id: Task.TaskId, lease: number): number | undefined {
    const held = this.#held.get(id)
    return held?.lease === lease && !held.sent ? held.claim.id : undefined
  }

  /** The claims that have ended once these tasks are settled, with those that had before. */
  endedWith(tasks: ReadonlyArray<Task.TaskId>): ReadonlyArray<number> {
    const closing = new Map<Claim, number>()
    for (const id of tasks) {
      const claim = this.#held.get(id)?.claim
      if (claim !== undefined) closing.set(claim, (closing.get(claim) ?? 0) + 1)
    }
    const ended = this.#ended.slice()
    for (const [claim, count] of closing) if (count === claim.open) ended.push(claim.id)
    return ended
  }

  /** These tasks are settled, and these claims are deleted. */
  settled(tasks: ReadonlyArray<Task.TaskId>, deleted: ReadonlyArray<number>): void {
    for (const id of tasks) {
      const held = this.#held.get(id)
      if (held === undefined) continue
      this.#held.delete(id)
      this.#close(held.claim)
    }
    if (deleted.length > 0 && this.#ended.length > 0) {
      const gone = new Set(deleted)
      this.#ended = this.#ended.filter((id) => !gone.has(id))
    }
  }

  /** Some of what a worker held is not its own any more: its leases stand in the history. */
  lost(
    worker: string,
    leases: ReadonlyArray<{ readonly id: Task.TaskId; readonly lease: number }>,
    lost: ReadonlySet<Task.TaskId>,
  ): void {
    // A worker can name what another one holds: that is lost to it, and not ended.
    const own = leases.filter(({ id, lease }) => {
      const held = this.#held.get(id)
      return lost.has(id) && held?.lease === lease && held.claim.worker === worker
    })
    this.settled(own.map(({ id }) => id), [])
  }

  /** A worker holds nothing any more; what it held is left to recovery. */
  forget(worker: string): void {
    for (const [id, held] of this.#held) {
      if (held.claim.worker === worker) this.#held.delete(id)
    }
  }

  #close(claim: Claim): void {
    claim.open--
    if (claim.open === 0) this.#ended.push(claim.id)
  }
}
