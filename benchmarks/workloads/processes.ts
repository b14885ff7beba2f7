import { cpus } from "node:os"
import { setTimeout as sleep } from "node:timers/promises"
import { AgentProcess } from "../harness/agent-process.ts"
import type { Bench, Place } from "../harness/bench.ts"
import type { Sample, Series } from "../model.ts"
import { checkRuns } from "./draining.ts"
import type { Workload } from "./workload.ts"

const pollMillis = 10
const patienceMillis = 120_000

export const workload: Workload = {
  name: "processes",
  title: "Enqueue and drain at once: one process enqueues in bulk, one, two or four work",
  run: async (bench) => {
    const count = bench.size(60_000, 10_000)
    const entries = ["millrace", ...bench.peersOf(["graphile-worker"])].flatMap((contestant) =>
      [1, 2, 4].map((workers) => ({ contestant, workers, name: `${contestant}, ${workers}` }))
    )
    const busy = new Map<string, Array<Sample>>()
    const rates = await bench.alternate(entries.map(({ name, contestant, workers }) => ({
      name,
      run: async () => {
        const { sample, cores } = await measure(bench, contestant, workers, count)
        busy.set(name, [...busy.get(name) ?? [], { value: cores }])
        return sample
      },
    })))
    return [
      ...rates.map((one): Series => ({ ...one, unit: "jobs/s" })),
      ...[...busy].map(([name, samples]): Series => ({
        name: `${name}, cores in use`,
        unit: "cores",
        samples,
      })),
    ]
  },
  requirements: [{
    // Where the machine is full at one process already, more cannot be faster, and must not lose.
    must: `scales until the CPU is full: four as fast as one, or ${full()} cores in use`,
    measured: (of) => {
      const [one, four, cores] = [of("millrace, 1"), of("millrace, 4"), of(busyWithFour)]
      if (one === undefined || four === undefined) return undefined
      return Math.max(four / one, cores === undefined ? 0 : cores / full())
    },
    atLeast: 1,
  }],
}

const busyWithFour = "millrace, 4, cores in use"

function full(): number {
  return 0.85 * cpus().length
}

const measure = (bench: Bench, contestant: string, workers: number, count: number) =>
  bench.within({ contestant }, async (place) => {
    await bench.server.query(place.url, "analyze")
    const agents = await startAll(place, workers + 1)
    try {
      const [source, ...rest] = agents as [AgentProcess, ...Array<AgentProcess>]
      const before = await cpuOf(agents)
      const sample = await bench.measure(count, () => flow(source, rest, count))
      await bench.check(place, { waiting: 0, history: count })
      const workerCpu = await cpuOf(agents) - before
      const { serverCpu, seconds } = sample
      const cores = (workerCpu + (serverCpu ?? 0)) / seconds
      return { sample: { ...sample, workerCpu }, cores }
    } finally {
      await Promise.all(agents.map((agent) => agent.end()))
    }
  })

const startAll = ({ contestant, url }: Place, count: number) =>
  Promise.all(Array.from({ length: count }, () => AgentProcess.start(contestant, url)))

const flow = async (
  source: AgentProcess,
  workers: ReadonlyArray<AgentProcess>,
  count: number,
) => {
  await Promise.all(workers.map((agent) => agent.tell("work", { count })))
  const began = performance.now()
  await source.tell("enqueue", { mode: "many", count, callers: 2 })
  while (true) {
    const ran = await Promise.all(workers.map((agent) => agent.tell("ran")))
    if (ran.reduce((sum, n) => sum + n, 0) >= count) break
    if (performance.now() - began > patienceMillis) throw new Error(`Only ${ran} jobs ran`)
    await sleep(pollMillis)
  }
  const ended = await Promise.all(workers.map((agent) => agent.tell("stop")))
  const seconds = (performance.now() - began) / 1000
  checkRuns(
    `${workers.length} processes`,
    count,
    ended.reduce((sum, { ran, repeated }) => ({
      ran: sum.ran + ran,
      repeated: sum.repeated + repeated,
    })),
  )
  return { seconds, cpu: 0 }
}

const cpuOf = async (agents: ReadonlyArray<AgentProcess>) =>
  (await Promise.all(agents.map((agent) => agent.tell("usage"))))
    .reduce((sum, { cpu }) => sum + cpu, 0)
