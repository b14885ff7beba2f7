/**
 * One queue: what is ready in the order of claiming, and what is due later in the order of time.
 *
 * @since 0.1.0
 */
import { Claiming, Limits } from "@millrace/core"
import { hasPlace, hasWaited, placeOf, type Row } from "./Row.ts"

export class Lane {
  private readonly ready: Array<Row> = []
  private readonly scheduled: Array<Row> = []
  readonly queue: string
  private readonly nextSequence: () => number

  constructor(queue: string, nextSequence: () => number) {
    this.queue = queue
    this.nextSequence = nextSequence
  }

  /** How many tasks wait, due or not. */
  get depth(): number {
    return this.ready.length + this.scheduled.length
  }

  /** The keys of which a task has begun and waits for its next attempt. */
  waitingKeys(): ReadonlySet<string> {
    return new Set(this.scheduled.flatMap((row) => hasPlace(row) ? row.task.group ?? [] : []))
  }

  /** Whether nothing is ready, whatever is due later. */
  get isEmpty(): boolean {
    return this.ready.length === 0
  }

  /** How many tasks are due and how many later, and since when those claimed first are due. */
  look(now: number) {
    const due = this.scheduled.filter((row) => Claiming.isDue(row.dueAt!, now))
    const first = new Map<number, Row>()
    for (const row of this.ready) {
      if (!first.has(row.task.priority)) first.set(row.task.priority, row)
    }
    const since = [...first.values(), ...due.slice(0, 1)]
      .flatMap((row) => hasWaited(row) ? [] : row.dueSince)
    return {
      due: this.ready.length + due.length,
      later: this.scheduled.length - due.length,
      eldest: since.length === 0 ? undefined : Math.min(...since),
    }
  }

  /** When the first scheduled task is due; `Infinity` where there is none. */
  get nextDue(): number {
    return this.scheduled[0]?.dueAt ?? Infinity
  }

  /** Takes over what another lane has, row by row. */
  fill(lane: Lane, twinOf: (row: Row) => Row): void {
    for (const row of lane.ready) this.ready.push(twinOf(row))
    for (const row of lane.scheduled) this.scheduled.push(twinOf(row))
  }

  /** Puts a task where its time says, and answers whether it is ready. */
  add(row: Row, dueAt: number, now: number): boolean {
    row.dueSince = Math.max(dueAt, now)
    if (Claiming.isDue(dueAt, now)) {
      this.addReady(row)
      return true
    }
    row.dueAt = dueAt
    insertSorted(this.scheduled, row, byDue)
    return false
  }

  /** Takes a task out. */
  remove(row: Row): void {
    remove(row.dueAt === undefined ? this.ready : this.scheduled, row)
    row.dueAt = undefined
  }

  /** Moves what is due among the ready ones. */
  promote(now: number): void {
    if (!Claiming.isDue(this.nextDue, now)) return
    const due = this.scheduled
      .slice(0, Limits.duePerClaim)
      .filter((row) => Claiming.isDue(row.dueAt!, now))
    this.scheduled.splice(0, due.length)
    for (const row of due) this.addReady(row)
  }

  /** The ready tasks that are claimed first. */
  first(limit: number): ReadonlyArray<Row> {
    return this.ready.slice(0, limit)
  }

  /** Takes the first ready tasks out. */
  take(count: number): void {
    this.ready.splice(0, count)
  }

  private addReady(row: Row): void {
    row.dueAt = undefined
    row.sequence = this.nextSequence()
    insertSorted(this.ready, row, (a, b) => Claiming.byPlace(placeOf(a), placeOf(b)))
  }
}

const byDue = (a: Row, b: Row) => a.dueAt! - b.dueAt! || (a.task.id < b.task.id ? -1 : 1)

const insertSorted = <A>(all: Array<A>, one: A, order: (a: A, b: A) => number): void => {
  let low = 0
  let high = all.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (order(all[middle]!, one) <= 0) low = middle + 1
    else high = middle
  }
  all.splice(low, 0, one)
}

const remove = <A>(all: Array<A>, one: A): void => {
  const at = all.indexOf(one)
  if (at >= 0) all.splice(at, 1)
}
