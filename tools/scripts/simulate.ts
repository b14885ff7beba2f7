/**
 * Simulates workers with faults, seed by seed:
 *
 *     npm run simulate -- --seeds 10000 [--from 1] [--workers 3] [--planted | --shop]
 *         [--duration 600000]
 *
 * Prints how much time was simulated, or the trace of the first seed at which something is wrong.
 * `--planted` charges an order again when an attempt is repeated, which has to be found; `--shop`
 * simulates limits, groups, unique runs, schedules, expiry and flows, all at once.
 */
import { Job } from "@millrace/core"
import { Simulation } from "@millrace/testing"
import { Effect, Schema } from "effect"
import { shop } from "./shop.ts"
import process from "node:process"
import { parseArgs } from "node:util"

const Charge = Job.make("charge", {
  input: Schema.Int,
  error: Schema.String,
  maxAttempts: 5,
  maxCrashes: 100,
  baseDelay: "5 seconds",
  timeout: "20 seconds",
})

/** What the bank knows of an order: how often it was charged, and the highest fence that it saw. */
interface Account {
  charges: number
  fence: number
}

const optionsOf = (planted: boolean): Simulation.Options<Map<number, Account>> => ({
  state: () => new Map(),
  within: "1 day",
  jobs: (bank) => [
    Charge.perform((order, ctx) =>
      Effect.gen(function* () {
        yield* Effect.sleep((order % 7) * 500)
        if (order % 5 === 0 && ctx.attempt < 3) return yield* Effect.fail("not yet")
        if (order % 11 === 0 && ctx.attempt < 2) return yield* Effect.never
        const account = bank.get(order) ?? { charges: 0, fence: 0 }
        bank.set(order, account)
        if (ctx.fence < account.fence) return yield* Effect.die("an older fence")
        account.fence = ctx.fence
        // A bank that knows the order takes a charge once, whoever asks again.
        if (planted || account.charges === 0) account.charges++
        yield* Effect.sleep("1 second")
      })
    ),
  ],
  load: () =>
    Effect.gen(function* () {
      for (let order = 1; order <= 300; order++) {
        yield* Charge.enqueue(order, order % 3 === 0 ? { delay: "30 seconds" } : {})
        yield* Effect.sleep("1 second")
      }
    }),
  invariants: {
    "an order is charged once": (bank) => {
      for (const [order, { charges }] of bank) {
        if (charges > 1) return `order ${order} was charged ${charges} times`
      }
      return undefined
    },
  },
})

const count = (name: string, text: string): number => {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= 1_000_000_000) return value
  console.error(`--${name} must be an integer of at least 1, got "${text}"`)
  return process.exit(2)
}

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "100" },
    from: { type: "string", default: "1" },
    workers: { type: "string", default: "3" },
    duration: { type: "string", default: "600000" },
    planted: { type: "boolean", default: false },
    shop: { type: "boolean", default: false },
  },
})
const from = count("from", values.from)
const seeds = Array.from({ length: count("seeds", values.seeds) }, (_, index) => from + index)
const workers = count("workers", values.workers)
const duration = count("duration", values.duration)

const began = performance.now()
const result = await Effect.runPromise(
  Effect.result(
    values.shop
      ? Simulation.explore({ ...shop, workers, seeds, duration })
      : Simulation.explore({ ...optionsOf(values.planted), workers, seeds, duration }),
  ),
)
const seconds = (performance.now() - began) / 1000
if (result._tag === "Failure") {
  const { message, seed, workers, durationMillis } = result.failure
  console.error(message)
  console.error(
    `Or with: npm run simulate -- --from ${seed} --seeds 1 --workers ${workers} ` +
      `--duration ${durationMillis}${values.planted ? " --planted" : values.shop ? " --shop" : ""}`,
  )
  process.exit(1)
}
const { simulatedMillis, faults, hash } = result.success
console.log(
  `${seeds.length} seeds are clean: ${Math.round(simulatedMillis / 3_600_000)} hours simulated ` +
    `with ${faults} faults, ${
      Math.round(simulatedMillis / 1000 / seconds)
    } simulated seconds and ` +
    `${(seeds.length / seconds).toFixed(1)} seeds a second; hash ${hash}`,
)
