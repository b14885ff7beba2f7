import type { Sample, Series } from "../model.ts"
import { percentile } from "../harness/stats.ts"
import { ratio, type Workload } from "./workload.ts"

const gapMillis = 20
const shares = [["p50", 0.5], ["p99", 0.99]] as const

export const workload: Workload = {
  name: "latency",
  title: "From the call that enqueues to the start of the handler, on an idle worker",
  run: async (bench) => {
    // So many in all, and as many in each round.
    const samples = Math.ceil(bench.size(500, 75) / bench.settings.rounds)
    const names = ["millrace", ...bench.settings.peers]
    const found = new Map<string, Array<Sample>>()
    await bench.alternate(names.map((contestant) => ({
      name: contestant,
      run: () =>
        bench.within({ contestant }, (place) =>
          bench.agent(place, async (agent) => {
            // A peer that only polls needs its poll's time for each.
            const count = polling.includes(contestant) ? Math.ceil(samples / 25) : samples
            const millis = await agent.tell("latency", { samples: count, gapMillis })
            for (const [name, share] of shares) {
              const key = `${contestant}, ${name}`
              const value = percentile(millis, share)
              found.set(key, [...found.get(key) ?? [], { value, jobs: count }])
            }
            return { value: percentile(millis, 0.5) }
          })),
    })))
    return [...found].map(([name, samples]): Series => ({ name, unit: "ms", samples }))
  },
  requirements: [
    {
      must: "p50 at most 0.7 of graphile-worker's",
      aim: "below BullMQ on Redis",
      measured: (of) => ratio(of("millrace, p50"), of("graphile-worker, p50")),
      atMost: 0.7,
    },
    {
      must: "p99 at most 0.7 of graphile-worker's",
      aim: "below BullMQ on Redis",
      measured: (of) => ratio(of("millrace, p99"), of("graphile-worker, p99")),
      atMost: 0.7,
    },
  ],
}

const polling = ["PersistedQueue", "effect-mq"]
