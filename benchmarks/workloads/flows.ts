import { fly, type Shape } from "../contestants/millrace-flows.ts"
import { median } from "../harness/stats.ts"
import { drain } from "./draining.ts"
import { ratio, type Workload } from "./workload.ts"

interface Flown {
  readonly shape: Shape
  readonly size: number
  readonly runs: number
  /** Each connection has to meet each statement once, and small runs take few of them. */
  readonly warmups: number
}

const shapes: ReadonlyArray<Flown> = [
  { shape: "map", size: 100, runs: 50, warmups: 150 },
  { shape: "map", size: 1_000, runs: 10, warmups: 30 },
  { shape: "map", size: 4_000, runs: 6, warmups: 8 },
  { shape: "map", size: 10_000, runs: 6, warmups: 4 },
  { shape: "fan-in", size: 1_000, runs: 10, warmups: 30 },
  { shape: "chain", size: 100, runs: 6, warmups: 4 },
  { shape: "diamond", size: 1_000, runs: 6, warmups: 6 },
]

const nameOf = (shape: Shape, size: number) => `${shape} of ${size}`

/** Tasks a second that pgflow published for maps, by the number of their elements. */
const published = [[100, 264], [1_000, 100], [4_000, 21]] as const

const unrelated = "unrelated jobs"

export const workload: Workload = {
  name: "flows",
  title: "From starting a flow to its output, one run at a time, in tasks a second",
  run: async (bench) => {
    const entries = shapes.map(({ shape, size, runs, warmups }) => ({
      name: nameOf(shape, size),
      run: () =>
        bench.within({ contestant: "millrace" }, async ({ url }) => {
          const third = (times: number) => bench.size(times, Math.ceil(times / 3))
          const times = { runs: third(runs), warmups: third(warmups) }
          const { tasks, seconds } = await fly(url, { shape, size, ...times })
          return { value: tasks / median(seconds), jobs: tasks }
        }),
    }))
    const jobs = {
      name: unrelated,
      run: () => drain(bench, { contestant: "millrace", count: 1_000 }),
    }
    return (await bench.alternate([...entries, jobs]))
      .map((series) => ({ ...series, unit: "jobs/s" as const }))
  },
  requirements: [
    {
      must: "a map of 10,000 at 0.9 of the rate of one of 1,000",
      aim: "1.0",
      measured: (of) => ratio(of(nameOf("map", 10_000)), of(nameOf("map", 1_000))),
      atLeast: 0.9,
    },
    {
      must: "a fan-in of 1,000 at a third of the rate of as many unrelated jobs",
      measured: (of) => ratio(of(nameOf("fan-in", 1_000)), of(unrelated)),
      atLeast: 1 / 3,
    },
    ...published.map(([size, rate]) => ({
      must: `a map of ${size} at 20 × what pgflow published (${rate} tasks a second)`,
      measured: (of: (name: string) => number | undefined) => ratio(of(nameOf("map", size)), rate),
      atLeast: 20,
    })),
  ],
}
