/**
 * A simulated shop that uses all of Millrace at once: limits, rates, FIFO groups, unique runs,
 * schedules, runs that expire, flows with maps, signals and undoing, cancels and retries by hand.
 */
import { Flow, Job, Runs } from "@millrace/core"
import { type Simulation } from "@millrace/testing"
import { Effect, Random, Schema } from "effect"

const orders = 30
const customers = ["ada", "bob", "eve"] as const
const Order = { customer: Schema.Literals(customers), order: Schema.Int }

const byCustomer = ({ customer }: { readonly customer: string }) => customer

/** Its queue has a limit, a rate, and no more than one at a time for each customer. */
const Ship = Job.make("ship", {
  input: Order,
  maxAttempts: 4,
  maxCrashes: 50,
  baseDelay: "3 seconds",
  group: byCustomer,
})

/** However often it is asked for, a customer is reminded once the asking has stopped. */
const Remind = Job.make("remind", {
  input: Order,
  maxCrashes: 50,
  unique: { key: byCustomer, onClash: "debounce", period: "20 seconds" },
})

/** One index at a time for each customer. */
const Index = Job.make("index", {
  input: Order,
  maxCrashes: 50,
  unique: { key: byCustomer },
})

/** Worth nothing when it comes late. */
const Offer = Job.make("offer", { input: Order, maxCrashes: 50, expiresIn: "15 seconds" })

const Report = Job.make("report", {
  maxCrashes: 50,
  schedule: { cron: "* * * * *", misfire: "latest" },
})

class Sell extends Flow.make("sell", {
  input: { order: Schema.Int, parts: Schema.Array(Schema.Int) },
  maxAttempts: 3,
  maxCrashes: 50,
  baseDelay: "2 seconds",
})
  .step("reserve", { output: Schema.Int, undo: true })
  .map("pack", { over: "input.parts", output: Schema.Int })
  .waitFor("approve", { output: Schema.Boolean, timeout: "1 minute" })
  .step("invoice", { needs: ["reserve", "pack", "approve"] }) {}

const busy = Effect.flatMap(
  Random.nextIntBetween(1, 5),
  (seconds) => Effect.sleep(`${seconds} seconds`),
)

const jobs = [
  Ship.perform(({ order }, { attempt }) =>
    order % 5 === 0 && attempt === 1 ? Effect.die("no driver") : busy
  ),
  Remind.perform(() => busy),
  Index.perform(() => busy),
  Offer.perform(() => Effect.void),
  Report.perform(() => Effect.void),
]

const flows = [
  Sell.perform({
    reserve: { run: ({ order }) => Effect.succeed(order), undo: () => busy },
    pack: (part) => part % 13 === 0 ? Effect.die("out of stock") : Effect.as(busy, part),
    invoice: () => busy,
  }),
]

const trade = Effect.gen(function* () {
  for (let order = 0; order < orders; order++) {
    const customer = customers[order % customers.length]!
    const one = { customer, order } as const
    const shipping = yield* Ship.enqueue(one)
    yield* Remind.enqueue(one)
    yield* Index.enqueue(one)
    yield* Offer.enqueue(one)
    if (order % 6 === 0) {
      const sale = yield* Sell.start({ order, parts: [order, order + 1, order + 2] })
      if (order % 12 === 0) yield* Effect.exit(Sell.signal(sale, "approve", true))
      if (order % 18 === 0) yield* Runs.cancel(sale)
    }
    if (order % 20 === 7) yield* Runs.cancel(shipping)
    if (order % 20 === 9) yield* Runs.reschedule(shipping, { delay: "30 seconds" })
    if (order % 20 === 8) yield* Runs.retry(yield* Ship.enqueue(one))
    yield* Effect.sleep("4 seconds")
  }
})

/** The shop, to be explored: what must hold is what Millrace promises. */
export const shop: Simulation.Options<undefined> = {
  jobs: () => jobs,
  flows: () => flows,
  worker: {
    queues: {
      ship: {
        limits: {
          concurrency: 2,
          rate: { count: 30, per: "1 minute", burst: 3 },
          perKey: { concurrency: 1, onFailure: "block" },
        },
      },
    },
  },
  load: () => trade,
  // What has not ended by then never will, and is soon said.
  within: "1 day",
}
