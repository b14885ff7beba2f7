/** One measurement of enqueueing into empty tables, counted afterwards. */
import type { Bench } from "../harness/bench.ts"
import type { Enqueue } from "../harness/orders.ts"
import type { Sample } from "../model.ts"

export const enqueue = (bench: Bench, contestant: string, options: Enqueue): Promise<Sample> =>
  bench.within({ contestant }, (place) =>
    bench.agent(place, async (agent) => {
      // Connections, plans and compiled code are there before the clock starts.
      const warm = { ...options, count: options.mode === "many" ? 2000 : 200, from: options.count }
      await agent.tell("enqueue", warm)
      const { count } = options
      const sample = await bench.measure(count, () => agent.tell("enqueue", options))
      await bench.check(place, { waiting: count + warm.count })
      if (options.mode === "within") await checkOrders(bench, place.url, count + warm.count)
      return sample
    }))

const checkOrders = async (bench: Bench, url: string, expected: number) => {
  const [row] = await bench.server.query(url, "select count(*) as n from orders")
  if (Number(row!["n"]) !== expected) {
    throw new Error(`Expected ${expected} rows of the caller's own, found ${row!["n"]}`)
  }
}
