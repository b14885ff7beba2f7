/** `npm run bench`: measures Millrace and its peers on one server, and reports. */
import { writeFileSync } from "node:fs"
import process from "node:process"
import { peers } from "./contestants/registry.ts"
import { killAll } from "./harness/agent-process.ts"
import { Bench, progress } from "./harness/bench.ts"
import * as Facts from "./harness/facts.ts"
import * as Options from "./harness/options.ts"
import { type Outcome, render } from "./harness/report.ts"
import { Server } from "./harness/server.ts"
import type { Workload } from "./workloads/workload.ts"
import { workloads } from "./workloads/all.ts"

const names = workloads.map(({ name }) => name)

const main = async (): Promise<number> => {
  const options = Options.parse(process.argv.slice(2), { workloads: names, peers })
  if (options.list) {
    console.log(`workloads: ${names.join(", ")}\npeers: ${peers.join(", ")}`)
    return 0
  }
  const url = process.env["DATABASE_URL"]
  if (!url) throw new Error("There is no database: DATABASE_URL is not set")
  const pid = process.env["MILLRACE_BENCH_SERVER_PID"]
  const server = new Server(url, pid === undefined ? undefined : Number(pid))
  try {
    await server.checkDurable()
    return await measure(server, options)
  } finally {
    await server.close()
  }
}

const measure = async (server: Server, options: Options.Options): Promise<number> => {
  const bench = new Bench(server, options)
  const facts = await Facts.gather(server, options)
  const outcomes: Array<Outcome> = []
  try {
    for (const workload of workloads) {
      if (options.workloads.includes(workload.name)) outcomes.push(await attempt(workload, bench))
    }
  } finally {
    await bench.close()
  }
  const report = render(facts, notesOf(bench), outcomes)
  console.log(report)
  if (options.output !== undefined) writeFileSync(options.output, report)
  return outcomes.some(({ failure }) => failure !== undefined) ? 1 : 0
}

const attempt = async (workload: Workload, bench: Bench): Promise<Outcome> => {
  const began = performance.now()
  const seconds = () => (performance.now() - began) / 1000
  progress(`${workload.name}: ${workload.title}`)
  try {
    const series = await workload.run(bench)
    return { workload, series, seconds: seconds(), failure: undefined }
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error)
    progress(`  FAILED: ${failure}`)
    return { workload, series: [], seconds: seconds(), failure }
  }
}

const notesOf = (bench: Bench): ReadonlyArray<string> => [
  ...Array.from(bench.configurations, ([name, configuration]) => `${name}: ${configuration}`),
  process.env["REDIS_URL"]
    ? "BullMQ: not measured, though REDIS_URL is set: it has no contestant here yet"
    : "BullMQ: not measured, since there is no Redis",
]

process.on("exit", killAll)
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130))
try {
  process.exit(await main())
} catch (error) {
  console.error(`The benchmark cannot run. ${error instanceof Error ? error.message : error}`)
  process.exit(1)
}
