/** graphile-worker: a local queue, batched completion. Finished jobs are deleted. */
import { Logger, makeWorkerUtils, run } from "graphile-worker"
import pg from "pg"
import { type Contestant, type Kind, orders, type Payload, type Session } from "../model.ts"

const logger = new Logger(() => () => undefined)
const callers = 24
const dayMillis = 86_400_000

/** What its jobs have beyond the defaults. */
export interface Variant {
  readonly configuration: string
  readonly more: (payload: Payload) => { readonly queueName?: string; readonly jobKey?: string }
}

const usual = "24 concurrent jobs, local queue of 500, batched completion (delay 0)"

/** Makes a contestant of a variant. */
export const contestantOf = ({ configuration, more }: Variant): Contestant => ({
  configuration,
  waiting: "select count(*) from graphile_worker._private_jobs",
  history: undefined,
  setup: async (url) => {
    const utils = await makeWorkerUtils({ connectionString: url, logger })
    await utils.migrate()
    await utils.withPgClient((client) => client.query(orders))
    await utils.release()
  },
  open: async (url): Promise<Session> => {
    const pool = new pg.Pool({ connectionString: url, max: callers })
    const utils = await makeWorkerUtils({ pgPool: pool, logger })
    return {
      enqueue: (payload) => utils.addJob("noop", payload, more(payload)),
      enqueueMany: (payloads, kind) =>
        utils.addJobs(payloads.map((payload) => ({ ...specOf(kind), ...more(payload), payload }))),
      enqueueWithin: (payload) => within(pool, payload),
      work: async (task, { concurrency }) => {
        const runner = await run({
          preset: {
            worker: {
              connectionString: url,
              concurrentJobs: concurrency,
              maxPoolSize: 10,
              localQueue: { size: 500 },
              completeJobBatchDelay: 0,
              failJobBatchDelay: 0,
              logger,
            },
          },
          noHandleSignals: true,
          taskList: { noop: (payload) => task(payload as Payload) },
        })
        return { stop: () => runner.stop() }
      },
      close: async () => {
        await utils.release()
        await pool.end()
      },
    }
  },
})

export const contestant: Contestant = contestantOf({ configuration: usual, more: () => ({}) })

const specOf = (kind: Kind): { readonly identifier: string; readonly runAt?: Date } =>
  kind === "future"
    ? { identifier: "noop", runAt: new Date(Date.now() + dayMillis) }
    : { identifier: kind === "other" ? "other" : "noop" }

const within = async (pool: pg.Pool, payload: Payload) => {
  const client = await pool.connect()
  try {
    await client.query("begin")
    await client.query("insert into orders values ($1)", [payload.n])
    await client.query("select graphile_worker.add_job('noop', $1::json)", [
      JSON.stringify(payload),
    ])
    await client.query("commit")
  } finally {
    client.release()
  }
}
