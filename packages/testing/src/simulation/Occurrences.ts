/**
 * The books of schedules: that each occurrence has one run, in the order of time, and that none is
 * left out which is due now.
 *
 * @since 0.1.0
 */
import { type Driver, Limits, type ScheduleStore, Scheduling, type Task } from "@millrace/core"

/**
 * Something that cannot be, of a task where it is about one, and else of the schedule.
 *
 * @category models
 * @since 0.1.0
 */
export interface Wrong {
  readonly how: string
  readonly id: Task.TaskId | undefined
}

/**
 * Checks what is written of schedules.
 *
 * @category models
 * @since 0.1.0
 */
export class Occurrences {
  readonly #rows = new Map<string, ScheduleStore.Row>()
  /** The last occurrence of each schedule that has a run, whether or not it still exists. */
  readonly #last = new Map<string, number>()
  readonly #runs = new Map<Task.TaskId, string>()

  /** A schedule was written; answers the first thing that is wrong with that. */
  written({ name, row, tasks }: ScheduleStore.Write, now: number): Wrong | undefined {
    const before = this.#rows.get(name)
    if (row === undefined) this.#rows.delete(name)
    else this.#rows.set(name, row)
    for (const task of tasks) {
      const how = this.#enqueued(name, task, before, now)
      if (how !== undefined) return { how, id: task.id }
    }
    const left = leftOut(before, row, tasks, now)
    return left === undefined ? undefined : { how: left, id: tasks[0]?.id }
  }

  #enqueued(
    name: string,
    { dueAt, id }: Driver.NewTask,
    before: ScheduleStore.Row | undefined,
    now: number,
  ): string | undefined {
    const at = instantOf(id)
    const other = this.#runs.get(id)
    const last = this.#last.get(name)
    this.#runs.set(id, name)
    this.#last.set(name, at)
    if (other !== undefined && other !== name) return "is the run of two schedules"
    if (last !== undefined && at <= last) return "was enqueued for an occurrence that had been"
    if (at > now) return "was enqueued before its occurrence"
    if (dueAt !== undefined && dueAt < at) return "is due before its occurrence"
    return before === undefined || occurs(Scheduling.ofRow(before), at)
      ? undefined
      : "was enqueued for no occurrence"
  }
}

/** What an id of a run begins with. */
const instantOf = (id: Task.TaskId): number => parseInt(id.replace("-", "").slice(0, 12), 16)

const occurs = ({ paused, recurrence }: Scheduling.Schedule, at: number): boolean =>
  !paused && (recurrence._tag === "Cron" ||
    (at - recurrence.offsetMillis) % recurrence.everyMillis === 0)

/** Whether an occurrence that is not late yet is passed over, and nobody asked for that. */
const leftOut = (
  before: ScheduleStore.Row | undefined,
  row: ScheduleStore.Row | undefined,
  tasks: ReadonlyArray<Driver.NewTask>,
  now: number,
): string | undefined => {
  if (before?.nextAt === undefined || row === undefined) return undefined
  const { nextAt: at } = before
  const [one, other] = [Scheduling.ofRow(before), Scheduling.ofRow(row)]
  const isOther = JSON.stringify(one.recurrence) !== JSON.stringify(other.recurrence)
  if (other.paused || isOther || row.nextAt === at) return undefined
  // It was decided on before it was written: more may be due by now.
  if (row.nextAt !== undefined && row.nextAt < at) return "left a schedule that goes back"
  return at <= now - Limits.lateMillis || tasks.some(({ id }) => instantOf(id) === at)
    ? undefined
    : "passed over an occurrence that was due"
}
