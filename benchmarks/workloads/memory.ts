import { AgentProcess } from "../harness/agent-process.ts"
import { progress } from "../harness/bench.ts"
import type { Sample, Series } from "../model.ts"
import { checkRuns } from "./draining.ts"
import { ratio, type Workload } from "./workload.ts"

const parts = 10
const warmParts = 2

export const workload: Workload = {
  name: "memory",
  title: "One process drains a million jobs, a tenth at a time, and keeps the history",
  run: (bench) =>
    bench.within({ contestant: "millrace" }, async (place) => {
      const part = bench.size(1_000_000, 100_000) / parts
      const source = await AgentProcess.start("millrace", place.url)
      const worker = await AgentProcess.start("millrace", place.url)
      const resident: Array<Sample> = []
      const rates: Array<Sample> = []
      try {
        for (let index = 0; index < parts; index++) {
          await source.tell("enqueue", { mode: "many", count: part, callers: 2 })
          const sample = await bench.measure(part, () => worker.tell("drain", { count: part }))
          checkRuns("millrace", part, sample)
          rates.push(sample)
          const { rss } = await worker.tell("usage")
          resident.push({ value: rss / 2 ** 20 })
          progress(
            `  after ${(index + 1) * part}: ${Math.round(sample.value)} jobs/s, ` +
              `${Math.round(rss / 2 ** 20)} MB`,
          )
        }
        await bench.check(place, { waiting: 0, history: parts * part })
      } finally {
        await Promise.all([source.end(), worker.end()])
      }
      return [
        series(`memory after ${warmParts} tenths`, "MB", [resident[warmParts - 1]!]),
        series("memory after all", "MB", [resident.at(-1)!]),
        series("rate of tenths 2 to 4", "jobs/s", rates.slice(1, 4)),
        series("rate of tenths 8 to 10", "jobs/s", rates.slice(-3)),
      ]
    }),
  requirements: [
    {
      must: "memory after all at most 1.15 of that after two tenths",
      measured: (of) => ratio(of("memory after all"), of(`memory after ${warmParts} tenths`)),
      atMost: 1.15,
    },
    {
      must: "the same time a job with ten times the history: 0.9 of the rate",
      measured: (of) => ratio(of("rate of tenths 8 to 10"), of("rate of tenths 2 to 4")),
      atLeast: 0.9,
    },
  ],
}

const series = (name: string, unit: Series["unit"], samples: ReadonlyArray<Sample>): Series => ({
  name,
  unit,
  samples,
})
