/**
 * Reading tasks with their history.
 *
 * @since 0.1.0
 */
import { millisOf } from "./Parameters.ts"
import { standingColumns, standingJoins } from "./Standing.ts"

const select = (schema: string, candidates: string) => `
select * from (
  select t.id, t.run_id, t.flow_type, t.flow, t.step, t.index, t.queue_id, t.priority,
    t.input::text as input, t.max_attempts, t.max_crashes, t.awaited, t.trace,
    ${millisOf("t.created_at")} as created, ${millisOf("s.run_at")} as due, ${standingColumns},
    (
      select json_agg(json_build_array(a.kind, a.lease, a.attempt, ${millisOf("a.started_at")},
        ${millisOf("a.finished_at")}, a.output::text, a.reason, a.message, a.error::text)
        order by a.lease)::text
      from ${schema}.attempts a where a.task_id = t.id
    ) as history
  from (${candidates}) t ${standingJoins(schema, "t.id")}
) found
where ($1::text is null or flow = $1::text)
  and ($2::text is null or queue_id = $2::text::int)
  and ($3::text is null or state = any($3::text::text[]))
order by id limit $4::text::int`

/** Finds tasks. `$1` flow, `$2` queue id, `$3` states, `$4` limit; NULL stands for any.
 * @category statements
 * @since 0.1.0 */
export const find = (schema: string): string =>
  select(schema, `select * from ${schema}.tasks order by id`)

/** Finds tasks of runs: `$5` run ids.
 * @category statements
 * @since 0.1.0 */
export const findOfRuns = (schema: string): string =>
  select(
    schema,
    `select * from ${schema}.tasks where id = any($5::text::uuid[]) and run_id = id
    union all
    select * from ${schema}.tasks where run_id = any($5::text::uuid[]) and run_id <> id`,
  )
