import { drain } from "./draining.ts"
import { enqueue } from "./enqueueing.ts"
import { ratio, type Workload } from "./workload.ts"

const plain = "millrace"

/** What a limit and FIFO groups cost a queue that is drained. */
export const draining: Workload = {
  name: "drain-limited",
  title: "Drain no-op jobs of a queue with a limit, and of FIFO groups, analyzed tables",
  run: async (bench) => {
    const count = bench.size(100_000, 20_000)
    const series = await bench.alternate(
      [plain, "millrace, limited", "millrace, FIFO groups"].map((contestant) => ({
        name: contestant,
        run: () => drain(bench, { contestant, count }),
      })),
    )
    return series.map((one) => ({ ...one, unit: "jobs/s" }))
  },
  requirements: [
    {
      must: "0.6 of the plain rate, with a limit",
      measured: (of) => ratio(of("millrace, limited"), of(plain)),
      atLeast: 0.6,
    },
  ],
}

/** What unique keys cost. */
export const enqueueing: Workload = {
  name: "enqueue-unique",
  title: "2 callers enqueue 1,000 jobs at a time, each job with a unique key",
  run: async (bench) => {
    const series = await bench.alternate(
      [plain, "millrace, unique keys", "millrace, FIFO groups"].map((contestant) => ({
        name: contestant,
        run: () =>
          enqueue(bench, contestant, {
            mode: "many",
            callers: 2,
            count: bench.size(100_000, 20_000),
          }),
      })),
    )
    return series.map((one) => ({ ...one, unit: "jobs/s" }))
  },
  requirements: [],
}
