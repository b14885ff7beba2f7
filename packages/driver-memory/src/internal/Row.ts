/**
 * A stored task, and its views: what a claim orders by, what is decided on, what is read.
 *
 * @since 0.1.0
 */
import { type Claiming, type Driver, Expiry, Granting, Labels, type Task } from "@millrace/core"
import type { Session } from "./Sessions.ts"

/** A stored task: what was inserted, where it stands, and what happened to it. */
export interface Row {
  readonly task: Driver.NewTask
  readonly enqueuedAt: number
  /** Until when it may begin, where it expires. */
  readonly expiresAt: number | undefined
  state: Task.State
  lease: number
  failures: number
  crashes: number
  /** When it is due, while it is scheduled. */
  dueAt: number | undefined
  /** Since when it is due, or from when on. */
  dueSince: number
  /** Its place among the ready ones. */
  sequence: number
  /** Who runs it, while it runs. */
  session: Session | undefined
  /** How far the attempt with that lease is. */
  progress: (Driver.TaskProgress & { readonly lease: number }) | undefined
  /** How often it was woken, as the own task of a run. */
  wakes: number
  readonly history: Array<Driver.HistoryEntry>
}

/** Makes the row of a new task. */
export const make = (task: Driver.NewTask, now: number): Row => ({
  task,
  enqueuedAt: now,
  expiresAt: Expiry.expiresAt(task, now),
  state: task.ended?.state ?? task.state ?? "ready",
  lease: task.ended === undefined ? 0 : 1,
  failures: 0,
  crashes: 0,
  dueAt: undefined,
  dueSince: 0,
  sequence: 0,
  session: undefined,
  progress: undefined,
  wakes: 0,
  history: task.ended === undefined ? [] : [endOf(task.ended, now)],
})

const endOf = ({ state, output, failure }: Driver.Ended, now: number): Driver.HistoryEntry => ({
  kind: state,
  lease: 1,
  attempt: undefined,
  startedAt: undefined,
  at: now,
  output,
  failure,
})

/** Makes another row that stands where this one does. */
export const copy = (row: Row): Row => ({ ...row, history: [...row.history] })

/** Whether it has its place before others of its key that nothing has happened to. */
export const hasPlace = ({ history }: Row): boolean => history.some(Granting.givesPlace)

/** Its place in its queue. */
export const placeOf = (row: Row): Claiming.Place => ({
  priority: row.task.priority,
  sequence: row.sequence,
  crashes: row.crashes,
})

/** What decisions are made on. */
export const taskOf = (row: Row): Task.Task => ({
  id: row.task.id,
  state: row.state,
  lease: row.lease,
  failures: row.failures,
  crashes: row.crashes,
  maxAttempts: row.task.maxAttempts,
  maxCrashes: row.task.maxCrashes,
  awaited: row.task.awaited,
  branch: branchOf(row.task),
  undoes: row.task.undoes,
})

const branchOf = ({ parent, step, onExhausted = "fail" }: Driver.NewTask) =>
  parent === undefined ? undefined : { parent, step, onExhausted }

/** What a worker is given. */
export const claimedOf = (
  row: Row,
  limited: Driver.ClaimedTask["limited"],
  now: number,
): Driver.ClaimedTask => ({
  ...storedOf(row),
  limited,
  expiresInMillis: row.expiresAt === undefined || row.history.some(Expiry.isBeginning)
    ? undefined
    : row.expiresAt - now,
})

const storedOf = (row: Row) => ({ ...row.task, ...taskOf(row), enqueuedAt: row.enqueuedAt })

/** Whether it is the own task of a run that has waited, or was told of a step. */
export const hasWaited = (row: Row): boolean =>
  row.task.state === "waiting" || row.wakes > 0 ||
  row.history.some(({ kind }) => kind === "advanced")

/** What a reader is given. */
export const recordOf = (row: Row): Driver.TaskRecord => ({
  ...storedOf(row),
  ...Labels.ofLabels(Labels.labelsOf(row.task)),
  dueAt: row.dueAt,
  expiresAt: row.expiresAt,
  progress: progressOf(row),
  history: [...row.history],
})

const progressOf = ({ lease, progress }: Row): Driver.TaskProgress | undefined =>
  progress?.lease === lease
    ? { fraction: progress.fraction, note: progress.note, at: progress.at }
    : undefined

/** Whether it is what a reader asks for, wherever that begins. */
export const matches = (row: Row, query: Driver.FindQuery): boolean =>
  (query.steps === undefined || query.steps.includes(row.task.step)) &&
  (query.after === undefined || row.task.id > query.after) &&
  (query.flow === undefined || row.task.flow === query.flow) &&
  (query.queue === undefined || row.task.queue === query.queue) &&
  (query.states === undefined || query.states.includes(row.state)) &&
  (query.before === undefined || row.task.id < query.before) &&
  (query.own !== true || isOwn(row.task)) &&
  Labels.hasAll(row.task, query) &&
  (query.group === undefined || row.task.group === query.group) &&
  (query.createdFrom === undefined || row.enqueuedAt >= query.createdFrom) &&
  (query.createdBefore === undefined || row.enqueuedAt < query.createdBefore)

const isOwn = (task: Driver.NewTask) => task.parent === undefined && task.runId === task.id
