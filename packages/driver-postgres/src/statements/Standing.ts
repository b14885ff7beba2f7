/**
 * Where tasks stand: their state, lease and counts, read from the tables that they stand in.
 *
 * @since 0.1.0
 */
import { millisOf } from "./Parameters.ts"

/** The columns that say where a task of `${t}` stands, for `standingJoins`.
 * @category statements
 * @since 0.1.0 */
export const standingColumns: string = `
  case
    when r.task_id is not null or s.task_id is not null then 'ready'
    when o.seen is not null then 'waiting'
    when l.state <> 'ready' then l.state
    else 'running'
  end as state,
  case
    when r.task_id is not null then r.lease
    when s.task_id is not null then s.lease
    when o.seen is not null then o.lease
    when l.state <> 'ready' then l.lease
    else coalesce(l.lease, 0) + 1
  end as lease,
  coalesce(r.failures, s.failures, l.failures, 0) as failures,
  coalesce(r.crashes, s.crashes, l.crashes, 0::smallint) as crashes`

/** What `standingColumns` reads: one look by task id into each table.
 * @category statements
 * @since 0.1.0 */
export const standingJoins = (schema: string, id: string): string => `
  left join lateral (select * from ${schema}.ready where task_id = ${id} limit 1) r on true
  left join lateral (select * from ${schema}.scheduled where task_id = ${id} limit 1) s on true
  left join lateral (select * from ${schema}.runs where task_id = ${id} limit 1) o on true
  left join lateral (
    select * from ${schema}.attempts where task_id = ${id} order by task_id, lease desc limit 1
  ) l on true`

/** The columns that a decision on a task of `t` needs, beside those that say where it stands.
 * @category statements
 * @since 0.1.0 */
export const decisiveColumns =
  "t.id, t.max_attempts, t.max_crashes, t.awaited, t.parent, t.step, " +
  "t.on_exhausted, t.undoes"

/** Locks tasks against each other's changes by hand. `$1` ids.
 * @category statements
 * @since 0.1.0 */
export const lockTasks = (schema: string): string => `
select id from ${schema}.tasks where id = any($1::text::uuid[]) order by id for update`

/** Reads where tasks stand, and the instant. `$1` ids.
 * @category statements
 * @since 0.1.0 */
export const standing = (schema: string): string => `
select ${decisiveColumns}, ${millisOf("t.created_at")} as created,
  ${millisOf("date_trunc('milliseconds', clock_timestamp())")} as now, ${standingColumns}
from ${schema}.tasks t ${standingJoins(schema, "t.id")}
where t.id = any($1::text::uuid[])`

/** The query `below`: the ids of tasks and of all tasks below them. `$1` ids.
 * @category statements
 * @since 0.1.0 */
const below = (schema: string) => `
with recursive below as (
  select id from ${schema}.tasks where id = any($1::text::uuid[])
  union
  select c.id from below b cross join lateral (
    select id from ${schema}.tasks where parent = b.id offset 0
  ) c
)`

/** Locks tasks and all below them, as `lockTasks` does. `$1` ids.
 * @category statements
 * @since 0.1.0 */
export const lockRuns = (schema: string): string =>
  `${below(schema)}
select id from ${schema}.tasks where id = any(array(select id from below)) order by id for update`

/**
 * Reads where tasks and all below them stand, in the order of ids. `$1` ids.
 *
 * **Details**
 *
 * Which tasks there are and where they stand is read at one instant: what a run starts later makes
 * it move, and a change of it that was decided on before no longer applies.
 *
 * @category statements
 * @since 0.1.0
 */
export const standingOfRuns = (schema: string): string =>
  `${below(schema)}
select ${decisiveColumns}, ${standingColumns}
from ${schema}.tasks t ${standingJoins(schema, "t.id")}
where t.id = any(array(select id from below))
order by t.id`
