/**
 * Reading tasks with their history.
 *
 * @since 0.1.0
 */
import { millisOf } from "./Parameters.ts"
import { standingColumns, standingJoins } from "./Standing.ts"

/**
 * Which index a search begins with: all tasks, those of ids, of runs, or of the steps of runs.
 *
 * @category models
 * @since 0.1.0
 */
export type Origin = "all" | "ids" | "runs" | "parents"

/**
 * Finds tasks. `$1` flow, `$2` queue id, `$3` states, `$4` limit, `$5` steps, `$6` the id that they
 * come after, `$7` ids, `$8` runs, `$9` parents; NULL stands for any.
 *
 * @category statements
 * @since 0.1.0
 */
export const find = (schema: string, origin: Origin): string => `
select * from (
  ${selected(schema)}
  from (${candidates[origin](schema)}) t ${standingJoins(schema, "t.id")}
) found
where ${conditions}
order by id limit $4::text::int`

/** Reads a task of `t` as it is answered, for `standingJoins`.
 * @category statements
 * @since 0.1.0 */
export const selected = (schema: string): string => `
  select t.id, t.run_id, t.flow_type, t.flow, t.step, t.index, t.queue_id, t.priority,
    t.input::text as input, t.max_attempts, t.max_crashes, t.awaited, t.trace, t.group_key,
    t.parent, t.on_exhausted, t.version, t.undoes, t.created_at,
    ${millisOf("t.created_at")} as created, ${millisOf("s.run_at")} as due,
    ${millisOf("t.expires_at")} as expires, ${standingColumns},
    (
      select json_build_array(p.lease, p.fraction, p.note, ${millisOf("p.at")})::text
      from ${schema}.progress p where p.task_id = t.id
    ) as progress,
    (
      select json_agg(json_build_array(a.kind, a.lease, a.attempt, ${millisOf("a.started_at")},
        ${millisOf("a.finished_at")}, a.output::text, a.reason, a.message, a.error::text)
        order by a.lease)::text
      from ${schema}.attempts a where a.task_id = t.id
    ) as history,
    (
      select json_agg(json_build_array(b.name, b.value))::text
      from ${schema}.labels b where b.task_id = t.id
    ) as labels`

/** What must hold of each that is found.
 * @category statements
 * @since 0.1.0 */
export const conditions: string = `($1::text is null or flow = $1::text)
  and ($2::text is null or queue_id = $2::text::int)
  and ($3::text is null or state = any($3::text::text[]))
  and ($5::text is null or step = any($5::text::text[]))
  and ($6::text is null or id > $6::text::uuid)
  and ($7::text is null or id = any($7::text::uuid[]))
  and ($8::text is null or run_id = any($8::text::uuid[]))
  and ($9::text is null or parent = any($9::text::uuid[]))`

/** The id that a page begins at.
 * @category statements
 * @since 0.1.0 */
export const first: string = "coalesce($6::text, '00000000-0000-0000-0000-000000000000')::uuid"

/** Where a search begins.
 * @category statements
 * @since 0.1.0 */
export const candidates: Readonly<Record<Origin, (schema: string) => string>> = {
  all: (schema) => `select * from ${schema}.tasks where id >= ${first} order by id`,
  ids: (schema) => `select * from ${schema}.tasks where id = any($7::text::uuid[])`,
  runs: (schema) => `
    select * from ${schema}.tasks where id = any($8::text::uuid[]) and run_id = id
    union all
    select * from ${schema}.tasks where run_id = any($8::text::uuid[]) and run_id <> id`,
  // Of each step one more than is asked for, from the one that the page begins after: a page costs
  // the same wherever it is.
  parents: (schema) => `
    select t.* from unnest($9::text::uuid[]) as p(id)
    cross join lateral (
      select parent, step from ${schema}.steps
      where parent = p.id and ($5::text is null or step = any($5::text::text[])) offset 0
    ) s
    cross join lateral (
      select * from ${schema}.tasks
      where parent = s.parent and step = s.step and id >= ${first}
      order by parent, step, id
      limit case when coalesce($1::text, $2::text, $3::text, $7::text, $8::text) is null
        then $4::text::int + 1 end
    ) t`,
}

/** Reads how far runs are. `$1` ids.
 * @category statements
 * @since 0.1.0 */
export const progress = (schema: string): string => `
select t.id, coalesce(r.wakes, 0) as wakes, e.kind, e.reason, e.message, e.error::text as error,
  (
    select json_agg(json_build_array(step, tasks, completed, failed, cancelled, skipped))::text
    from ${schema}.steps where parent = t.id
  ) as steps
from ${schema}.tasks t
left join lateral (select wakes from ${schema}.runs where task_id = t.id limit 1) r on true
left join lateral (
  select kind, reason, message, error from ${schema}.attempts
  where task_id = t.id and kind in ('unwinding', 'retried')
  order by task_id, lease desc limit 1
) e on true
where t.id = any($1::text::uuid[])`
