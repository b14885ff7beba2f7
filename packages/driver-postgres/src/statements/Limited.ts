/**
 * Claiming from queues that have limits: what is locked, what is looked at, and what is written.
 * The statements of one claim are one transaction, and between them core decides.
 *
 * @since 0.1.0
 */
import { Limits } from "@millrace/core"
import { namesOf, pack } from "../Packing.ts"
import { columns, due, fromEldest, wideRow } from "./Claim.ts"
import { millisOf, nowOf } from "./Parameters.ts"

/** Locks the limits of queues, so that nobody else claims from them. `$1` queue ids.
 * @category statements
 * @since 0.1.0 */
export const lockLimits = (schema: string): string => `
select queue_id, declared, grouped, turn, level::float8 as level,
  period_millis::float8 as period, at_millis::float8 as at
from ${schema}.limits where queue_id = any($1::text::int[]) order by queue_id for update`

const unsettled = (schema: string) =>
  // Not as a join, which might be planned to read all of the history.
  `(
    select a.lease from ${schema}.attempts a
    where a.task_id = u.task_id and a.lease = u.lease limit 1
  ) is null`

/**
 * Moves what is due among the ready tasks, and answers one row: the instant, whether the worker
 * lives, how many tasks were moved, when the next one is due, and how many tasks of each key are
 * held. `$1` instant, `$2` worker, `$3` queue ids, `$4` those of them that have limits.
 *
 * **Details**
 *
 * A task is held from its claim until its outcome is in the history, whoever wrote that: so nothing
 * has to be given back. Claims from before a queue had limits do not tell its tasks from others.
 *
 * @category statements
 * @since 0.1.0
 */
export const look = (schema: string): string => `
with t as materialized (select ${nowOf("$1::text")} as now),
live as materialized (
  select w.id from ${schema}.workers w, t
  where w.id = $2::text and w.expires_at > t.now for key share of w
),
lane as materialized (select l.queue_id from live, unnest($3::text::int[]) as l(queue_id)),
${due(schema, "true")},
held as materialized (
  select c.queue_id, u.key, count(*) as held from ${schema}.claims c
  cross join lateral unnest(c.task_ids, c.leases, c.keys) as u(task_id, lease, key)
  where c.queue_id = any($4::text::int[]) and ${unsettled(schema)}
  group by c.queue_id, u.key
  union all
  select w.queue_id, w.group_key, count(*) from ${schema}.limits l
  join ${schema}.claims c on c.id <= l.claims_before and c.queue_id is null
  cross join lateral unnest(c.task_ids, c.leases) as u(task_id, lease)
  cross join lateral (
    select queue_id, group_key from ${schema}.tasks where id = u.task_id limit 1
  ) w
  where l.queue_id = any($4::text::int[]) and w.queue_id = l.queue_id and ${unsettled(schema)}
  group by w.queue_id, w.group_key
)
select ${millisOf("t.now")} as now, exists (select 1 from live) as live,
  (select count(*) from due)::int as moved,
  (select ${millisOf("min(h.run_at)")} from head h) as next_due,
  (select json_agg(json_build_array(queue_id, key, held))::text from held) as held
from t`

/** When the next task of some queues is due, in milliseconds since 1970. `$1` queue ids.
 * @category statements
 * @since 0.1.0 */
export const nextDue = (schema: string): string => `
select ${millisOf("min(h.run_at)")} as next_due
from unnest($1::text::int[]) as l(queue_id) cross join lateral (
  select s.run_at from ${schema}.scheduled s
  where s.queue_id = l.queue_id order by s.queue_id, s.run_at, s.task_id limit 1
) h`

/**
 * The keys of a queue that have ready tasks, one look into an index for each. `$1` queue id, `$2`
 * the key to begin after, `$3` the last key or NULL, `$4` how many.
 *
 * @category statements
 * @since 0.1.0
 */
export const keys = (schema: string): string => `
with recursive k as (
  (
    select r.group_key as key, 1 as nth from ${schema}.ready r
    where r.queue_id = $1::text::int and r.group_key <> '' and r.group_key > $2::text
      and ($3::text is null or r.group_key <= $3::text)
    order by r.queue_id, r.group_key limit 1
  )
  union all
  select n.group_key, k.nth + 1 from k cross join lateral (
    select r.group_key from ${schema}.ready r
    where r.queue_id = $1::text::int and r.group_key <> '' and r.group_key > k.key
      and ($3::text is null or r.group_key <= $3::text)
    order by r.queue_id, r.group_key limit 1
  ) n
  where k.nth < $4::text::int
)
select k.key, exists (
    select 1 from ${schema}.scheduled s
    where s.queue_id = $1::text::int and s.group_key = k.key and s.group_key <> '' and s.lease > 0
      and not s.put_off
  ) as waits,
  b.level::float8 as level, b.period_millis::float8 as period, b.at_millis::float8 as at
from k left join lateral (
  select * from ${schema}.buckets where queue_id = $1::text::int and key = k.key limit 1
) b on true
order by k.nth`

/** Whether tasks without a key are among the first of a queue. `$1` queue id.
 * @category statements
 * @since 0.1.0 */
export const hasKeyless = (schema: string): string => `
select exists (
  select 1 from (
    select group_key from ${schema}.ready where queue_id = $1::text::int
    order by queue_id, priority, born, seq limit ${Limits.tasksLooked}
  ) f where f.group_key = ''
) as there`

const begun = "r.lease > 0 and not r.put_off"

const ofKey = (schema: string, which: string) =>
  `(
      select r.* from ${schema}.ready r
      where r.queue_id = $1::text::int and r.group_key = k.key and r.group_key <> ''
        and ${which}
      order by r.queue_id, r.group_key, r.priority, r.born, r.seq limit k.lim
    )`

/**
 * The first ready tasks of some keys of a queue, in turn, and whether each could be locked. `$1`
 * queue id, `$2` keys, `$3` limits.
 *
 * **Details**
 *
 * What another session is changing is not waited for. It still has its place: those of its key
 * behind it must not overtake it.
 *
 * @category statements
 * @since 0.1.0
 */
export const ofKeys = (schema: string): string => `
with k as materialized (
  select k.* from unnest($2::text::text[], $3::text::int[]) with ordinality as k(key, lim, nth)
),
first as materialized (
  select k.nth, r.* from k cross join lateral (
    select * from (${ofKey(schema, begun)} union all ${
  ofKey(schema, `not (${begun})`)
}) x limit k.lim
  ) r
  where k.key <> ''
  union all
  select k.nth, r.* from k cross join lateral (
    select * from (
      select * from ${schema}.ready where queue_id = $1::text::int
      order by queue_id, priority, born, seq limit ${Limits.tasksLooked}
    ) f where f.group_key = '' limit k.lim
  ) r
  where k.key = ''
),
locked as materialized (
  select r.task_id from ${schema}.ready r
  where r.task_id = any(array(select task_id from first)) for update skip locked
)
select f.task_id, f.group_key as key, f.lease, f.failures, f.crashes, f.priority,
  f.group_key <> '' and f.lease > 0 and not f.put_off as begun,
  f.task_id in (select task_id from locked) as locked
from first f
order by f.nth, f.group_key = '' or f.lease = 0 or f.put_off, f.priority, f.born, f.seq`

/** The first ready tasks of queues, locked. `$1` queue ids, `$2` limits.
 * @category statements
 * @since 0.1.0 */
export const firstOf = (schema: string): string =>
  locked(`
    select r.* from ${schema}.ready r
    where r.queue_id = l.queue_id order by r.queue_id, r.priority, r.born, r.seq
    limit l.lim for update skip locked`)

/** As `firstOf`, but the eldest.
 * @category statements
 * @since 0.1.0 */
export const eldestOf = (schema: string): string => locked(fromEldest(schema))

const locked = (first: string): string => `
select l.nth::int as nth, r.task_id, r.group_key as key, r.lease, r.failures, r.crashes, r.priority
from unnest($1::text::int[], $2::text::int[]) with ordinality as l(queue_id, lim, nth)
cross join lateral (${first}
) r`

/**
 * Takes locked tasks: answers the claim that was made, and the tasks as `claim` does. `$1` instant,
 * `$2` worker, `$3` task ids, `$4` the queue id where it has limits, `$5` keys, `$6` to `$8` the
 * leases before, failures and crashes, `$9` the queue id.
 *
 * @category statements
 * @since 0.1.0
 */
export const take = (schema: string): string => `
with t as materialized (select ${nowOf("$1::text")} as now),
gone as (delete from ${schema}.ready where task_id = any($3::text::uuid[])),
taken as materialized (
  select n.*, $9::text::int as queue_id
  from unnest($3::text::uuid[], $5::text::text[], $6::text::int[], $7::text::int[],
    $8::text::smallint[]) with ordinality as n(task_id, key, lease, failures, crashes, nth)
),
made as (
  insert into ${schema}.claims (claimed_at, worker, task_ids, leases, queue_id, keys)
  select min(t.now), $2::text, array_agg(task_id order by nth), array_agg(lease + 1 order by nth),
    $4::text::int, case when $4::text is not null then array_agg(key order by nth) end
  from taken, t having count(*) > 0
  returning id
)
select (select id::float8 from made) as claim,
  ${namesOf(columns).map((name) => `null as ${name}`).join(", ")}
union all
select null, packed.* from (${
  pack(
    columns,
    `taken ${wideRow(schema)}`,
  )
}) packed`

/**
 * Writes how a queue stands once tasks were taken, and forgets some buckets that are full again.
 * `$1` queue id, `$2` turn, `$3` to `$5` its bucket, `$6` to `$10` the buckets of keys, `$11` the
 * instant in milliseconds.
 *
 * @category statements
 * @since 0.1.0
 */
export const granted = (schema: string): string => `
with written as (
  insert into ${schema}.buckets as b (queue_id, key, level, period_millis, at_millis, full_at)
  select $1::text::int, n.* from unnest($6::text::text[], $7::text::bigint[], $8::text::bigint[],
    $9::text::bigint[], $10::text::bigint[]) as n(key, level, period_millis, at_millis, full_at)
  on conflict (queue_id, key) do update set level = excluded.level,
    period_millis = excluded.period_millis, at_millis = excluded.at_millis,
    full_at = excluded.full_at
),
forgotten as (
  delete from ${schema}.buckets where queue_id = $1::text::int and key = any(array(
    select key from ${schema}.buckets
    where queue_id = $1::text::int and full_at <= $11::text::bigint
      and not (key = any($6::text::text[]))
    order by queue_id, full_at limit 100
  ))
)
update ${schema}.limits set turn = $2::text, level = $3::text::bigint,
  period_millis = $4::text::bigint, at_millis = $5::text::bigint
where queue_id = $1::text::int`
