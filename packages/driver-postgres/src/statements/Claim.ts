/**
 * Claiming: one statement that moves what is due to `ready`, or takes the first tasks of each
 * queue.
 *
 * @since 0.1.0
 */
import { Limits } from "@millrace/core"
import { namesOf, pack } from "../Packing.ts"
import { leftMillis } from "./Overdue.ts"
import { millisOf, nowOf } from "./Parameters.ts"

/**
 * The queries that move what is due in the queues of `lane` among the ready tasks, where `moves`:
 * `head` is the next scheduled task of each queue, and `due` what is moved.
 *
 * @category statements
 * @since 0.1.0
 */
export const due = (schema: string, moves: string): string => `
head as materialized (
  select l.queue_id, h.run_at from lane l cross join lateral (
    select s.run_at from ${schema}.scheduled s
    where s.queue_id = l.queue_id order by s.queue_id, s.run_at, s.task_id limit 1
  ) h
),
due as materialized (
  select d.* from head h cross join t cross join lateral (
    select s.* from ${schema}.scheduled s
    where s.queue_id = h.queue_id and s.run_at <= t.now
    order by s.queue_id, s.run_at, s.task_id limit ${Limits.duePerClaim} for update skip locked
  ) d
  where ${moves} and h.run_at <= t.now
),
left_schedule as (
  delete from ${schema}.scheduled where task_id = any(array(select task_id from due))
),
moved as (
  insert into ${schema}.ready (queue_id, priority, task_id, lease, failures, crashes, group_key,
    put_off)
  select queue_id, priority, task_id, lease, failures, crashes, group_key, put_off from due
)`

/**
 * `$1` instant or NULL, `$2` worker, `$3` queue ids, `$4` limits, `$5` whether due tasks are moved
 * first.
 *
 * **Details**
 *
 * The first row has no `nth`: it says which claim was made, how many tasks were moved, when the
 * next one is due, what `Marks` remembers, and which queues have limits: those are left out, and
 * have the statements of `Limited.ts`. Where tasks were moved nothing is taken, since a statement
 * does not see its own writes: the caller repeats it with `$5` false. A task that has crashed is
 * taken alone, as `Claiming.batchesOf` says.
 *
 * @category statements
 * @since 0.1.0
 */
export const claim = (schema: string): string => claiming(schema, fromFront)

/**
 * As `claim`, but each queue is read from some marks on: `$6` queue ids, `$7` priorities in their
 * order, `$8` the lowest `born` to look at.
 *
 * @category statements
 * @since 0.1.0
 */
export const claimFrom = (schema: string): string => claiming(schema, fromMarks)

/** As `claim`, but for the eldest, as `Claiming.eldestOf` says.
 * @category statements
 * @since 0.1.0 */
export const claimEldest = (schema: string): string => claiming(schema, fromEldest)

/**
 * The first tasks of the priority whose first has waited longest, of the queue `l`: one look into
 * the index for each priority.
 *
 * @category statements
 * @since 0.1.0
 */
export const fromEldest = (schema: string): string => `
    select r.* from (
      select h.* from generate_series(0, ${Limits.lowestPriority}) as p(priority)
      cross join lateral (
        select e.priority, e.born, e.seq from ${schema}.ready e
        where e.queue_id = l.queue_id and e.priority = p.priority::smallint
        order by e.queue_id, e.priority, e.born, e.seq limit 1
      ) h
      order by h.born, h.seq limit 1
    ) o
    cross join lateral (
      select r.ctid as place, r.* from ${schema}.ready r
      where r.queue_id = l.queue_id and r.priority = o.priority
      order by r.queue_id, r.priority, r.born, r.seq limit l.lim for update skip locked
    ) r`

const fromFront = (schema: string) => `
    select r.ctid as place, r.* from ${schema}.ready r
    where r.queue_id = l.queue_id order by r.queue_id, r.priority, r.born, r.seq
    limit l.lim for update skip locked`

// What the limit leaves is neither read nor locked.
const fromMarks = (schema: string) => `
    select r.* from (
      select m.priority, m.born
      from unnest($6::text::int[], $7::text::smallint[], $8::text::xid8[])
        as m(queue_id, priority, born)
      where m.queue_id = l.queue_id
    ) m
    cross join lateral (
      select r.ctid as place, r.* from ${schema}.ready r
      where r.queue_id = l.queue_id and r.priority = m.priority and r.born >= m.born
      order by r.queue_id, r.priority, r.born, r.seq for update skip locked
    ) r
    limit l.lim`

const claiming = (schema: string, first: (schema: string) => string): string => `
with t as materialized (select ${nowOf("$1::text")} as now),
live as materialized (
  select w.id from ${schema}.workers w, t
  where w.id = $2::text and w.expires_at > t.now for key share of w
),
lane as materialized (
  select l.queue_id, l.lim, l.nth
  from live, unnest($3::text::int[], $4::text::int[]) with ordinality as l(queue_id, lim, nth)
  where not exists (select 1 from ${schema}.limits x where x.queue_id = l.queue_id)
),
${due(schema, "$5::text::boolean")},
first as materialized (
  select l.nth as lane, r.* from lane l cross join lateral (${first(schema)}
  ) r
  where not exists (select 1 from due)
),
ranked as materialized (
  select f.*, row_number() over w as nth, count(*) filter (where f.crashes > 0) over w as suspects
  from first f where exists (select 1 from first where crashes > 0)
  window w as (partition by queue_id order by priority, born, seq)
),
alone as materialized (select min(lane) as lane from ranked where nth = 1 and crashes > 0),
taken as materialized (
  select place, task_id, queue_id, lease, failures, crashes from first
  where not exists (select 1 from first where crashes > 0)
  union all
  select place, task_id, queue_id, lease, failures, crashes from ranked cross join alone
  where case when alone.lane is null then suspects = 0 else ranked.lane = alone.lane and nth = 1 end
),
gone as (delete from ${schema}.ready where ctid = any(array(select place from taken))),
made as (
  insert into ${schema}.claims (claimed_at, worker, task_ids, leases)
  select min(t.now), $2::text, array_agg(taken.task_id), array_agg(taken.lease + 1)
  from taken, t having count(*) > 0
  returning id
)
select (select id::float8 from made) as claim, (select count(*) from due)::int as moved,
  (select ${millisOf("min(h.run_at)")} - ${millisOf("min(t.now)")} from head h, t
    where not exists (select 1 from due)) as next_due,
  pg_snapshot_xmin(pg_current_snapshot())::text as horizon,
  (select string_agg(concat_ws(' ', f.queue_id, f.priority, f.born), ',') from lane l
    cross join lateral (select * from first where lane = l.nth limit 1) f) as fronts,
  (select string_agg(l.queue_id::text, ',') from unnest($3::text::int[]) as l(queue_id)
    where exists (select 1 from ${schema}.limits x where x.queue_id = l.queue_id)) as limited,
  ${namesOf(columns).map((name) => `null as ${name}`).join(", ")}
union all
select null, null, null, null, null, null, packed.* from (${
  pack(
    columns,
    `(select row_number() over () as nth, * from taken) taken ${wideRow(schema)}`,
  )
}) packed`

/** Joins the wide row `w` of a task that is `taken`, with how long it may still begin.
 * @category statements
 * @since 0.1.0 */
export const wideRow = (schema: string): string => `
    cross join lateral (
      select w.*, ${leftMillis(schema)} as left_millis
      from ${schema}.tasks w where w.id = taken.task_id limit 1
    ) w`

/**
 * What is answered of each task.
 *
 * @category models
 * @since 0.1.0
 */
export const columns = {
  shared: {
    queue_id: "taken.queue_id",
    lease: "taken.lease + 1",
    failures: "taken.failures",
    crashes: "taken.crashes",
    index: "case when w.parent is null then w.index end",
    max_attempts: "w.max_attempts",
    max_crashes: "w.max_crashes",
    awaited: "w.awaited",
    flow_type: "w.flow_type",
    flow: "w.flow",
    step: "w.step",
    is_run: "w.run_id = w.id",
    is_traced: "w.trace is not null",
    parent: "w.parent",
    on_exhausted: "w.on_exhausted",
    version: "w.version",
    undoes: "w.undoes",
    left_millis: "w.left_millis",
  },
  own: {
    task_id: "taken.task_id::text",
    run_id: "nullif(w.run_id, w.id)::text",
    // A whole number is written faster than a float.
    created: "(date_part('epoch', w.created_at) * 1000)::bigint::text",
    input: "w.input::text",
    trace: "w.trace",
    // The elements of a map differ in it.
    element: "case when w.parent is not null then w.index::text end",
  },
} as const

/** The names of what each task has for itself.
 * @category models
 * @since 0.1.0 */
export const own = Object.keys(columns.own) as ReadonlyArray<keyof typeof columns.own>
