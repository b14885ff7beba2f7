/**
 * Storing what most batches are: new runs of one job that are due at once. They differ in their
 * ids, their inputs and perhaps their traces; all else is sent and read once.
 *
 * @since 0.1.0
 */
import type { Driver } from "@millrace/core"
import { andShallow } from "./Insert.ts"
import { isDue, policyParams } from "./InsertOne.ts"
import { nowOf, rows } from "./Parameters.ts"

const given = rows(12, { id: "uuid", input: "json", trace: "text" })

/**
 * Answers in one row whether they were stored: all, or none where their queue has a maximum depth.
 * An id that is there already is refused, and the whole statement with it: to look for each before
 * it is stored costs a sixth of all.
 *
 * @category statements
 * @since 0.1.0
 */
export const insertNew = (schema: string, channel: string): string => `
with t as materialized (
  select ${nowOf("$1::text")} as now where true${andShallow(schema, "array[$2::text::int]")}
),
stored as (
  insert into ${schema}.tasks (id, run_id, created_at, queue_id, index, max_attempts, priority,
    max_crashes, awaited, flow_type, flow, step, input, trace)
  select n.id, n.id, t.now, $2::text::int, $3::text::int, $4::text::int, $5::text::smallint,
    $6::text::smallint, $7::text::boolean, $8::text, $9::text, $10::text, ${given.read.input},
    ${given.read.trace}
  from t, ${given.from}
  returning id
),
placed as (
  insert into ${schema}.ready (queue_id, priority, task_id, lease, failures, crashes)
  select $2::text::int, $5::text::smallint, id, 0, 0, 0 from stored
)
select count(*)::int as stored, case when count(*) > 0 and exists (
    select 1 from ${schema}.workers w, t
    where w.expires_at > t.now and w.waiting and w.queue_ids @> array[$2::text::int]
  ) then pg_notify('${channel}', 'ready ' || $11::text) end is not null as woken
from stored`

/** Whether a batch can be stored so: some new runs of one job, due at once, with nothing else.
 * @category guards
 * @since 0.1.0 */
export const areNew = (tasks: ReadonlyArray<Driver.NewTask>): boolean =>
  tasks.length > 1 && tasks.every((task) => isNew(task) && isAlike(task, tasks[0]!))

const isNew = (task: Driver.NewTask): boolean =>
  task.isNew === true && task.runId === task.id && isDue(task)

const isAlike = (a: Driver.NewTask, b: Driver.NewTask): boolean =>
  a === b ||
  (a.flow === b.flow && a.queue === b.queue && a.priority === b.priority &&
    a.maxAttempts === b.maxAttempts && a.maxCrashes === b.maxCrashes && a.awaited === b.awaited &&
    a.flowType === b.flowType && a.step === b.step && a.index === b.index)

/** Writes the parameters.
 * @category statements
 * @since 0.1.0 */
export const insertNewParams = (
  now: string | null,
  tasks: ReadonlyArray<Driver.NewTask>,
  queueId: (queue: string) => number,
): ReadonlyArray<string | null> => [
  now,
  ...policyParams(tasks[0]!, queueId),
  tasks[0]!.queue,
  ...given.encode(tasks, {
    id: ({ id }) => id,
    input: ({ input }) => input,
    trace: ({ trace }) => trace,
  }),
]
