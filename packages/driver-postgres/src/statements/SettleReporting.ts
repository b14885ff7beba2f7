/**
 * Settling tasks of flows: as jobs are settled, and what their runs are told in the same statement.
 *
 * @since 0.1.0
 */
import { insertHistory, placeWritten, readyColumns, writeHistory, writingOrder } from "./Change.ts"
import { nowOf, rows } from "./Parameters.ts"
import { andMoved, moves, queuesOfMoved, readyOfMoved, reporting } from "./Report.ts"
import {
  batchParams,
  endClaims,
  heldClaims,
  isHeld,
  type KnownChange,
  knownColumns,
  knownValues,
  settled,
} from "./Settle.ts"
import { wakeReady } from "./Wake.ts"

const columns = {
  ...knownColumns,
  parent: "uuid",
  step: "text",
  leaves: "text",
  enters: "text",
  wakes: "boolean",
  seen: "int",
} as const

const given = rows(6, columns)

const names = Object.keys(columns) as ReadonlyArray<keyof typeof columns>

const read = Object.fromEntries(names.map((name) => [name, `n.${name}`])) as Record<
  keyof typeof columns,
  string
>

const isWritten = `((n.task_id, n.entry_lease) in (select task_id, lease from written)) is true`

const counted = (state: string) =>
  `(count(*) filter (where enters = '${state}') - count(*) filter (where leaves = '${state}'))::int
    as ${state}`

const fenced = (schema: string) => `
with t as materialized (select ${nowOf("$1::text")} as now),
n as materialized (
  select ${names.map((name) => `${given.read[name]} as ${name}`).join(", ")} from ${given.from}
),
${heldClaims(schema)}`

const from = `t, n cross join lateral (select worker from k where k.id = n.claim limit 1) k`

// `is true` keeps the look into `written` a hashed one; as a join it may be planned as a loop.
const telling = (schema: string) => `
counts as materialized (
  select parent, step, 0 as tasks, ${
  ["completed", "failed", "cancelled", "skipped"].map(counted).join(", ")
}, true as asks, bool_or(wakes) as wakes
  from n where parent is not null and ${isWritten} group by parent, step
),
turns as materialized (
  select n.task_id, n.seen, ${moves.none} as moved, n.entry_lease as lease, n.failures, n.crashes,
    w.queue_id, w.priority
  from n cross join lateral (
    select queue_id, priority from ${schema}.tasks where id = n.task_id limit 1
  ) w
  where n.seen is not null and ${isWritten}
),
${reporting(schema)}`

/** `$1` to `$5` as in `settle`, and so is the answer.
 * @category statements
 * @since 0.1.0 */
export const settleReporting = (schema: string, channel: string): string => `
${fenced(schema)},
${writeHistory(schema, read, `${from} where ${isHeld(read)}`)},
${telling(schema)},
${placeWritten(schema, channel, "$3", andMoved(schema))},
${endClaims(schema)}
${settled}`

/** Settles as `settleEnds` does.
 * @category statements
 * @since 0.1.0 */
export const settleReportingEnds = (schema: string, channel: string): string => `
${fenced(schema)},
written as (
  ${insertHistory(schema, read, `${from} where $3::text = '{}' and ${isHeld(read)}`)}
  returning task_id, lease
),
${telling(schema)},
placed as (
  insert into ${schema}.ready (${readyColumns})
  ${readyOfMoved(schema)}
),
${wakeReady(schema, channel, `(${queuesOfMoved}) as r`, "false")},
${endClaims(schema)}
select count(*)::int as written,
  case when count(*) < $4::text::int
    then coalesce(string_agg(task_id || ' ' || lease, ','), '') end as which,
  (select count(*) from woken)::int as told
from written`

/** Writes the parameters.
 * @category statements
 * @since 0.1.0 */
export const settleReportingParams = (
  now: string | null,
  ended: ReadonlyArray<number>,
  changes: ReadonlyArray<KnownChange>,
): ReadonlyArray<string | null> => [
  ...batchParams(now, ended, changes),
  ...given.encode(writingOrder(changes, ({ change }) => change), {
    ...knownValues,
    parent: ({ change }) => change.report?.parent,
    step: ({ change }) => change.report?.step,
    leaves: ({ change }) => change.report?.leaves,
    enters: ({ change }) => change.report?.enters,
    wakes: ({ change }) => change.report?.wakes,
    seen: ({ change }) => change.to.state === "waiting" ? change.to.seen : undefined,
  }),
]
