/**
 * The keys of uniqueness: locking, taking and freeing them.
 *
 * @since 0.1.0
 */

/**
 * Locks keys, makes those that are new, and answers which task took each one last: of a new one
 * nobody, which its `xmax` tells, since only a row that was there had to be locked. `$1` flows,
 * `$2` keys, `$3` task ids, in the order in which they are locked.
 *
 * @category statements
 * @since 0.1.0
 */
export const lockKeys = (schema: string): string => `
insert into ${schema}.keys as k (flow, key, task_id)
select flow, key, id from unnest($1::text::text[], $2::text::text[], $3::text::uuid[])
  as n(flow, key, id)
on conflict (flow, key) do update set task_id = k.task_id
returning flow, key, case when xmax <> 0 then task_id end as owner`

/**
 * Keeps tasks that wait from being claimed until the transaction has ended: a run that was answered
 * while it waited must see what the transaction wrote. `$1` ids.
 *
 * @category statements
 * @since 0.1.0
 */
export const keepWaiting = (schema: string): string => `
with ready as materialized (
  select task_id from ${schema}.ready where task_id = any($1::text::uuid[])
  order by task_id for key share
),
scheduled as materialized (
  select task_id from ${schema}.scheduled where task_id = any($1::text::uuid[])
  order by task_id for key share
)
select (select count(*) from ready)::int + (select count(*) from scheduled)::int as kept`

/** Gives locked keys to tasks. `$1` flows, `$2` keys, `$3` task ids.
 * @category statements
 * @since 0.1.0 */
export const takeKeys = (schema: string): string => `
update ${schema}.keys k set task_id = n.id
from unnest($1::text::text[], $2::text::text[], $3::text::uuid[]) as n(flow, key, id)
where k.flow = n.flow and k.key = n.key`

/** Removes the keys that tasks took last. `$1` task ids.
 * @category statements
 * @since 0.1.0 */
export const freeKeys = (schema: string): string => `
delete from ${schema}.keys where task_id = any($1::text::uuid[])`

/** Removes locked keys that nobody took. `$1` flows, `$2` keys.
 * @category statements
 * @since 0.1.0 */
export const dropKeys = (schema: string): string => `
delete from ${schema}.keys k using unnest($1::text::text[], $2::text::text[]) as n(flow, key)
where k.flow = n.flow and k.key = n.key`
