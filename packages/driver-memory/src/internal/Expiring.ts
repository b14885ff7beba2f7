/**
 * The tasks that expire, until something of them has begun.
 *
 * @since 0.1.0
 */
import { Expiry } from "@millrace/core"
import type { Row } from "./Row.ts"

export class Expiring {
  private readonly rows = new Set<Row>()

  /** Takes over what another one has, row by row. */
  fill(expiring: Expiring, twinOf: (row: Row) => Row | undefined): void {
    for (const row of expiring.rows) {
      const twin = twinOf(row)
      if (twin !== undefined) this.rows.add(twin)
    }
  }

  /** Takes note of a new task. */
  add(row: Row): void {
    if (row.expiresAt !== undefined) this.rows.add(row)
  }

  /** Ready tasks that are too late to begin, those first that expired first. */
  overdue(now: number, limit: number): ReadonlyArray<Row> {
    const overdue: Array<Row> = []
    for (const row of this.rows) {
      if (row.history.some(Expiry.isBeginning)) this.rows.delete(row)
      else if (row.state === "ready" && Expiry.isOver(row.expiresAt!, now)) overdue.push(row)
    }
    return overdue
      .sort((a, b) => a.expiresAt! - b.expiresAt! || (a.task.id < b.task.id ? -1 : 1))
      .slice(0, limit)
  }
}
