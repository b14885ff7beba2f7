/**
 * The stored schedules: rows by name, each written only where it stands as it was read.
 *
 * @since 0.1.0
 */
import type { ScheduleStore } from "@millrace/core"

type Row = ScheduleStore.Row

export class Schedules {
  private readonly rows = new Map<string, Row>()

  /** Takes over what another one has. */
  fill(schedules: Schedules): void {
    for (const [name, row] of schedules.rows) this.rows.set(name, row)
  }

  find({ after, flow, limit, names }: ScheduleStore.Query): ReadonlyArray<Row> {
    return [...this.rows.values()]
      .filter(({ name }) => names === undefined || names.includes(name))
      .filter((row) => flow === undefined || row.flow === flow)
      .filter(({ name }) => after === undefined || name > after)
      .sort((a, b) => a.name < b.name ? -1 : 1)
      .slice(0, limit)
  }

  /** Those that are due, and how long until the next of the others is. */
  due(limit: number, now: number): Omit<ScheduleStore.Due, "now"> {
    const planned = [...this.rows.values()].flatMap((row) =>
      row.nextAt === undefined ? [] : [{ row, at: row.nextAt }]
    )
    planned.sort((a, b) => a.at - b.at || (a.row.name < b.row.name ? -1 : 1))
    const next = planned.find(({ at }) => at > now)
    return {
      rows: planned.filter(({ at }) => at <= now).slice(0, limit).map(({ row }) => row),
      nextDueMillis: next && next.at - now,
    }
  }

  /** Writes one, and answers whether it stood as expected. */
  write({ expects, name, row }: ScheduleStore.Write): boolean {
    if (this.rows.get(name)?.revision !== expects) return false
    if (row === undefined) this.rows.delete(name)
    else this.rows.set(name, row)
    return true
  }
}
