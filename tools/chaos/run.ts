/**
 * The soak: workers on Bun and Deno and a real PostgreSQL, which are killed, paused, cut off and
 * restarted while work comes in; then everything is counted.
 *
 *     npm run chaos [-- --short] [--minutes 10] [--jobs 20000] [--workers 4] [--seed 1] [--report FILE]
 */
import { type DriverError, RunId } from "@millrace/core"
import { Postgres } from "@millrace/driver-postgres"
import { Effect, Layer, References, Schedule } from "effect"
import { writeFileSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import process from "node:process"
import { parseArgs } from "node:util"
import { type PostgresServer, startPostgres } from "../scripts/postgres.mjs"
import { audit, open } from "./Audit.ts"
import { Fleet } from "./Fleet.ts"
import { Chore, kinds, tables } from "./jobs.ts"
import { Monkey } from "./Monkey.ts"
import { type Facts, render } from "./report.ts"
import postgres from "postgres"

const leaseMillis = 3000

/** How long what was accepted may take to end, once nothing is harmed any more. */
const patienceMillis = 120_000

const { values } = parseArgs({
  options: {
    short: { type: "boolean", default: false },
    minutes: { type: "string" },
    jobs: { type: "string" },
    workers: { type: "string", default: "4" },
    seed: { type: "string", default: "1" },
    report: { type: "string" },
  },
})

const number = (name: string, text: string, max: number): number => {
  const value = Number(text)
  if (value > 0 && value <= max) return value
  console.error(`--${name} must be a number above 0 and at most ${max}, got "${text}"`)
  return process.exit(2)
}

const minutes = number("minutes", values.minutes ?? (values.short ? "0.6" : "10"), 600)
const jobs = Math.ceil(number("jobs", values.jobs ?? (values.short ? "1500" : "20000"), 1_000_000))
const workers = Math.ceil(number("workers", values.workers, 32))
const seed = Math.ceil(number("seed", values.seed, 2 ** 31))

/** The server may be away at any time, also when it is first needed. */
const whileAway = {
  schedule: Schedule.spaced("200 millis"),
  while: (error: object) => (error as DriverError)._tag === "DriverError",
}

/** Stores chores at an even pace, each until the storage has taken it; answers their ids. */
const enqueue = (url: string, until: number): Promise<ReadonlyArray<string>> => {
  const began = Date.now()
  const one = (index: number) =>
    Effect.gen(function* () {
      yield* Effect.sleep(Math.max(0, began + index * (until - began) / jobs - Date.now()))
      const id = yield* RunId.make
      const kind = kinds[index % kinds.length]!
      // With an id of its own, a chore whose answer was lost can be stored again.
      yield* Effect.retry(Chore.enqueue({ kind }, { id }), whileAway)
      return id
    })
  const all = Effect.forEach(Array.from({ length: jobs }, (_, index) => index), one, {
    concurrency: 16,
  })
  return Effect.runPromise(
    Effect.retry(Layer.build(Postgres.layer({ url })), whileAway).pipe(
      Effect.flatMap((driver) => Effect.provide(all, driver)),
      Effect.scoped,
      Effect.provideService(References.MinimumLogLevel, "None"),
    ),
  )
}

const drained = async (url: string): Promise<boolean> => {
  const deadline = Date.now() + patienceMillis
  while (await open(url) > 0) {
    if (Date.now() > deadline) return false
    await sleep(250)
  }
  return true
}

const prepare = async (url: string): Promise<void> => {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  for (const table of tables) await sql.unsafe(table)
  await sql.end()
}

const soak = async (server: PostgresServer): Promise<Facts> => {
  const { url } = server
  await prepare(url)
  const fleet = new Fleet(url, leaseMillis)
  const monkey = new Monkey(server, fleet, { seed, leaseMillis, workers })
  const began = Date.now()
  const until = began + minutes * 60_000
  const enqueued = enqueue(url, until)
  fleet.refill(workers)
  const [accepted] = await Promise.all([enqueued, monkey.rage(until)])
  const calmed = Date.now()
  const drains = await drained(url)
  const drainMillis = Date.now() - calmed
  const findings = await audit(url, accepted, fleet.losses, monkey.outages, leaseMillis)
  const slowest = findings.recoveries.at(-1) ?? 0
  const wrong = [
    ...findings.wrong,
    ...(slowest <= 2 * leaseMillis ? [] : [`a recovery took ${slowest} ms, over two leases`]),
    ...fleet.deserters,
    ...await fleet.stop(),
    ...(drains ? [] : [`${await open(url)} tasks have not ended after ${patienceMillis} ms`]),
    ...(accepted.length === jobs ? [] : [`${accepted.length} of ${jobs} chores were accepted`]),
  ]
  const { counts } = monkey
  return { ...findings, wrong, minutes, seed, workers, leaseMillis, counts, drainMillis, ...fleet }
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130))
const server = await startPostgres()
let code = 1
try {
  const facts = await soak(server)
  const report = render(facts)
  console.log(report)
  if (values.report !== undefined) writeFileSync(values.report, report)
  code = facts.wrong.length === 0 ? 0 : 1
  console.log(code === 0 ? "1 passed, 0 failed" : "0 passed, 1 failed")
} catch (error) {
  console.error(`The soak broke down. ${error}\n${error instanceof Error ? error.stack : ""}`)
} finally {
  await server.stop()
}
process.exit(code)
