/**
 * Removing what ended long ago, in two steps: lock the tasks, then look again and delete.
 *
 * @since 0.1.0
 */
import { nowOf } from "./Parameters.ts"

/** Lets the planner use the block range index on the time of the end, for this transaction.
 * @category statements
 * @since 0.1.0 */
export const allowScans: string = `
select set_config('enable_bitmapscan', 'on', true), set_config('enable_seqscan', 'on', true)`

/**
 * Locks tasks that ended before; that of a step only where its run is gone. `$1` instant, `$2` age
 * in milliseconds, `$3` limit.
 *
 * @category statements
 * @since 0.1.0
 */
export const lockEnded = (schema: string): string => `
select id from ${schema}.tasks where id = any(array(
  select a.task_id from ${schema}.attempts a
  where a.state <> 'ready'
    and a.finished_at <= (
      select ${nowOf("$1::text")} - $2::text::float8 * interval '1 millisecond'
    )
    and not exists (
      select 1 from ${schema}.attempts b where b.task_id = a.task_id and b.lease > a.lease
    )
    and not exists (
      select 1 from ${schema}.tasks c cross join lateral (
        select 1 from ${schema}.tasks where id = c.parent limit 1
      ) p
      where c.id = a.task_id
    )
  limit $3::text::int
))
order by id for update skip locked`

const hasOpen = (schema: string, id: string) =>
  `exists (
      select 1 from ${schema}.steps s where s.parent = ${id}
        and s.tasks > s.completed + s.failed + s.cancelled + s.skipped
    )`

const before = `(select ${nowOf("$1::text")} - $2::text::float8 * interval '1 millisecond')`

const after = `(select coalesce(
      ${nowOf("$1::text")} - $6::text::float8 * interval '1 millisecond', '-infinity'
    ))`

/**
 * Locks the own tasks of runs that ended before, and of which nothing is open. `$1` instant, `$2`
 * age in milliseconds, `$3` limit, `$4` flow, `$5` states, `$6` the age that they may have at most;
 * NULL stands for any.
 *
 * @category statements
 * @since 0.1.0
 */
export const lockRunsEnded = (schema: string): string => `
select id from ${schema}.tasks where id = any(array(
  select a.task_id from ${schema}.attempts a
  where a.state <> 'ready' and ($5::text is null or a.state = any($5::text::text[]))
    and a.finished_at <= ${before} and a.finished_at > ${after}
    and not exists (
      select 1 from ${schema}.attempts b where b.task_id = a.task_id and b.lease > a.lease
    )
    and (
      select 1 from ${schema}.tasks c where c.id = a.task_id and c.parent is null
        and ($4::text is null or c.flow = $4::text) and not ${hasOpen(schema, "c.id")}
      limit 1
    ) is not null
  limit $3::text::int
))
order by id for update skip locked`

/** As above, but for the newest of them: `$7` how many.
 * @category statements
 * @since 0.1.0 */
export const lockRunsBeyond = (schema: string): string => `
select id from ${schema}.tasks where id = any(array(
  select k.id from (
    select c.id, l.finished_at from ${schema}.tasks c cross join lateral (
      select a.state, a.finished_at from ${schema}.attempts a where a.task_id = c.id
      order by a.task_id, a.lease desc limit 1
    ) l
    where c.parent is null and ($4::text is null or c.flow = $4::text) and l.state <> 'ready'
      and ($5::text is null or l.state = any($5::text::text[]))
    order by c.id desc offset $7::text::int
  ) k
  where k.finished_at <= ${before} and k.finished_at > ${after} and not ${hasOpen(schema, "k.id")}
  limit $3::text::int
))
order by id for update skip locked`

/** Locks tasks that ended below others, which are gone. `$1` ids, `$2` limit.
 * @category statements
 * @since 0.1.0 */
export const lockBelow = (schema: string): string => `
select t.id from ${schema}.tasks t where t.parent = any($1::text::uuid[]) and (
  select l.state from ${schema}.attempts l where l.task_id = t.id
  order by l.task_id, l.lease desc limit 1
) <> 'ready'
order by t.id limit $2::text::int for update`

/** Deletes locked tasks that are still ended, with their history, and answers them. `$1` ids.
 * @category statements
 * @since 0.1.0 */
export const deleteEnded = (schema: string): string => `
with gone as (
  delete from ${schema}.tasks t where t.id = any($1::text::uuid[]) and (
    select l.state from ${schema}.attempts l where l.task_id = t.id order by l.lease desc limit 1
  ) <> 'ready'
  returning t.id, t.parent
),
forgotten as (
  delete from ${schema}.attempts where task_id = any(array(select id from gone))
),
closed as (
  delete from ${schema}.runs where task_id = any(array(select id from gone))
),
unreported as (
  delete from ${schema}.progress where task_id = any(array(select id from gone))
),
unexpiring as (
  delete from ${schema}.expiring where task_id = any(array(select id from gone))
)
select id, parent, exists (
  select 1 from ${schema}.tasks where parent = any(array(select id from gone))
) as has_steps
from gone`

/** Deletes what is left of runs of which the last task is gone. `$1` ids.
 * @category statements
 * @since 0.1.0 */
export const deleteSteps = (schema: string): string => `
with empty as materialized (
  select p.id from unnest($1::text::uuid[]) as p(id)
  where not exists (select 1 from ${schema}.tasks where parent = p.id)
    and not exists (select 1 from ${schema}.tasks where id = p.id)
),
closed as (delete from ${schema}.runs where task_id = any(array(select id from empty)))
delete from ${schema}.steps where parent = any(array(select id from empty))`

/**
 * Takes tasks out of claims that others still hold: the history that says that they ended is gone.
 * `$1` ids.
 *
 * @category statements
 * @since 0.1.0
 */
export const trimClaims = (schema: string): string => `
update ${schema}.claims c set (task_ids, leases, keys) = (
  select array_agg(u.task_id), array_agg(u.lease),
    case when c.keys is not null then array_agg(u.key) end
  from unnest(c.task_ids, c.leases, c.keys) as u(task_id, lease, key)
  where not (u.task_id = any($1::text::uuid[]))
)
where c.task_ids && $1::text::uuid[] and not (c.task_ids <@ $1::text::uuid[])`

/** Deletes claims of which nothing else is left. `$1` ids.
 * @category statements
 * @since 0.1.0 */
export const dropClaims = (schema: string): string => `
delete from ${schema}.claims where task_ids <@ $1::text::uuid[]`
