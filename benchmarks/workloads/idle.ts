import { setTimeout as sleep } from "node:timers/promises"
import type { Bench, Place } from "../harness/bench.ts"
import { progress } from "../harness/bench.ts"
import type { Series } from "../model.ts"
import type { Workload } from "./workload.ts"

/** A backend tells of its transactions at most this late. */
const settleMillis = 11_000

export const workload: Workload = {
  name: "idle",
  title: "Transactions a second that one worker with nothing to do causes, by the server's count",
  run: async (bench) => {
    const seconds = bench.size(60, 10)
    // Side by side, each in its own database: idle workers do not disturb each other.
    return await Promise.all(
      ["millrace", ...bench.settings.peers].map((name) => measure(bench, name, seconds)),
    )
  },
  requirements: [{
    must: "at most one query a second",
    measured: (of) => of("millrace"),
    atMost: 1,
    unit: "a second",
  }],
}

const measure = (bench: Bench, contestant: string, seconds: number): Promise<Series> =>
  bench.within({ contestant }, async (place: Place) => {
    await bench.server.query(place.url, "analyze")
    return await bench.agent(place, async (agent) => {
      await agent.tell("work", { count: 1 })
      await sleep(settleMillis)
      const before = await bench.server.transactions(place.database)
      await sleep(seconds * 1000)
      const after = await bench.server.transactions(place.database)
      const value = (after - before) / seconds
      progress(`  ${contestant}: ${value}`)
      return { name: contestant, unit: "queries/s", samples: [{ value }] }
    })
  })
