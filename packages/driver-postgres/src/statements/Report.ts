/**
 * What runs of flows are told: how the counts of their steps change, and which of them are woken.
 *
 * @since 0.1.0
 */
import { readyColumns } from "./Change.ts"
import { nowOf, rows } from "./Parameters.ts"
import { wakeReady } from "./Wake.ts"

/**
 * How the counts of a step change.
 *
 * @category models
 * @since 0.1.0
 */
export interface Counts {
  readonly parent: string
  readonly step: string
  readonly tasks: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
  readonly skipped: number
  /** Whether the run is woken if all tasks of the step have ended then. */
  readonly asks: boolean
  /** Whether the run is woken at once. */
  readonly wakes: boolean
}

/**
 * How the own task of a run moves: it begins to wait, or a change has taken it from there.
 *
 * @category models
 * @since 0.1.0
 */
export interface Turn {
  readonly task: string
  /** It waits until it is woken more often; `undefined` where it does not wait any more. */
  readonly seen: number | undefined
  /** The lease that it waits with. */
  readonly lease: number
  readonly failures: number
  readonly crashes: number
}

/** What a write makes of an own task, as it stands in `runs.moved`.
 * @category constants
 * @since 0.1.0 */
export const moves = { none: 0, ready: 1, left: 2 } as const

/**
 * The queries that change counts and wake runs: `counts` and `turns` are to be queries before them,
 * with the columns of `Counts` and of `Turn` (and with the place in the queue). The tasks that
 * become ready are `moved where moved = 1`, in the order of ids.
 *
 * **Details**
 *
 * All who write lock in this order: claims, history, steps, runs. Each upsert reads the latest
 * version of a row, not that of the statement's beginning, and keeps it locked: whoever ends a
 * step last sees that it was the last, and a run that goes to wait meets whoever wakes it.
 *
 * @category statements
 * @since 0.1.0
 */
export const reporting = (schema: string, isStored = "false"): string => `
counted as (
  insert into ${schema}.steps as s (parent, step, tasks, completed, failed, cancelled, skipped)
  select parent, step, tasks, completed, failed, cancelled, skipped from counts
  order by parent, step collate "C"
  on conflict (parent, step) do update set
    tasks = s.tasks + excluded.tasks, completed = s.completed + excluded.completed,
    failed = s.failed + excluded.failed, cancelled = s.cancelled + excluded.cancelled,
    skipped = s.skipped + excluded.skipped
  returning s.parent, s.step,
    s.tasks <= s.completed + s.failed + s.cancelled + s.skipped as ended
),
touched as materialized (
  select task_id, max(wakes) as wakes, max(seen) as seen, max(moved) as moved,
    max(lease) as lease, max(failures) as failures, max(crashes) as crashes,
    max(queue_id) as queue_id, max(priority) as priority
  from (
    select parent as task_id, 1 as wakes, null::int as seen, ${moves.none} as moved,
      null::int as lease, null::int as failures, null::smallint as crashes, null::int as queue_id,
      null::smallint as priority
    from counts
    where (wakes or asks and
        ((parent, step) in (select parent, step from counted where ended)) is true)
      and (exists (select 1 from ${schema}.tasks where id = counts.parent) or ${isStored})
    union all
    select task_id, 0, seen, moved, lease, failures, crashes, queue_id, priority from turns
  ) x
  where (select count(*) from counted) >= 0
  group by task_id
),
moved as (
  insert into ${schema}.runs as r
    (task_id, wakes, seen, queue_id, priority, lease, failures, crashes, moved)
  select task_id, wakes, case when wakes = 0 and seen >= 0 then seen end, queue_id, priority, lease,
    failures, crashes,
    case when seen is not null and (wakes > 0 or seen < 0) then ${moves.ready} else moved end
  from touched order by task_id
  on conflict (task_id) do update set
    wakes = r.wakes + excluded.wakes,
    seen = case when r.wakes <= excluded.seen then excluded.seen end,
    queue_id = coalesce(excluded.queue_id, r.queue_id),
    priority = coalesce(excluded.priority, r.priority),
    lease = coalesce(excluded.lease, r.lease),
    failures = coalesce(excluded.failures, r.failures),
    crashes = coalesce(excluded.crashes, r.crashes),
    moved = case
      when excluded.moved = ${moves.left}
        then case when r.seen is not null and r.lease = excluded.lease then ${moves.left} else 0 end
      when excluded.moved = ${moves.ready} or r.wakes > excluded.seen then ${moves.ready}
      when excluded.seen is null and r.seen is not null then ${moves.ready}
      else ${moves.none}
    end
  returning r.task_id, r.queue_id, r.priority, r.lease, r.failures, r.crashes, r.moved
)`

/**
 * The rows for `ready` of the own tasks that were woken. One that is stored by the same statement
 * is not seen among the tasks, so its group is given.
 *
 * @category statements
 * @since 0.1.0
 */
export const readyOfMoved = (schema: string, groupOfStored = "null"): string => `
  select m.queue_id, m.priority, m.task_id, m.lease, m.failures, m.crashes,
    coalesce((select w.group_key from ${schema}.tasks w where w.id = m.task_id),
      ${groupOfStored}, '') as group_key, false as put_off
  from moved m where m.moved = ${moves.ready}`

/** The queues of those.
 * @category statements
 * @since 0.1.0 */
export const queuesOfMoved = `select queue_id from moved where moved = ${moves.ready}`

/** Continues a list of rows for `ready` with them.
 * @category statements
 * @since 0.1.0 */
export const andMoved = (schema: string, groupOfStored?: string): string => `
  union all ${readyOfMoved(schema, groupOfStored)}`

const countsGiven = rows(3, {
  parent: "uuid",
  step: "text",
  tasks: "int",
  completed: "int",
  failed: "int",
  cancelled: "int",
  skipped: "int",
  asks: "boolean",
  wakes: "boolean",
})

const turnsGiven = rows(20, {
  task_id: "uuid",
  seen: "int",
  lease: "int",
  failures: "int",
  crashes: "smallint",
})

const readAll = (read: Readonly<Record<string, string>>) =>
  Object.entries(read).map(([name, sql]) => `${sql} as ${name}`).join(", ")

/**
 * Changes counts and wakes runs, as the last statement of a transaction. `$1` instant or NULL, `$2`
 * queues of which something became ready in this transaction. Answers the own tasks that were
 * taken from waiting, or one row without any: what wakes workers runs only where it is read.
 *
 * @category statements
 * @since 0.1.0
 */
export const report = (schema: string, channel: string): string => `
with t as materialized (select ${nowOf("$1::text")} as now),
counts as materialized (select ${readAll(countsGiven.read)} from ${countsGiven.from}),
turns as materialized (
  select n.*, case when n.seen is null then ${moves.left} else ${moves.none} end as moved,
    w.queue_id, w.priority
  from (select ${readAll(turnsGiven.read)} from ${turnsGiven.from}) n cross join lateral (
    select queue_id, priority from ${schema}.tasks where id = n.task_id limit 1
  ) w
),
${reporting(schema)},
placed as (
  insert into ${schema}.ready (${readyColumns})
  ${readyOfMoved(schema)}
),
${
  wakeReady(
    schema,
    channel,
    `(select unnest($2::text::int[]) union all
      ${queuesOfMoved}) as r(queue_id)`,
    "false",
  )
}
select o.woken, m.task_id from (select count(*)::int as woken from woken) o
left join moved m on m.moved = ${moves.left}`

/** Writes the parameters.
 * @category statements
 * @since 0.1.0 */
export const reportParams = (
  now: string | null,
  queues: string,
  counts: ReadonlyArray<Counts>,
  turns: ReadonlyArray<Turn>,
): ReadonlyArray<string | null> => [
  now,
  queues,
  ...countsGiven.encode(counts, {
    parent: (one) => one.parent,
    step: (one) => one.step,
    tasks: (one) => one.tasks,
    completed: (one) => one.completed,
    failed: (one) => one.failed,
    cancelled: (one) => one.cancelled,
    skipped: (one) => one.skipped,
    asks: (one) => one.asks,
    wakes: (one) => one.wakes,
  }),
  ...turnsGiven.encode(turns, {
    task_id: (one) => one.task,
    seen: (one) => one.seen,
    lease: (one) => one.lease,
    failures: (one) => one.failures,
    crashes: (one) => one.crashes,
  }),
]
