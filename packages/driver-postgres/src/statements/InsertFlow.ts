/**
 * Storing tasks of flows: with their place in a run, waiting or ended where they are, and with what
 * their runs are told.
 *
 * @since 0.1.0
 */
import type { Driver } from "@millrace/core"
import type { Element } from "../ArrayLiteral.ts"
import { readyColumns } from "./Change.ts"
import {
  andShallow,
  expiryOf,
  groupOf,
  hasExpiry,
  inTransaction,
  taskColumns,
  taskValues,
  transactionOf,
} from "./Insert.ts"
import { hasLabels, labelParams, storeLabels } from "./Labels.ts"
import { noting } from "./Overdue.ts"
import { instantOf, nowOf, rows } from "./Parameters.ts"
import { andMoved, moves, queuesOfMoved, reporting } from "./Report.ts"
import { wakeReady } from "./Wake.ts"

const columns = {
  ...taskColumns,
  parent: "uuid",
  on_exhausted: "text",
  version: "text",
  undoes: "boolean",
  waits: "boolean",
  state: "text",
  reason: "text",
  message: "text",
  output: "json",
  error: "json",
  group_key: "text",
} as const

const given = rows(4, columns)

const expiring = rows(4, { ...columns, expires: "float8" })

const names = Object.keys(columns) as ReadonlyArray<keyof typeof columns>

const isStored = "(n.id in (select id from stored)) is true"

const storing = (schema: string, { counted, more }: How) => {
  const ends = (text: string) => more === "nothing" ? "" : text
  const rows = more === "nothing" ? given : expiring
  return `
with t as materialized (
  select ${nowOf("$1::text")} as now
  where ${inTransaction}${counted ? "" : andShallow(schema, given.all.queue_id)}
),
n as materialized (
  select ${names.map((name) => `${given.read[name]} as ${name}`).join(", ")}${
    ends(`, ${expiring.read.expires} as expires`)
  } from ${rows.from}
),
stored as (
  insert into ${schema}.tasks (id, run_id, created_at, run_at, queue_id, index, max_attempts,
    priority, max_crashes, awaited, flow_type, flow, step, input, trace, parent, on_exhausted,
    version, undoes, group_key${ends(", expires_at")})
  select n.id, coalesce(n.run_id, n.id), t.now,
    case when n.state is null and not n.waits and d.at > t.now then d.at end,
    n.queue_id, n.index, n.max_attempts, n.priority, n.max_crashes, n.awaited, n.flow_type, n.flow,
    n.step, n.input, n.trace, n.parent, n.on_exhausted, n.version, n.undoes, n.group_key${
    ends(",\n    greatest(d.at, t.now) + n.expires * interval '1 millisecond'")
  }
  from t, n, lateral (select coalesce(${instantOf("n.due")},
    t.now + n.delay * interval '1 millisecond') as at) d
  on conflict (id) do nothing
  returning id, queue_id, priority, run_at, group_key${ends(", expires_at")}
),${ends(`${noting(schema)},`)}
fresh as materialized (
  select queue_id, priority, id as task_id, 0 as lease, 0 as failures, 0::smallint as crashes,
    group_key
  from stored where run_at is null
    and (id in (select id from n where state is null and not waits)) is true
),
planned as (
  insert into ${schema}.scheduled (queue_id, run_at, task_id, priority, lease, failures, crashes,
    group_key)
  select queue_id, run_at, id, priority, 0, 0, 0, group_key from stored where run_at is not null
),
entered as (
  insert into ${schema}.attempts (task_id, lease, finished_at, failures, crashes, kind, state,
    reason, message, output, error)
  select n.id, 1, t.now, 0, 0, n.state, n.state, n.reason, n.message, n.output, n.error
  from t, n where n.state is not null and ${isStored}
)${more === "labels" ? `,${storeLabels(schema, firstLabel)}` : ""}`
}

const firstLabel = 4 + 1 + 2 * names.length

/**
 * What a batch carries beyond what every task of a flow may have: nothing, times of expiry, or
 * labels and perhaps these.
 *
 * @category models
 * @since 0.1.0
 */
export type More = "nothing" | "expiry" | "labels"

/** What a batch carries.
 * @category conversions
 * @since 0.1.0 */
export const moreOf = (tasks: ReadonlyArray<Driver.NewTask>): More =>
  hasLabels(tasks) ? "labels" : hasExpiry(tasks) ? "expiry" : "nothing"

/** The texts of a statement, by what its batch carries.
 * @category statements
 * @since 0.1.0 */
export const forMore = (text: (more: More) => string): Readonly<Record<More, string>> => ({
  nothing: text("nothing"),
  expiry: text("expiry"),
  labels: text("labels"),
})

/**
 * What a batch of tasks of flows needs.
 *
 * @category models
 * @since 0.1.0
 */
export interface How {
  /** The queues were asked whether they are full. */
  readonly counted: boolean
  readonly more: More
}

const placing = (schema: string, more: string) => `
placed as (
  insert into ${schema}.ready (${readyColumns})
  select queue_id, priority, task_id, lease, failures, crashes, group_key, false from fresh${more}
)`

/**
 * Stores tasks of which no id comes twice, and answers a row for each. `$1` to `$3` are as in
 * `insert`.
 *
 * @category statements
 * @since 0.1.0
 */
export const insertFlow = (schema: string, channel: string, how: How): string => `
${storing(schema, how)},
counts as materialized (
  select parent, step, count(*)::int as tasks,
    count(*) filter (where state = 'completed')::int as completed, 0 as failed, 0 as cancelled,
    count(*) filter (where state = 'skipped')::int as skipped,
    bool_or(state is not null) as asks, false as wakes
  from n where parent is not null and ${isStored} group by parent, step
),
turns as materialized (
  select id as task_id, 0 as seen, ${moves.none} as moved, 0 as lease, 0 as failures,
    0::smallint as crashes, queue_id, priority
  from n where waits and ${isStored}
),
${reporting(schema, "(parent in (select id from stored)) is true")},
${placing(schema, andMoved(schema, "(select n.group_key from n where n.id = m.task_id)"))},
${
  wakeReady(
    schema,
    channel,
    `(select queue_id from fresh union all ${queuesOfMoved}) as r`,
    "$2::text::boolean",
  )
}
select id, ${transactionOf}, (select count(*) from woken)::int as woken from stored`

/**
 * Stores tasks that a change starts, of which no id comes twice; the transaction tells their run
 * of them and wakes workers with `report`. `$1` to `$3` and the answer are as in `insert`.
 *
 * @category statements
 * @since 0.1.0
 */
export const insertStarted = (schema: string, more: More): string => `
${storing(schema, { counted: true, more })},
${placing(schema, "")}
select id, $2::text::boolean as woken from stored`

/** Writes the parameters.
 * @category statements
 * @since 0.1.0 */
export const insertFlowParams = (
  now: string | null,
  how: { readonly always: boolean; readonly transaction?: string | undefined },
  tasks: ReadonlyArray<Driver.NewTask>,
  queueId: (queue: string) => number,
): ReadonlyArray<string | null> => {
  const more = moreOf(tasks)
  return [
    now,
    String(how.always),
    how.transaction ?? null,
    ...(more === "nothing"
      ? given.encode(tasks, valuesOf(queueId))
      : expiring.encode(tasks, { ...valuesOf(queueId), expires: expiryOf })),
    ...(more === "labels" ? labelParams(tasks) : []),
  ]
}

const valuesOf = (
  queueId: (queue: string) => number,
): Readonly<Record<keyof typeof columns, (task: Driver.NewTask) => Element>> => ({
  ...taskValues(queueId),
  parent: (task) => task.parent,
  on_exhausted: (task) => task.onExhausted,
  version: (task) => task.version,
  undoes: (task) => task.undoes,
  waits: (task) => task.ended === undefined && task.state === "waiting",
  state: (task) => task.ended?.state,
  reason: (task) => task.ended?.failure?.reason,
  message: (task) => task.ended?.failure?.message,
  output: (task) => task.ended?.output,
  error: (task) => task.ended?.failure?.error,
  group_key: groupOf,
})
