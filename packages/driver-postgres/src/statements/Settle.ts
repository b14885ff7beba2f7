/**
 * Settling: appends the outcomes of running tasks whose claims are known, in one guarded statement.
 *
 * @since 0.1.0
 */
import type { Task } from "@millrace/core"
import { arrayLiteral, type Element } from "../ArrayLiteral.ts"
import {
  awaitedIds,
  changeColumns,
  changeValues,
  insertHistory,
  placeWritten,
  writeHistory,
  writingOrder,
} from "./Change.ts"
import { nowOf, rows } from "./Parameters.ts"

/** A change of a task that was claimed with a known claim.
 * @category models
 * @since 0.1.0 */
export interface KnownChange {
  readonly change: Task.Change
  readonly claim: number
}

/** The columns of a change with a known claim.
 * @category models
 * @since 0.1.0 */
export const knownColumns = { ...changeColumns, claim: "bigint" } as const

const given = rows(6, knownColumns)

/**
 * `$1` instant or NULL, `$2` claims that end with this batch, `$3` awaited ids, `$4` how many
 * changes, `$5` their claims. Answers how many were written, and which, where it was not all of
 * them.
 *
 * **Details**
 *
 * The claim's row, with the task in it, is the guard; the primary key of the history is the fence.
 * A batch that ends a claim locks it for the DELETE from the start: two that had both locked it to
 * share, and met at the fence, would wait for each other. Others share it, and run side by side.
 * `is true` keeps the look into the row from becoming a join, which would lose the order. The last
 * condition of the DELETE orders it after the INSERT, which SQL does not promise by itself: without
 * it history is lost.
 *
 * @category statements
 * @since 0.1.0
 */
export const settle = (schema: string, channel: string): string => `
with t as materialized (select ${nowOf("$1::text")} as now),
${heldClaims(schema)},
${
  writeHistory(
    schema,
    given.read,
    `t, ${given.from}
    cross join lateral (select worker from k where k.id = ${given.read.claim} limit 1) k
    where ${isHeld(given.read)}`,
  )
},
${placeWritten(schema, channel, "$3")},
${endClaims(schema)}
${settled}`

/**
 * Settles where every change ends its task, nobody waits for that, and no history row can be there
 * already, as far as this process knows. `$3` stands for nothing.
 *
 * **Details**
 *
 * What has to expect a conflict looks for one first and marks each row twice, which is a third of
 * the cost. Where one is there after all the whole statement fails, and is to be repeated as
 * `settle`.
 *
 * @category statements
 * @since 0.1.0
 */
export const settleEnds = (schema: string): string => `
with t as materialized (select ${nowOf("$1::text")} as now),
${heldClaims(schema)},
written as (
  ${
  insertHistory(
    schema,
    given.read,
    `t, ${given.from}
    cross join lateral (select worker from k where k.id = ${given.read.claim} limit 1) k
    where $3::text = '{}' and ${isHeld(given.read)}`,
  )
}
  returning task_id, lease
),
${endClaims(schema)}
select count(*)::int as written,
  case when count(*) < $4::text::int
    then coalesce(string_agg(task_id || ' ' || lease, ','), '') end as which
from written`

/** The query `k`: the claims that a batch is of, locked; `$2` and `$5` as in `settle`.
 * @category statements
 * @since 0.1.0 */
export const heldClaims = (schema: string): string => `
whole as materialized (
  select id, worker, task_ids, leases from ${schema}.claims
  where $2::text <> '{}' and id = any($5::text::bigint[] || $2::text::bigint[])
  order by id for update
),
part as materialized (
  select id, worker, task_ids, leases from ${schema}.claims
  where $2::text = '{}' and id = any($5::text::bigint[])
  order by id for key share
),
k as materialized (select * from whole union all select * from part)`

/** Whether the claims hold the task with the lease.
 * @category statements
 * @since 0.1.0 */
export const isHeld = (
  read: { readonly task_id: string; readonly entry_lease: string },
): string =>
  `((${read.task_id}, ${read.entry_lease}) in (
  select u.task_id, u.lease from k cross join lateral unnest(k.task_ids, k.leases)
    as u(task_id, lease)
)) is true`

/** The query that deletes the claims of `$2` once the history is written.
 * @category statements
 * @since 0.1.0 */
export const endClaims = (schema: string): string => `
ended as (
  delete from ${schema}.claims
  where id = any($2::text::bigint[]) and (select count(*) from written) >= 0
)`

/** The answer: how many were written, and which.
 * @category statements
 * @since 0.1.0 */
export const settled: string = `
select count(*)::int as written,
  case when count(*) < $4::text::int
    then coalesce(string_agg(task_id || ' ' || lease, ','), '') end as which,
  (select count(*) from woken)::int + (select count(*) from told)::int as told
from written`

/** Writes the parameters.
 * @category statements
 * @since 0.1.0 */
export const settleParams = (
  now: string | null,
  ended: ReadonlyArray<number>,
  changes: ReadonlyArray<KnownChange>,
): ReadonlyArray<string | null> => [
  ...batchParams(now, ended, changes),
  ...given.encode(writingOrder(changes, ({ change }) => change), knownValues),
]

/** Writes the parameters that come before those of each change.
 * @category statements
 * @since 0.1.0 */
export const batchParams = (
  now: string | null,
  ended: ReadonlyArray<number>,
  changes: ReadonlyArray<KnownChange>,
): ReadonlyArray<string | null> => [
  now,
  arrayLiteral(ended),
  arrayLiteral(awaitedIds(changes.map(({ change }) => change))),
  String(changes.length),
  arrayLiteral([...new Set(changes.map(({ claim }) => claim))]),
]

/** How the columns of a change with a known claim are read from it.
 * @category models
 * @since 0.1.0 */
export const knownValues: Readonly<
  Record<keyof typeof knownColumns, (known: KnownChange) => Element>
> = {
  ...Object.fromEntries(
    Object.entries(changeValues).map(([name, value]) => [
      name,
      ({ change }: KnownChange) => value(change),
    ]),
  ) as Record<keyof typeof changeColumns, (known: KnownChange) => Element>,
  claim: ({ claim }) => claim,
}

/** Finds the history rows of some leases. `$1` task ids, `$2` leases.
 * @category statements
 * @since 0.1.0 */
export const entries = (schema: string): string => `
select a.task_id, a.lease, a.kind
from unnest($1::text::uuid[], $2::text::int[]) as n(task_id, lease)
cross join lateral (
  select * from ${schema}.attempts where task_id = n.task_id and lease = n.lease limit 1
) a`
