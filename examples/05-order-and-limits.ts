/** Payments in the order of each account, two at a time over all workers, and one report of many. */
import { Job, Queues, Worker } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Console, Effect, Layer, References, Schema } from "effect"

class Payment extends Job.make("payment", {
  input: { account: Schema.String, cents: Schema.Int },
  maxAttempts: 3,
  baseDelay: "20 millis",
  // Of one account one payment at a time, in order; one that fails holds up those behind it.
  group: ({ account }) => account,
}) {}

class Report extends Job.make("report", {
  input: { account: Schema.String },
  // However often it is asked for: one report for each account, until it has been made.
  unique: { key: ({ account }) => account },
}) {}

const balances = new Map<string, Array<number>>()
let running = 0
let most = 0

const payment = Payment.perform(({ account, cents }, { attempt }) =>
  Effect.gen(function* () {
    most = Math.max(most, ++running)
    yield* Effect.sleep("5 millis")
    running--
    // The bank is busy at the first try of every payment of 300 cents.
    if (cents === 300 && attempt === 1) yield* Effect.die("the bank is busy")
    balances.set(account, [...balances.get(account) ?? [], cents])
  })
)

const report = Report.perform(({ account }) =>
  Console.log(`report of ${account}: ${balances.get(account)!.join(", ")}`)
)

// Two workers, as two processes would be; the limit holds for both together.
const workers = [1, 2].map(() =>
  Layer.fresh(Worker.layer({
    jobs: [payment, report],
    queues: { payment: { concurrency: 10, limits: { concurrency: 2 } } },
  }))
)
const live = Layer.mergeAll(workers[0]!, workers[1]!).pipe(Layer.provideMerge(MemoryDriver.layer))

const program = Effect.gen(function* () {
  const accounts = ["ada", "bob", "eve"]
  const ids = yield* Payment.enqueueMany(
    [100, 200, 300, 400].flatMap((cents) => accounts.map((account) => ({ account, cents }))),
  )
  yield* Effect.forEach(ids, (id) => Payment.await(id))
  yield* Console.log(`at most ${most} payments at a time`)
  for (const account of accounts) {
    const first = yield* Report.enqueue({ account }, { delay: "50 millis" })
    const second = yield* Report.enqueue({ account })
    yield* Console.log(`one report of ${account}: ${first === second}`)
    yield* Report.await(first)
  }
  const limits = yield* Queues.limits("payment")
  yield* Console.log(`the limits are stored: ${JSON.stringify(limits)}`)
})

// Only what the program itself says is to be printed.
await Effect.runPromise(
  Effect.provide(program, live).pipe(Effect.provideService(References.MinimumLogLevel, "None")),
)
