/**
 * What follows a change in its transaction: the tasks that it starts, and what runs are told.
 *
 * @since 0.1.0
 */
import { type Driver, Limits, type Task } from "@millrace/core"
import { arrayLiteral } from "./ArrayLiteral.ts"
import type { Query } from "./Connection.ts"
import type { Statements } from "./Statements.ts"
import { insertFlowParams, moreOf } from "./statements/InsertFlow.ts"
import { type Counts, reportParams, type Turn } from "./statements/Report.ts"
import { distinct } from "./Storing.ts"

type Change = Task.Change
type NewTask = Driver.NewTask

/** A task was claimed, settled or woken after it was read: the transaction is repeated.
 * @category errors
 * @since 0.1.0 */
export class Moved extends Error {
  readonly code = "40001"
}

/** Whether something follows a change that is told to a run.
 * @category guards
 * @since 0.1.0 */
export const isTold = ({ report, to, from, starts }: Change): boolean =>
  report !== undefined || to.state === "waiting" || from === "waiting" ||
  (starts !== undefined && starts.length > 0)

/** Whether all that follows a change can be done by the statement that settles it.
 * @category guards
 * @since 0.1.0 */
export const isSimple = ({ from, starts }: Change): boolean =>
  from !== "waiting" && (starts === undefined || starts.length === 0)

/** The queues of the tasks that changes start.
 * @category conversions
 * @since 0.1.0 */
export const queuesOf = (changes: ReadonlyArray<Change>): ReadonlySet<string> =>
  new Set(changes.flatMap(({ starts = [] }) => starts.map(({ queue }) => queue)))

/**
 * Does what follows changes that were just written, in their transaction. Rejects with `Moved`
 * where a task that waited had been woken.
 *
 * @category running
 * @since 0.1.0
 */
export const follow = async (
  statements: Statements,
  query: Query,
  now: string | null,
  changes: ReadonlyArray<Change>,
  queueId: (queue: string) => number,
): Promise<void> => {
  const told = changes.filter(isTold)
  if (told.length === 0) return
  const started = await start(statements, query, now, told, queueId)
  const queues = new Set(started.map(({ queue }) => queueId(queue)))
  const turns = turnsOf(told, started)
  const rows = await query(
    statements.report,
    reportParams(now, arrayLiteral([...queues]), countsOf(told, started), turns),
  )
  const taken = rows.filter((row) => row.task_id !== null)
  if (taken.length < turns.filter(({ seen }) => seen === undefined).length) throw new Moved()
}

/** Stores what changes start, and answers what was not there. */
const start = async (
  statements: Statements,
  query: Query,
  now: string | null,
  changes: ReadonlyArray<Change>,
  queueId: (queue: string) => number,
): Promise<ReadonlyArray<NewTask>> => {
  const tasks = distinct(changes.flatMap(({ starts = [] }) => starts))
  const stored = new Set<unknown>()
  for (let from = 0; from < tasks.length; from += Limits.batchSize) {
    const some = tasks.slice(from, from + Limits.batchSize)
    const params = insertFlowParams(now, { always: false }, some, queueId)
    const text = statements.insertStarted[moreOf(some)]
    for (const { id } of await query(text, params)) stored.add(id)
  }
  return tasks.filter(({ id }) => stored.has(id))
}

const turnsOf = (
  changes: ReadonlyArray<Change>,
  started: ReadonlyArray<NewTask>,
): ReadonlyArray<Turn> => [
  ...changes.flatMap(({ taskId: task, from, lease, entry, to, failures, crashes }): Array<Turn> =>
    to.state === "waiting"
      ? [{ task, seen: to.seen, lease: entry.lease, failures, crashes }]
      : from === "waiting"
      ? [{ task, seen: undefined, lease, failures, crashes }]
      : []
  ),
  ...started.flatMap(({ id, state, ended }): Array<Turn> =>
    state === "waiting" && ended === undefined
      ? [{ task: id, seen: 0, lease: 0, failures: 0, crashes: 0 }]
      : []
  ),
]

type Mutable<A> = { -readonly [K in keyof A]: A[K] }

const countsOf = (
  changes: ReadonlyArray<Change>,
  started: ReadonlyArray<NewTask>,
): ReadonlyArray<Counts> => {
  const all = new Map<string, Mutable<Counts>>()
  const of = (parent: string, step: string) => {
    const key = `${parent} ${step}`
    let counts = all.get(key)
    if (counts === undefined) all.set(key, counts = { ...none, parent, step })
    return counts
  }
  for (const { report } of changes) {
    if (report === undefined) continue
    const counts = of(report.parent, report.step)
    counts.asks = true
    counts.wakes ||= report.wakes
    if (report.leaves !== undefined) counts[report.leaves]--
    if (report.enters !== undefined) counts[report.enters]++
  }
  for (const { parent, step, ended } of started) {
    if (parent === undefined) continue
    const counts = of(parent, step)
    counts.tasks++
    if (ended !== undefined) counts[ended.state]++
  }
  return [...all.values()]
}

const none = {
  ...{ tasks: 0, completed: 0, failed: 0, cancelled: 0, skipped: 0 },
  ...{ asks: false, wakes: false },
}
