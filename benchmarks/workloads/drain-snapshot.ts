import type { Bench } from "../harness/bench.ts"
import type { Sample, Series } from "../model.ts"
import { drain } from "./draining.ts"
import type { Workload } from "./workload.ts"

const window = 10_000

export const workload: Workload = {
  name: "drain-snapshot",
  title: "Drain while another session holds a snapshot, taken before the first claim; then the " +
    "last 10,000 against the first",
  run: async (bench) => {
    const count = bench.size(300_000, 40_000)
    const entries = [
      ["millrace", "millrace", false],
      ["millrace, traced", "millrace", true],
      ...bench.peersOf(["graphile-worker", "pg-boss"]).map((name) => [name, name, false] as const),
    ] as const
    const found = entries.map(([name]) => ({ name, whole: [] as Sample[], ends: [] as Sample[] }))
    await bench.alternate(entries.map(([name, contestant, traced], index) => ({
      name,
      run: async () => {
        // What a peer loses shows in a third of the jobs, and more of them take it long.
        const jobs = contestant === "millrace" ? count : bench.size(100_000, 40_000)
        const sample = await pinned(bench, contestant, jobs, traced)
        found[index]!.whole.push(sample)
        found[index]!.ends.push({ value: endsOf(sample.marks) })
        return sample
      },
    })))
    return [
      ...found.map(({ name, whole }): Series => ({ name, unit: "jobs/s", samples: whole })),
      ...found.map(({ name, ends }): Series => ({
        name: `${name}, last of first`,
        unit: "ratio",
        samples: ends,
      })),
    ]
  },
  requirements: [{
    must: "last 10,000 at 0.9 of the first",
    aim: "1.0",
    measured: (of) => of("millrace, last of first"),
    atLeast: 0.9,
  }],
}

const pinned = (bench: Bench, contestant: string, count: number, traced: boolean) =>
  drain(bench, {
    contestant,
    count,
    traced,
    beside: (place) => bench.server.holdSnapshot(place.url),
  })

/**
 * The rate of the last window, of that of the first. A process is slow until it is warm, so the
 * first window is the second 10,000: to leave those out would be to compare with a slower one.
 */
const endsOf = (marks: ReadonlyArray<number>): number => {
  const length = (index: number) => marks[index]! - (marks[index - 1] ?? 0)
  if (marks.length < 3) throw new Error(`${marks.length * window} jobs have no first and last`)
  return length(1) / length(marks.length - 1)
}
