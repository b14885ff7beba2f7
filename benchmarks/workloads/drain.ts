import { ratio, type Workload } from "./workload.ts"
import { drain, shareOf } from "./draining.ts"

const rate = "jobs/s" as const

export const workload: Workload = {
  name: "drain",
  title: "Drain no-op jobs of 100 bytes, analyzed tables",
  run: async (bench) => {
    const all = bench.size(200_000, 20_000)
    const entry = (contestant: string) => ({
      name: contestant,
      run: () => drain(bench, { contestant, count: shareOf(contestant, all) }),
    })
    const traced = {
      name: "millrace, traced",
      run: () => drain(bench, { contestant: "millrace", count: all, traced: true }),
    }
    const entries = ["millrace", "raw limit", ...bench.settings.peers].map(entry)
    return (await bench.alternate([...entries, traced]))
      .map((series) => ({ ...series, unit: rate }))
  },
  requirements: [
    {
      must: "1.8 × graphile-worker",
      aim: "2.5 × graphile-worker, 0.85 of the raw limit",
      measured: (of) => ratio(of("millrace"), of("graphile-worker")),
      atLeast: 1.8,
    },
    {
      must: "1.8 × graphile-worker, with a tracer listening",
      measured: (of) => ratio(of("millrace, traced"), of("graphile-worker")),
      atLeast: 1.8,
    },
    { must: "3 × pg-boss", measured: (of) => ratio(of("millrace"), of("pg-boss")), atLeast: 3 },
  ],
}
