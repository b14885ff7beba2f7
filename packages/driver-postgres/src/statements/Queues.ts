/**
 * The numbers of queues, and what is in them.
 *
 * @since 0.1.0
 */
import { millisOf, nowOf } from "./Parameters.ts"

/** Reads the numbers of queues. `$1` names.
 * @category statements
 * @since 0.1.0 */
export const readQueues = (schema: string): string => `
select id, name from ${schema}.queues where name = any($1::text::text[])`

/** Gives queues their numbers; one that another session is just making is left to it. `$1` names.
 * @category statements
 * @since 0.1.0 */
export const makeQueues = (schema: string): string => `
insert into ${schema}.queues (name)
select name from unnest($1::text::text[]) as n(name) order by name
on conflict (name) do nothing`

/** Reads all queues.
 * @category statements
 * @since 0.1.0 */
export const allQueues = (schema: string): string => `select id, name from ${schema}.queues`

/**
 * Reads what waits and runs in each queue. `$1` instant.
 *
 * **Details**
 *
 * What waits is counted in the narrow tables, and what runs among the claims. Of history it looks
 * at the last entry of what is claimed, and of the first task of each priority.
 *
 * @category statements
 * @since 0.1.0
 */
export const queueStates = (schema: string): string => `
with t as materialized (select ${nowOf("$1::text")} as now),
r as materialized (select queue_id, count(*)::int as ready from ${schema}.ready group by queue_id),
s as materialized (
  select queue_id, (count(*) filter (where run_at <= t.now))::int as due,
    (count(*) filter (where run_at > t.now))::int as later
  from ${schema}.scheduled, t group by queue_id
),
k as materialized (
  select w.queue_id, count(*)::int as running
  from ${schema}.claims c, unnest(c.task_ids, c.leases) as u(task_id, lease)
  cross join lateral (select queue_id from ${schema}.tasks where id = u.task_id limit 1) w
  where c.id >= 0 and (
    select true from ${schema}.attempts a
    where a.task_id = u.task_id and a.lease >= u.lease limit 1
  ) is null
  group by w.queue_id
)
select q.name, coalesce(r.ready, 0) + coalesce(s.due, 0) as ready,
  coalesce(s.later, 0) as scheduled, coalesce(k.running, 0) as running, l.declared,
  ${millisOf("t.now")} - ${millisOf("e.since")} as eldest
from t, ${schema}.queues q
left join r on r.queue_id = q.id
left join s on s.queue_id = q.id
left join k on k.queue_id = q.id
left join ${schema}.limits l on l.queue_id = q.id
cross join lateral (
  select min(f.since) as since from (
    select (${dueSince(schema)}) as since
    from generate_series(0, 9) as p(priority) cross join lateral (
      select task_id, lease from ${schema}.ready
      where queue_id = q.id and priority = p.priority order by queue_id, priority, born, seq limit 1
    ) h
    where r.ready > 0 and ${hasNotWaited(schema, "h.task_id")}
    union all
    select run_at from (
      select run_at, task_id from ${schema}.scheduled
      where queue_id = q.id and run_at <= t.now order by queue_id, run_at, task_id limit 1
    ) d
    where s.due > 0 and ${hasNotWaited(schema, "d.task_id")}
  ) f
) e
where coalesce(r.ready, s.due, k.running) is not null or l.declared is not null`

const hasNotWaited = (schema: string, id: string) =>
  `(select true from ${schema}.runs where task_id = ${id} limit 1) is null`

const dueSince = (schema: string) => `
      case when h.lease = 0
        then (select greatest(created_at, run_at) from ${schema}.tasks where id = h.task_id)
        else (
          select greatest(due_at, finished_at) from ${schema}.attempts where task_id = h.task_id
          order by task_id, lease desc limit 1
        )
      end`
