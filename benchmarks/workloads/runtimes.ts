import { drain } from "./draining.ts"
import { ratio, type Workload } from "./workload.ts"

export const workload: Workload = {
  name: "runtimes",
  title: "The drain on Deno against Bun",
  run: async (bench) => {
    const count = bench.size(200_000, 20_000)
    const series = await bench.alternate((["bun", "deno"] as const).map((runtime) => ({
      name: `millrace, ${runtime}`,
      run: () => drain(bench, { contestant: "millrace", count, runtime }),
    })))
    return series.map((one) => ({ ...one, unit: "jobs/s" }))
  },
  requirements: [{
    must: "Deno at 0.7 of Bun",
    aim: "0.9",
    measured: (of) => ratio(of("millrace, deno"), of("millrace, bun")),
    atLeast: 0.7,
  }],
}
