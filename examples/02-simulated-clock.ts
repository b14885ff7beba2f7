/** A week of retries in milliseconds: the job runs on virtual time, with no database. */
import { Backoff, Job, Runs, Worker } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Console, Duration, Effect, Layer, References, Schema } from "effect"
import { TestClock } from "effect/testing"

class SyncLedger extends Job.make("sync_ledger", {
  input: { account: Schema.String },
  error: Schema.Struct({ _tag: Schema.Literal("BankClosed") }),
  maxAttempts: 8,
  backoff: Backoff.exponential({ base: "1 hour", factor: 3, cap: "2 days" }),
}) {}

const bankClosed = SyncLedger.perform(() => Effect.fail({ _tag: "BankClosed" as const }))

const program = Effect.gen(function* () {
  const runId = yield* SyncLedger.enqueue({ account: "NL02 MILL 0123" })
  yield* TestClock.adjust("8 days")
  const run = yield* Runs.get(runId)
  for (const { number, outcome, finishedAt } of run.attempts) {
    const after = Duration.format(Duration.millis(finishedAt - run.enqueuedAt))
    yield* Console.log(`attempt ${number} ${outcome} after ${after}`)
  }
  yield* Console.log(`the run is ${run.state}`)
})

const live = Layer.provideMerge(
  Worker.layer({
    jobs: [bankClosed],
    // Nobody else works here, so there is nothing to look for in between.
    pollInterval: "1 hour",
    lease: "1 hour",
  }),
  MemoryDriver.layer,
)
await Effect.runPromise(program.pipe(
  Effect.provide(Layer.provideMerge(live, TestClock.layer())),
  Effect.provideService(References.MinimumLogLevel, "None"),
))
