/**
 * Storing one task that is due at once: what most callers do, one after the other. It has a
 * statement of its own, since what a statement is made of costs more than what one row does.
 *
 * @since 0.1.0
 */
import type { Driver } from "@millrace/core"
import type { How } from "./Insert.ts"
import { andShallow, inTransaction, transactionOf } from "./Insert.ts"
import { nowOf } from "./Parameters.ts"

/**
 * Answers a row where it was stored. `$1` to `$3` are as in `insert`.
 *
 * @category statements
 * @since 0.1.0
 */
export const insertOne = (schema: string, channel: string): string => `
with t as materialized (select ${nowOf("$1::text")} as now 
  where ${inTransaction}${andShallow(schema, "array[$6::text::int]")}
),
stored as (
  insert into ${schema}.tasks (id, run_id, created_at, queue_id, index, max_attempts, priority,
    max_crashes, awaited, flow_type, flow, step, input, trace)
  select $4::text::uuid, coalesce($5::text::uuid, $4::text::uuid), t.now, $6::text::int,
    $7::text::int, $8::text::int, $9::text::smallint, $10::text::smallint, $11::text::boolean,
    $12::text, $13::text, $14::text, $15::text::json, $16::text
  from t
  on conflict (id) do nothing
  returning id, queue_id, priority
),
placed as (
  insert into ${schema}.ready (queue_id, priority, task_id, lease, failures, crashes)
  select queue_id, priority, id, 0, 0, 0 from stored
)
select stored.id, ${transactionOf}, case when exists (
    select 1 from ${schema}.workers w where w.expires_at > t.now
      and ($2::text::boolean or (w.waiting and w.queue_ids @> array[stored.queue_id]))
  ) then pg_notify('${channel}', 'ready ' || (
    select name from ${schema}.queues where id = stored.queue_id
  )) end is not null as woken
from stored, t`

/** Whether a task is due at once, with nothing else to it.
 * @category guards
 * @since 0.1.0 */
export const isDue = ({ delayMillis, dueAt }: Driver.NewTask): boolean =>
  delayMillis === 0 && dueAt === undefined

/** Writes the parameters.
 * @category statements
 * @since 0.1.0 */
export const insertOneParams = (
  now: string | null,
  how: How,
  task: Driver.NewTask,
  queueId: (queue: string) => number,
): ReadonlyArray<string | null> => [
  now,
  String(how.always),
  how.transaction ?? null,
  task.id,
  task.runId === task.id ? null : task.runId,
  ...policyParams(task, queueId),
  task.input,
  task.trace ?? null,
]

/** Writes what the tasks of one job have in common: `queue_id` to `step`, as `insertOne` has them.
 * @category statements
 * @since 0.1.0 */
export const policyParams = (
  task: Driver.NewTask,
  queueId: (queue: string) => number,
): ReadonlyArray<string> => [
  String(queueId(task.queue)),
  String(task.index),
  String(task.maxAttempts),
  String(task.priority),
  String(task.maxCrashes),
  String(task.awaited),
  task.flowType,
  task.flow,
  task.step,
]
