import type { Bench, Place } from "../harness/bench.ts"
import { drain } from "./draining.ts"
import { ratio, type Workload } from "./workload.ts"

export const workload: Workload = {
  name: "drain-others",
  title: "The same drain among others: half of them wait in another queue, half are due tomorrow",
  run: async (bench) => {
    const count = bench.size(200_000, 20_000)
    const others = bench.size(1_000_000, 50_000)
    return await bench.within({ contestant: "millrace" }, async (crowd) => {
      await addOthers(bench, crowd, others)
      const crowded = (name: string, traced: boolean) => ({
        name,
        run: () => drain(bench, { contestant: "millrace", count, traced, copyOf: crowd, others }),
      })
      const series = await bench.alternate([
        crowded(`millrace, ${others.toLocaleString("en-US")} others`, false),
        { name: "millrace, alone", run: () => drain(bench, { contestant: "millrace", count }) },
        crowded("millrace, others, traced", true),
      ])
      return series.map((one) => ({
        ...one,
        name: one.name.replace(/[\d,]+ others/, "others"),
        unit: "jobs/s",
      }))
    })
  },
  requirements: [{
    must: "0.85 of our own rate",
    aim: "0.95",
    measured: (of) => ratio(of("millrace, others"), of("millrace, alone")),
    atLeast: 0.85,
  }],
}

const addOthers = async (bench: Bench, place: Place, others: number): Promise<void> => {
  await bench.agent(place, async (agent) => {
    for (const kind of ["other", "future"] as const) {
      await agent.tell("enqueue", { mode: "many", count: others / 2, callers: 2, kind })
    }
  })
  await bench.check(place, { waiting: others })
}
