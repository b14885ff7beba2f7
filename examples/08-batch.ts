/** A batch of mails, three at a time over all workers, and one report when all have ended. */
import { Batch, Job, Worker } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Console, Effect, Layer, References, Schema } from "effect"

class NoAddress extends Schema.TaggedError<NoAddress>()("NoAddress", { to: Schema.String }) {}

class Mail extends Job.make("mail", {
  input: { to: Schema.String },
  error: NoAddress,
  maxAttempts: 3,
  baseDelay: "10 millis",
  // Another attempt does not mend an address.
  retryable: () => false,
}) {}

class Report extends Job.make("report", { input: Batch.Summary }) {}

const Campaign = Batch.make("campaign", { job: Mail, then: Report })

let running = 0
let most = 0

const mail = Mail.perform(({ to }, { attempt }) =>
  Effect.gen(function* () {
    most = Math.max(most, ++running)
    yield* Effect.sleep("5 millis")
    running--
    if (!to.includes("@")) yield* new NoAddress({ to })
    // The mail server is busy at the first try of every fifth.
    if (to.endsWith("5@example.com") && attempt === 1) yield* Effect.die("the server is busy")
  })
)

const report = Report.perform(({ completed, failed, failures, total }) =>
  Console.log(
    `${total} mails: ${completed} sent, ${failed} not\n` +
      failures.map(({ index, message }) => `number ${index}: ${message}`).join("\n"),
  )
)

const campaign = Campaign.perform({ job: mail, then: report })

// Two workers, as two processes would be; the limit holds for both together.
const workers = [1, 2].map(() =>
  Layer.fresh(Worker.layer({
    flows: [campaign],
    queues: { mail: { concurrency: 10, limits: { concurrency: 3 } } },
  }))
)
const live = Layer.mergeAll(workers[0]!, workers[1]!).pipe(Layer.provideMerge(MemoryDriver.layer))

const program = Effect.gen(function* () {
  const inputs = Array.from({ length: 20 }, (_, n) => ({
    to: n % 8 === 7 ? `nobody ${n}` : `reader${n}@example.com`,
  }))
  const runId = yield* Campaign.start(inputs)
  const before = yield* Campaign.progress(runId)
  yield* Console.log(`${before.open} of ${before.total} mails are to be sent`)
  yield* Campaign.await(runId)
  const after = yield* Campaign.progress(runId)
  yield* Console.log(`${after.open} are left; at most ${most} were sent at a time`)
})

// Only what the program itself says is to be printed.
await Effect.runPromise(
  Effect.provide(program, live).pipe(Effect.provideService(References.MinimumLogLevel, "None")),
)
