/**
 * Recovery: the running tasks of workers whose session has ended or expired.
 *
 * @since 0.1.0
 */
import { nowOf } from "./Parameters.ts"
import { decisiveColumns } from "./Standing.ts"

// An expired session is remembered for a day, so that a worker that comes back late is told.
const remembered = "interval '1 day'"

/** Locks expired sessions, so that no heartbeat and no claim of theirs comes between. `$1` instant.
 * @category statements
 * @since 0.1.0 */
export const lockWorkers = (schema: string): string => `
with t as materialized (select ${nowOf("$1::text")} as now)
select w.id, w.expires_at <= t.now - ${remembered} as forgotten
from ${schema}.workers w, t
where w.expires_at <= t.now and (
  w.expires_at <= t.now - ${remembered}
  or exists (select 1 from ${schema}.claims c where c.worker = w.id)
)
order by w.id limit 100 for update of w skip locked`

/** Locks the claims of locked sessions, and those without one. `$1` workers.
 * @category statements
 * @since 0.1.0 */
export const lockClaims = (schema: string): string => `
select c.id::float8 as id from ${schema}.claims c
where c.given_up or c.worker = any($1::text::text[])
  or not exists (select 1 from ${schema}.workers w where w.id = c.worker)
order by c.id limit 1000 for update of c skip locked`

/** Reads the tasks of claims that have no outcome yet. `$1` claims, `$2` limit.
 * @category statements
 * @since 0.1.0 */
export const unsettled = (schema: string): string => `
select ${decisiveColumns}, 'running' as state, u.lease,
  coalesce(l.failures, 0) as failures, coalesce(l.crashes, 0::smallint) as crashes
from ${schema}.claims c
cross join lateral unnest(c.task_ids, c.leases) as u(task_id, lease)
cross join lateral (select * from ${schema}.tasks where id = u.task_id limit 1) t
left join lateral (
  select * from ${schema}.attempts where task_id = u.task_id order by task_id, lease desc limit 1
) l on true
where c.id = any($1::text::bigint[]) and coalesce(l.lease, 0) < u.lease
order by c.id limit $2::text::int`

/** Deletes claims of which every task has its outcome. `$1` claims.
 * @category statements
 * @since 0.1.0 */
export const deleteClaims = (schema: string): string => `
delete from ${schema}.claims c where c.id = any($1::text::bigint[]) and not exists (
  select 1 from unnest(c.task_ids, c.leases) as u(task_id, lease)
  where exists (select 1 from ${schema}.tasks where id = u.task_id) and not exists (
    select 1 from ${schema}.attempts a where a.task_id = u.task_id and a.lease = u.lease
  )
)`

/** Deletes forgotten sessions that hold nothing any more. `$1` workers.
 * @category statements
 * @since 0.1.0 */
export const deleteWorkers = (schema: string): string => `
delete from ${schema}.workers w where w.id = any($1::text::text[])
  and not exists (select 1 from ${schema}.claims c where c.worker = w.id)`
