/**
 * What settling and applying share: the columns of a change, the history row, and where the task
 * goes.
 *
 * @since 0.1.0
 */
import { Task } from "@millrace/core"
import type { Element } from "../ArrayLiteral.ts"
import { tellEnds, wakeReady } from "./Wake.ts"

type Change = Task.Change

/** The columns of a change that both statements take.
 * @category models
 * @since 0.1.0 */
export const changeColumns = {
  task_id: "uuid",
  entry_lease: "int",
  attempt: "int",
  elapsed: "float8",
  delay: "float8",
  failures: "int",
  crashes: "smallint",
  kind: "text",
  state: "text",
  reason: "text",
  message: "text",
  output: "json",
  error: "json",
} as const

/** How the columns of a change are read from it.
 * @category models
 * @since 0.1.0 */
export const changeValues: Readonly<
  Record<keyof typeof changeColumns, (change: Change) => Element>
> = {
  task_id: (change) => change.taskId,
  entry_lease: (change) => change.entry.lease,
  attempt: (change) => change.entry.attempt,
  elapsed: (change) => change.entry.elapsedMillis,
  delay: (change) => change.to.state === "ready" ? change.to.delayMillis : undefined,
  failures: (change) => change.failures,
  crashes: (change) => change.crashes,
  kind: (change) => change.entry.kind,
  // A task that waits has not ended: its history goes on, and `runs` says that it waits.
  state: (change) => Task.isTerminal(change.to.state) ? change.to.state : "ready",
  reason: (change) => change.entry.failure?.reason,
  message: (change) => change.entry.failure?.message,
  output: (change) => change.entry.output,
  error: (change) => change.entry.failure?.error,
}

/** The ids whose end somebody waits for.
 * @category conversions
 * @since 0.1.0 */
export const awaitedIds = (changes: ReadonlyArray<Change>): ReadonlyArray<string> =>
  changes.flatMap((change) =>
    change.awaited && Task.isTerminal(change.to.state) ? [change.taskId] : []
  )

/**
 * The order in which changes are written: by id, so that batches that overlap meet in one order and
 * not in a deadlock. Those that make a task ready at once come last and in the order given, which
 * is that of their queue.
 *
 * @category conversions
 * @since 0.1.0
 */
export const writingOrder = <A>(
  given: ReadonlyArray<A>,
  changeOf: (one: A) => Change,
): ReadonlyArray<A> => {
  if (given.length < 2) return given
  const isReady = (one: A) => {
    const { to } = changeOf(one)
    return to.state === "ready" && to.delayMillis <= 0
  }
  return [
    ...given.filter((one) => !isReady(one))
      .sort((a, b) => changeOf(a).taskId < changeOf(b).taskId ? -1 : 1),
    ...given.filter(isReady),
  ]
}

/**
 * The INSERT of the history rows of some changes, of which `from` gives the instant `t.now`, the
 * column `worker`, and all that `read` names.
 *
 * @category statements
 * @since 0.1.0
 */
export const insertHistory = (
  schema: string,
  read: Readonly<Record<keyof typeof changeColumns, string>>,
  from: string,
  dueAt = laterBy(read.delay),
): string =>
  `insert into ${schema}.attempts (task_id, lease, attempt, finished_at, started_at, due_at,
    failures, crashes, kind, state, worker, reason, message, output, error)
  select ${read.task_id}, ${read.entry_lease}, ${read.attempt}, t.now,
    t.now - ${read.elapsed} * interval '1 millisecond',
    case when ${read.state} = 'ready' then ${dueAt} end,
    ${read.failures}, ${read.crashes}, ${read.kind}, ${read.state}, worker,
    ${read.reason}, ${read.message}, ${read.output}, ${read.error}
  from ${from}`

/** The instant that is later by some milliseconds.
 * @category statements
 * @since 0.1.0 */
export const laterBy = (delay: string): string => `t.now + ${delay} * interval '1 millisecond'`

/**
 * The query `written`: appends the history rows of some changes, as `insertHistory` does. A row
 * that is there already is left alone: that is the fence.
 *
 * @category statements
 * @since 0.1.0
 */
export const writeHistory = (
  schema: string,
  read: Readonly<Record<keyof typeof changeColumns, string>>,
  from: string,
  dueAt = laterBy(read.delay),
): string => `
written as (
  ${insertHistory(schema, read, from, dueAt)}
  on conflict (task_id, lease) do nothing
  returning task_id, lease, kind, state, worker, failures, crashes, due_at, finished_at
)`

/** The columns of `ready` that a task comes back with.
 * @category models
 * @since 0.1.0 */
export const readyColumns =
  "queue_id, priority, task_id, lease, failures, crashes, group_key, put_off"

/**
 * The queries that put the tasks of `written` where they go, and tell who waits for that. `more`
 * continues the list of those that are ready; `stopping` says of which a worker is to be told. What
 * was put off, and has no line of history that gives it a place (`Granting.givesPlace`), says so.
 *
 * @category statements
 * @since 0.1.0
 */
export const placeWritten = (
  schema: string,
  channel: string,
  awaited: string,
  more = "",
  stopping = "kind = 'cancelled'",
): string => `
back as materialized (
  select b.*, w.queue_id, w.priority, w.group_key,
    case when b.kind = 'rescheduled' then not exists (
      select 1 from ${schema}.attempts a where a.task_id = b.task_id and a.kind <> 'rescheduled'
    ) else false end as put_off
  from written b cross join lateral (
    select queue_id, priority, group_key from ${schema}.tasks where id = b.task_id limit 1
  ) w
  where b.state = 'ready'
),
placed as (
  insert into ${schema}.ready (${readyColumns})
  select ${readyColumns} from back where due_at <= finished_at${more}
),
planned as (
  insert into ${schema}.scheduled (queue_id, run_at, task_id, priority, lease, failures, crashes,
    group_key, put_off)
  select queue_id, due_at, task_id, priority, lease, failures, crashes, group_key, put_off
  from back where due_at > finished_at
),
${wakeReady(schema, channel, readyOf(more), "false")},
${tellEnds(schema, channel, awaited, stopping)}`

const readyOf = (more: string) => {
  const back = "back where due_at <= finished_at"
  return more === "" ? back : `(select ${readyColumns} from ${back}${more}) as r`
}
