import { drain, shareOf } from "./draining.ts"
import { ratio, type Workload } from "./workload.ts"

export const workload: Workload = {
  name: "drain-never-analyzed",
  title: "The same drain on tables that nobody ever analyzed, with autovacuum off for them",
  run: async (bench) => {
    const all = bench.size(200_000, 20_000)
    const ours = (name: string, analyzed: boolean, traced = false) => ({
      name,
      run: () => drain(bench, { contestant: "millrace", count: all, analyzed, traced }),
    })
    const theirs = bench.peersOf(["graphile-worker", "pg-boss"]).map((contestant) => ({
      name: contestant,
      // Some fall so far that a fifth of the jobs says enough.
      run: () => drain(bench, { contestant, count: shareOf(contestant, all / 5), analyzed: false }),
    }))
    const series = await bench.alternate([
      ours("millrace", false),
      ours("millrace, traced", false, true),
      ours("millrace, analyzed", true),
      ...theirs,
    ])
    return series.map((one) => ({ ...one, unit: "jobs/s" }))
  },
  requirements: [{
    must: "0.9 of our analyzed rate",
    aim: "1.0",
    measured: (of) => ratio(of("millrace"), of("millrace, analyzed")),
    atLeast: 0.9,
  }],
}
