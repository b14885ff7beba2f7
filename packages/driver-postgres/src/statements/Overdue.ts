/**
 * Tasks that expire: where that is noted, how long they have, and which are too late.
 *
 * @since 0.1.0
 */
import { millisOf, nowOf } from "./Parameters.ts"
import { decisiveColumns, standingColumns, standingJoins } from "./Standing.ts"

// One look for each task, and not as a join, which might be planned to read all of the others.

/**
 * Whether something of a task has begun, as `Expiry.isBeginning` says.
 *
 * @category statements
 * @since 0.1.0
 */
const hasBegun = (schema: string, id: string): string =>
  `(
    select 1 from ${schema}.attempts a where a.task_id = ${id}
      and not (a.started_at is null and a.kind in ('interrupted', 'snoozed'))
    limit 1
  ) is not null`

/** How many milliseconds the task `w` may still begin; NULL where it does not expire.
 * @category statements
 * @since 0.1.0 */
export const leftMillis = (schema: string): string =>
  `case when w.expires_at is not null and not (${hasBegun(schema, "w.id")}) then
    ${millisOf("w.expires_at")} - (select ${millisOf("now")} from t)
  end`

/** The query that notes which of the tasks that were stored expire.
 * @category statements
 * @since 0.1.0 */
export const noting = (schema: string): string => `
expiring as (
  insert into ${schema}.expiring (expires_at, task_id)
  select expires_at, id from stored where expires_at is not null
)`

/** Forgets tasks of which something has begun since; as many as that was so of. `$1` instant.
 * @category statements
 * @since 0.1.0 */
export const forgetBegun = (schema: string): string => `
with gone as (
  delete from ${schema}.expiring where task_id = any(array(
    select e.task_id from ${schema}.expiring e
    where e.expires_at <= (select ${nowOf("$1::text")}) and ${hasBegun(schema, "e.task_id")}
    order by e.expires_at, e.task_id limit ${forgottenAtOnce} for update skip locked
  ))
  returning 1
)
select count(*)::int as forgotten from gone`

/** How many are forgotten by one statement.
 * @category constants
 * @since 0.1.0 */
export const forgottenAtOnce = 10_000

/** Reads where tasks stand that are ready and too late to begin. `$1` instant, `$2` limit.
 * @category statements
 * @since 0.1.0 */
export const overdue = (schema: string): string => `
select ${decisiveColumns}, ${standingColumns}
from (
  select e.task_id, e.expires_at from ${schema}.expiring e
  where e.expires_at <= (select ${nowOf("$1::text")}) and (
    (select 1 from ${schema}.ready where task_id = e.task_id limit 1) is not null
    or (select 1 from ${schema}.scheduled where task_id = e.task_id limit 1) is not null
  ) and not (${hasBegun(schema, "e.task_id")})
  order by e.expires_at, e.task_id limit $2::text::int for update skip locked
) e
cross join lateral (select * from ${schema}.tasks where id = e.task_id limit 1) t
${standingJoins(schema, "t.id")}
order by e.expires_at, e.task_id`
