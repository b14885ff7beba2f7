import type { Bench } from "../harness/bench.ts"
import type { Mode } from "../harness/orders.ts"
import { peers, slow } from "../contestants/registry.ts"
import { enqueue } from "./enqueueing.ts"
import { ratio, type Workload } from "./workload.ts"

interface Shape {
  readonly name: string
  readonly title: string
  readonly mode: Mode
  readonly callers: number
  readonly full: number
  readonly quick: number
  /** Those that need a second for a thousand get a fifth of the jobs. */
  readonly fewer?: ReadonlyArray<string>
  readonly contestants: ReadonlyArray<string>
  readonly requirements: Workload["requirements"]
}

const make = (shape: Shape): Workload => ({
  name: shape.name,
  title: shape.title,
  run: async (bench) => {
    const series = await bench.alternate(
      contestantsOf(bench, shape).map((contestant) => ({
        name: contestant,
        run: () =>
          enqueue(bench, contestant, {
            mode: shape.mode,
            callers: shape.callers,
            count: countOf(bench.size(shape.full, shape.quick), shape, contestant),
          }),
      })),
    )
    return series.map((one) => ({ ...one, unit: "jobs/s" }))
  },
  requirements: shape.requirements,
})

const countOf = (count: number, { fewer = [] }: Shape, contestant: string): number =>
  fewer.includes(contestant) ? count / 5 : count

const contestantsOf = (bench: Bench, { contestants }: Shape) =>
  contestants.filter((name) => !peers.includes(name) || bench.settings.peers.includes(name))

/** The highest rate of a peer, once all of them that can be fastest were measured. */
const best = (of: (name: string) => number | undefined): number | undefined => {
  const rates = peers.map(of).filter((rate) => rate !== undefined)
  return rates.length === 0 ? undefined : Math.max(...rates)
}

export const concurrent = make({
  name: "enqueue-concurrent",
  title: "24 callers in one process enqueue one job at a time each, without a transaction",
  mode: "one",
  callers: 24,
  full: 40_000,
  quick: 4000,
  fewer: ["graphile-worker", "pg-boss", "effect-mq"],
  contestants: ["millrace", "raw limit", ...peers],
  requirements: [{
    must: "4 × the best peer",
    aim: "0.9 of the limit, which groups calls",
    measured: (of) => ratio(of("millrace"), best(of)),
    atLeast: 4,
  }],
})

export const single = make({
  name: "enqueue-single",
  title: "One caller enqueues one job after the other, without a transaction",
  mode: "one",
  callers: 1,
  full: 2000,
  quick: 500,
  contestants: ["millrace", "raw limit", ...peers],
  requirements: [{
    must: "1 × the best peer",
    aim: "2.5 × pg-boss",
    measured: (of) => ratio(of("millrace"), best(of)),
    atLeast: 1,
  }],
})

export const within = make({
  name: "enqueue-within",
  title: "One caller enqueues one job after the other, each in a transaction with a row of its own",
  mode: "within",
  callers: 1,
  full: 2000,
  quick: 500,
  contestants: ["millrace", ...peers],
  requirements: [{
    must: "1 × the best peer",
    aim: "2.5 × pg-boss",
    measured: (of) => ratio(of("millrace"), best(of)),
    atLeast: 1,
  }],
})

export const bulk = make({
  name: "enqueue-bulk",
  title: "Two callers enqueue 1,000 jobs a statement",
  mode: "many",
  callers: 2,
  full: 200_000,
  quick: 20_000,
  contestants: ["millrace", "raw limit", ...peers.filter((name) => !slow.includes(name))],
  requirements: [{
    must: "1.8 × graphile-worker",
    aim: "0.9 of the limit",
    measured: (of) => ratio(of("millrace"), of("graphile-worker")),
    atLeast: 1.8,
  }],
})
