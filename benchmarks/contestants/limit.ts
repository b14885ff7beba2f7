/** What Millrace's own tables allow: the least SQL that keeps them right, and no library. */
import { setTimeout as sleep } from "node:timers/promises"
import { ArrayLiteral } from "@millrace/driver-postgres"
import postgres from "postgres"
import type { Contestant, Payload, Session } from "../model.ts"
import { contestant as millrace } from "./millrace.ts"
import { randomUUIDv7 } from "./uuid.ts"

const batch = 500
const connections = 2

const insert = `
with q as (select id from millrace.queues where name = 'noop'),
stored as (
  insert into millrace.tasks (id, run_id, created_at, queue_id, index, max_attempts, priority,
    max_crashes, awaited, flow_type, flow, step, input)
  select n.id, n.id, clock_timestamp(), q.id, 0, 1, 5, 3, false, 'job', 'noop', 'noop', n.input::json
  from q, unnest($1::text::uuid[], $2::text::text[]) as n(id, input)
  returning id, queue_id
)
insert into millrace.ready (queue_id, priority, task_id, lease, failures, crashes)
select queue_id, 5, id, 0, 0, 0 from stored`

const claim = `
with first as materialized (
  select ctid as place, task_id, lease from millrace.ready
  where queue_id = $1::text::int order by queue_id, priority, born, seq
  limit ${batch} for update skip locked
),
gone as (delete from millrace.ready where ctid = any(array(select place from first))),
made as (
  insert into millrace.claims (claimed_at, worker, task_ids, leases)
  select clock_timestamp(), 'limit', array_agg(task_id), array_agg(lease + 1) from first
  having count(*) > 0 returning id
)
select made.id::text as claim, t.id, t.input::text as input
from made, first f cross join lateral (
  select id, input from millrace.tasks where id = f.task_id limit 1
) t`

const settle = `
with written as (
  insert into millrace.attempts (task_id, lease, attempt, finished_at, started_at, failures, crashes,
    kind, state, worker, output)
  select id, 1, 1, clock_timestamp(), clock_timestamp(), 0, 0, 'completed', 'completed', 'limit', o::json
  from unnest($2::text::uuid[], $3::text::text[]) as n(id, o)
  on conflict do nothing returning 1
)
delete from millrace.claims where id = $1::text::bigint and (select count(*) from written) >= 0`

export const contestant: Contestant = {
  ...millrace,
  configuration: `raw SQL on Millrace's tables: claims of ${batch} on ${connections} connections`,
  open: async (url): Promise<Session> => {
    const client = postgres(url, {
      max: connections,
      fetch_types: false,
      connection: planner,
      onnotice: () => undefined,
    })
    const [queue] = await client`select id from millrace.queues where name = 'noop'`
    return {
      enqueue: grouped((payloads) => store(client, payloads)),
      enqueueMany: (payloads) => store(client, payloads),
      work: async (run) => {
        let stopping = false
        const loops = Array.from({ length: connections }, async () => {
          while (!stopping) await step(client, String(queue!["id"]), run)
        })
        return await Promise.resolve({
          stop: async () => {
            stopping = true
            await Promise.all(loops)
          },
        })
      },
      close: () => client.end(),
    }
  },
}

const planner = {
  enable_bitmapscan: false,
  enable_seqscan: false,
  enable_sort: false,
  jit: false,
}

const step = async (client: postgres.Sql, queue: string, run: (payload: Payload) => void) => {
  const rows = await client.unsafe(claim, [queue], { prepare: true })
  if (rows.length === 0) return sleep(1)
  const outputs: Array<string> = []
  for (const row of rows) {
    const payload = JSON.parse(row["input"]) as Payload
    run(payload)
    outputs.push(JSON.stringify({ n: payload.n }))
  }
  const ids = `{${rows.map((row) => row["id"]).join(",")}}`
  await client.unsafe(settle, [rows[0]!["claim"], ids, ArrayLiteral.arrayLiteral(outputs)], {
    prepare: true,
  })
}

const store = (client: postgres.Sql, payloads: ReadonlyArray<Payload>) =>
  client.unsafe(insert, [
    `{${payloads.map(() => randomUUIDv7()).join(",")}}`,
    ArrayLiteral.arrayLiteral(payloads.map((payload) => JSON.stringify(payload))),
  ], { prepare: true })

/** Calls that arrive while a statement runs share the next one. */
const grouped = (write: (payloads: ReadonlyArray<Payload>) => Promise<unknown>) => {
  let waiting: Array<Payload> = []
  let next: Promise<unknown> | undefined
  let current: Promise<unknown> = Promise.resolve()
  return (payload: Payload): Promise<unknown> => {
    waiting.push(payload)
    next ??= current.then(() => {
      const payloads = waiting
      waiting = []
      next = undefined
      return current = write(payloads)
    })
    return next
  }
}
