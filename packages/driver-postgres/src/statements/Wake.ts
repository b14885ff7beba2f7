/**
 * Wakeups: what they look like on their channel, and when a statement sends one.
 *
 * @since 0.1.0
 */
import type { Driver } from "@millrace/core"
import { nowOf } from "./Parameters.ts"

/** The channel of a schema.
 * @category constructors
 * @since 0.1.0 */
export const channelOf = (schemaName: string): string => `${schemaName}_wakeups`

/**
 * The query `woken`: sends `ready` for each queue of some tasks, where a live worker waits for it,
 * or, with `always`, where any lives that may wait by the time of the commit. A sent notification
 * costs the server far more than finding that nobody waits.
 *
 * @category statements
 * @since 0.1.0
 */
export const wakeReady = (
  schema: string,
  channel: string,
  tasks: string,
  always: string,
): string => `
waiting as materialized (
  select w.queue_ids from ${schema}.workers w, t
  where w.expires_at > t.now and (w.waiting or ${always})
),
woken as materialized (
  select pg_notify('${channel}', 'ready ' || q.name)
  from ${schema}.queues q
  where q.id in (select queue_id from ${tasks})
    and exists (select 1 from waiting where ${always} or waiting.queue_ids @> array[q.id])
)`

/** Reads a payload; `undefined` where it is none of ours.
 * @category conversions
 * @since 0.1.0 */
export const parseWakeup = (payload: string): Driver.Wakeup | undefined => {
  const space = payload.indexOf(" ")
  const subject = payload.slice(space + 1)
  switch (payload.slice(0, space)) {
    case "ready":
      return { _tag: "Ready", queue: subject }
    case "cancelled":
      return { _tag: "Cancelled", taskId: subject }
    case "ended":
      return { _tag: "Ended", runId: subject }
    default:
      return undefined
  }
}

/**
 * The query `told`: announces awaited ends and stopped attempts among the changes `written`,
 * which have `task_id`, `kind`, `state` and `worker`; `$awaited` are the ids that somebody waits
 * for.
 *
 * @category statements
 * @since 0.1.0
 */
export const tellEnds = (
  schema: string,
  channel: string,
  awaited: string,
  stopping = "kind = 'cancelled'",
): string => `
told as materialized (
  select pg_notify('${channel}', 'ended ' || r.run_id)
  from unnest(${awaited}::text::uuid[]) as a(id)
  cross join lateral (select run_id from ${schema}.tasks where id = a.id limit 1) r
  where a.id in (select task_id from written where state <> 'ready')
  union all
  select pg_notify('${channel}', 'cancelled ' || task_id)
  from written where ${stopping} and worker is not null
)`

/** Announces that a worker waits for some queues. `$1` instant, `$2` worker, `$3` queue ids.
 * @category statements
 * @since 0.1.0 */
export const arm = (schema: string): string => `
with t as materialized (select ${nowOf("$1::text")} as now)
update ${schema}.workers w set waiting = true, queue_ids = $3::text::int[]
from t where w.id = $2::text and w.expires_at > t.now`

/** Takes that back. `$1` worker.
 * @category statements
 * @since 0.1.0 */
export const disarm = (schema: string): string => `
update ${schema}.workers set waiting = false where id = $1::text and waiting`
