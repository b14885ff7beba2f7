import type { Bench } from "../harness/bench.ts"
import { drain } from "./draining.ts"
import { enqueue } from "./enqueueing.ts"
import { ratio, type Workload } from "./workload.ts"

const plain = "millrace"
const groups = "millrace, FIFO groups"
const keys = "millrace, unique keys"

/** What a limit costs a queue that is drained. */
export const draining: Workload = {
  name: "drain-limited",
  title: "Drain no-op jobs of a queue with a limit over all workers, analyzed tables",
  run: (bench) => drained(bench, [plain, "millrace, limited"]),
  requirements: [
    {
      must: "0.6 of the plain rate, with a limit",
      measured: (of) => ratio(of("millrace, limited"), of(plain)),
      atLeast: 0.6,
    },
  ],
}

const fifoPeers = ["graphile-worker, named queues", "pg-boss, strict FIFO"]

/** What order costs: of each key one job at a time. */
export const ordered: Workload = {
  name: "drain-groups",
  title: "Drain no-op jobs of 2,000 FIFO groups, of each one at a time and in order",
  run: (bench) => drained(bench, [plain, groups, ...ofPeers(bench, fifoPeers)]),
  requirements: [fasterThan(groups, fifoPeers)],
}

const keyPeers = ["graphile-worker, job keys", "pg-boss, singleton keys"]

/** What unique keys cost. */
export const enqueueing: Workload = {
  name: "enqueue-unique",
  title: "2 callers enqueue 1,000 jobs at a time, each job with a unique key",
  run: async (bench) => {
    const contestants = [plain, keys, groups, ...ofPeers(bench, keyPeers)]
    const series = await bench.alternate(contestants.map((contestant) => ({
      name: contestant,
      run: () =>
        enqueue(bench, contestant, {
          mode: "many",
          callers: 2,
          count: bench.size(60_000, 10_000),
        }),
    })))
    return series.map((one) => ({ ...one, unit: "jobs/s" }))
  },
  requirements: [fasterThan(keys, keyPeers)],
}

const drained = async (bench: Bench, contestants: ReadonlyArray<string>) => {
  const count = bench.size(60_000, 10_000)
  const series = await bench.alternate(contestants.map((contestant) => ({
    name: contestant,
    run: () => drain(bench, { contestant, count }),
  })))
  return series.map((one) => ({ ...one, unit: "jobs/s" as const }))
}

/** The variants of the peers that take part. */
const ofPeers = (bench: Bench, variants: ReadonlyArray<string>) =>
  variants.filter((name) => bench.settings.peers.includes(name.split(",")[0]!))

function fasterThan(ours: string, theirs: ReadonlyArray<string>) {
  return {
    must: "the fastest peer with the same promise",
    measured: (of: (name: string) => number | undefined) => {
      const rates = theirs.flatMap((name) => of(name) ?? [])
      return ratio(of(ours), rates.length === 0 ? undefined : Math.max(...rates))
    },
    atLeast: 1,
  }
}
