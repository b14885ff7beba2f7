/**
 * Applying any changes, each guarded by the state and the lease that it was decided on.
 *
 * @since 0.1.0
 */
import type { Task } from "@millrace/core"
import { arrayLiteral } from "../ArrayLiteral.ts"
import {
  awaitedIds,
  changeColumns,
  changeValues,
  laterBy,
  placeWritten,
  writeHistory,
  writingOrder,
} from "./Change.ts"
import { instantOf, nowOf, rows } from "./Parameters.ts"

const columns = { ...changeColumns, from_state: "text", lease: "int", due: "float8" } as const

const given = rows(3, columns)

const names = Object.keys(columns) as ReadonlyArray<keyof typeof columns>

const read = Object.fromEntries(names.map((name) => [name, `n.${name}`])) as Record<
  keyof typeof columns,
  string
>

/**
 * `$1` instant or NULL, `$2` awaited ids. Answers the task and lease of each history row that was
 * written.
 *
 * **Details**
 *
 * A ready task is taken from where it stands, a running one needs its claim, an ended one its last
 * entry. One that waits is only looked at: `report`, later in the transaction, takes it out, and
 * tells whether it was still there.
 *
 * @category statements
 * @since 0.1.0
 */
export const apply = (schema: string, channel: string): string => `
with t as materialized (select ${nowOf("$1::text")} as now),
n as materialized (
  select ${names.map((name) => `${given.read[name]} as ${name}`).join(", ")} from ${given.from}
),
unplaced as (
  delete from ${schema}.ready r
  where r.task_id = any(array(select task_id from n where from_state = 'ready'))
    and exists (select 1 from n where n.task_id = r.task_id and n.lease = r.lease)
  returning r.task_id, r.lease
),
unplanned as (
  delete from ${schema}.scheduled s
  where s.task_id = any(array(select task_id from n where from_state = 'ready'))
    and exists (select 1 from n where n.task_id = s.task_id and n.lease = s.lease)
  returning s.task_id, s.lease
),
k as materialized (
  select n.task_id, n.lease, c.worker from n join ${schema}.claims c on n.task_id = any(c.task_ids)
  where n.from_state = 'running' and exists (
    select 1 from unnest(c.task_ids, c.leases) as u(task_id, lease)
    where u.task_id = n.task_id and u.lease = n.lease
  )
  order by c.id for key share of c
),
free as materialized (
  select task_id, lease, null::text as worker from unplaced
  union all select task_id, lease, null from unplanned
  union all select task_id, lease, worker from k
  union all select n.task_id, n.lease, null from n cross join lateral (
    select seen, lease from ${schema}.runs where task_id = n.task_id limit 1
  ) r
  where n.from_state = 'waiting' and r.seen is not null and r.lease = n.lease
  union all select n.task_id, n.lease, null from n cross join lateral (
    select state from ${schema}.attempts a
    where a.task_id = n.task_id and a.lease = n.lease limit 1
  ) a
  where n.from_state not in ('ready', 'running', 'waiting') and a.state = n.from_state
),
${
  writeHistory(
    schema,
    read,
    `t, n cross join lateral (
      select worker from free where free.task_id = n.task_id and free.lease = n.lease limit 1
    ) f`,
    `coalesce(${instantOf("n.due")}, ${laterBy("n.delay")})`,
  )
},
${placeWritten(schema, channel, "$2", "", "kind in ('cancelled', 'discarded')")}
select task_id, lease, (select count(*) from woken)::int + (select count(*) from told)::int as told
from written`

/** Writes the parameters.
 * @category statements
 * @since 0.1.0 */
export const applyParams = (
  now: string | null,
  changes: ReadonlyArray<Task.Change>,
): ReadonlyArray<string | null> => [
  now,
  arrayLiteral(awaitedIds(changes)),
  ...given.encode(writingOrder(changes, (change) => change), {
    ...changeValues,
    from_state: (change) => change.from,
    lease: (change) => change.lease,
    // Whatever is before 1970 is due, though the database may not know the year.
    due: ({ to }) =>
      to.state !== "ready" || to.dueAt === undefined ? undefined : Math.max(0, to.dueAt),
  }),
]
