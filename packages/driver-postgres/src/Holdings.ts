/**
 * What the workers of this process hold: which claim a task came with, and how much of each claim
 * is open.
 *
 * @since 0.1.0
 */
import type { Driver, Task } from "@millrace/core"

/**
 * The ticket of a task that this process has claimed, which comes back with each change of it.
 *
 * @category models
 * @since 0.1.0
 */
export class Ticket {
  readonly id: Task.TaskId
  readonly lease: number
  // Private, so that whoever prints a task does not print all that is held.
  readonly #claim: Claim
  /** `sent` where a transaction has settled it, which may have been committed. */
  state: "open" | "sent" | "closed" = "open"
  /** The last batch that it was seen in. */
  batch = 0

  constructor(id: Task.TaskId, lease: number, claim: Claim) {
    this.id = id
    this.lease = lease
    this.#claim = claim
  }

  get claim(): Claim {
    return this.#claim
  }
}

/**
 * A claim, and what of it is open.
 *
 * @category models
 * @since 0.1.0
 */
export class Claim {
  readonly holdings: Holdings
  readonly id: number
  readonly worker: string
  readonly tickets: Array<Ticket> = []
  open = 0
  /** How many would be closed by the batch that is looked at. */
  closing = 0

  constructor(holdings: Holdings, id: number, worker: string) {
    this.holdings = holdings
    this.id = id
    this.worker = worker
  }

  add(id: Task.TaskId, lease: number): Ticket {
    const ticket = new Ticket(id, lease, this)
    this.tickets.push(ticket)
    this.open++
    return ticket
  }
}

/**
 * Remembers claims, so that settling need not look for them, and says which have ended. What it has
 * forgotten, or another process claimed, is looked up: this only saves time.
 *
 * @category models
 * @since 0.1.0
 */
export class Holdings {
  readonly #claims = new Set<Claim>()
  /** Claims that ended only after the statement that could have deleted them was written. */
  #ended: Array<number> = []
  #batches = 0

  /** A claim that was made, to which its tasks are then added. */
  begin(worker: string, id: number): Claim {
    const claim = new Claim(this, id, worker)
    this.#claims.add(claim)
    return claim
  }

  /** The ticket of a change, where this process holds its task. */
  ticketOf({ ticket, taskId, lease }: Task.Change): Ticket | undefined {
    if (!(ticket instanceof Ticket)) return undefined
    const { claim, id, state } = ticket
    return id === taskId && ticket.lease === lease && state !== "closed" && claim.holdings === this
      ? ticket
      : undefined
  }

  /** The tickets of changes, where all are held, each once, and no transaction has settled any. */
  openTicketsOf(changes: ReadonlyArray<Task.Change>): ReadonlyArray<Ticket> | undefined {
    const batch = ++this.#batches
    const tickets: Array<Ticket> = []
    for (const change of changes) {
      const ticket = this.ticketOf(change)
      if (ticket?.state !== "open" || ticket.batch === batch) return undefined
      ticket.batch = batch
      tickets.push(ticket)
    }
    return tickets
  }

  /** These tasks are settled in a transaction: that is known once it is committed. */
  send(tickets: ReadonlyArray<Ticket>): void {
    for (const ticket of tickets) if (ticket.state === "open") ticket.state = "sent"
  }

  /** The claims that have ended once these tasks are settled, with those that had before. */
  endedWith(tickets: ReadonlyArray<Ticket>): ReadonlyArray<number> {
    const ended = this.#ended.slice()
    for (const { claim } of tickets) if (++claim.closing === claim.open) ended.push(claim.id)
    for (const { claim } of tickets) claim.closing = 0
    return ended
  }

  /** These tasks are settled, and these claims are deleted. */
  settled(tickets: ReadonlyArray<Ticket>, deleted: ReadonlyArray<number>): void {
    for (const ticket of tickets) this.#close(ticket)
    if (deleted.length > 0 && this.#ended.length > 0) {
      const gone = new Set(deleted)
      this.#ended = this.#ended.filter((id) => !gone.has(id))
    }
  }

  /** Some of what a worker held is not its own any more: its leases stand in the history. */
  lost(
    worker: string,
    lost: ReadonlyArray<Driver.HeldTask>,
  ): void {
    const gone = new Set(lost.map(nameOf))
    // A worker can name what another one holds: that is lost to it, and not ended.
    for (const claim of this.#claims) {
      if (claim.worker !== worker) continue
      for (const ticket of claim.tickets) {
        if (gone.has(nameOf(ticket))) this.#close(ticket)
      }
    }
  }

  /** A worker holds nothing any more; what it held is left to recovery. */
  forget(worker: string): void {
    for (const claim of this.#claims) {
      if (claim.worker !== worker) continue
      this.#claims.delete(claim)
      for (const ticket of claim.tickets) ticket.state = "closed"
    }
  }

  #close(ticket: Ticket): void {
    if (ticket.state === "closed") return
    ticket.state = "closed"
    const { claim } = ticket
    claim.open--
    if (claim.open > 0) return
    this.#claims.delete(claim)
    this.#ended.push(claim.id)
  }
}

const nameOf = ({ id, lease }: Driver.HeldTask): string => `${id} ${lease}`
