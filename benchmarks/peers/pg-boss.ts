/** pg-boss: two loops that fetch, run and complete 2,000 jobs at a time, each batch as one. */
import { setTimeout as sleep } from "node:timers/promises"
import pg from "pg"
import { PgBoss, type QueuePolicy } from "pg-boss"
import { type Contestant, type Kind, orders, type Payload, type Session } from "../model.ts"

const batch = 2000
const loops = 2
const connections = 24

/** What its queue and its jobs have beyond the defaults. */
export interface Variant {
  readonly configuration: string
  readonly policy?: QueuePolicy
  readonly more: (payload: Payload) => { readonly singletonKey?: string }
}

const usual = `batches of ${batch} in ${loops} loops of fetch and complete, queue with notify`

/** Makes a contestant of a variant. */
export const contestantOf = ({ configuration, more, policy }: Variant): Contestant => ({
  configuration,
  waiting: "select count(*) from pgboss.job where state < 'completed' and name = 'noop'",
  history: "select count(*) from pgboss.job where state = 'completed' and name = 'noop'",
  setup: async (url) => {
    const boss = await start(url)
    await boss.createQueue("noop", { notify: true, ...(policy ? { policy } : {}) })
    await boss.createQueue("other")
    await boss.stop({ graceful: false })
    const client = new pg.Client(url)
    await client.connect()
    await client.query(orders)
    await client.end()
  },
  open: async (url): Promise<Session> => {
    const boss = await start(url)
    const pool = new pg.Pool({ connectionString: url, max: 1 })
    return {
      enqueue: (payload) => boss.send("noop", payload, more(payload)),
      enqueueMany: (payloads, kind) =>
        boss.insert(
          queueOf(kind),
          payloads.map((payload) => ({ ...jobOf(kind)(payload), ...more(payload) })),
        ),
      enqueueWithin: (payload) => within(boss, pool, payload),
      work: async (task) => {
        let stopping = false
        const running = Array.from({ length: loops }, async () => {
          while (!stopping) await step(boss, task)
        })
        return await Promise.resolve({
          stop: async () => {
            stopping = true
            await Promise.all(running)
          },
        })
      },
      close: async () => {
        await boss.stop({ graceful: false })
        await pool.end()
      },
    }
  },
})

export const contestant: Contestant = contestantOf({ configuration: usual, more: () => ({}) })

const start = async (connectionString: string) => {
  const boss = new PgBoss({ connectionString, max: connections })
  boss.on("error", (error) => console.error(error))
  return await boss.start()
}

const queueOf = (kind: Kind) => kind === "other" ? "other" : "noop"

const jobOf = (kind: Kind) => (data: Payload) =>
  kind === "future" ? { data, startAfter: "1 day" } : { data }

const step = async (boss: PgBoss, task: (payload: Payload) => void) => {
  const jobs = await boss.fetch<Payload>("noop", { batchSize: batch })
  if (jobs.length === 0) return await sleep(5)
  for (const job of jobs) task(job.data)
  await boss.complete("noop", jobs.map((job) => job.id))
}

const within = async (boss: PgBoss, pool: pg.Pool, payload: Payload) => {
  const client = await pool.connect()
  try {
    await client.query("begin")
    await client.query("insert into orders values ($1)", [payload.n])
    const db = {
      executeSql: (text: string, values?: Array<unknown>) => client.query(text, values),
    }
    await boss.send("noop", payload, { db })
    await client.query("commit")
  } finally {
    client.release()
  }
}
