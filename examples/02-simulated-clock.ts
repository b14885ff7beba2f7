/** A week of retries in milliseconds: the job runs on virtual time, with no database. */
import { Backoff, Job } from "@millrace/core"
import { JobTest } from "@millrace/testing"
import { Console, DateTime, Duration, Effect, References, Schema } from "effect"

class SyncLedger extends Job.make("sync_ledger", {
  input: { account: Schema.String },
  output: { entries: Schema.Int },
  error: Schema.Struct({ _tag: Schema.Literal("BankClosed") }),
  maxAttempts: 8,
  backoff: Backoff.exponential({ base: "1 hour", factor: 3, cap: "2 days" }),
}) {}

const syncLedger = SyncLedger.perform((_, ctx) =>
  // The bank is closed for as long as there is another attempt.
  ctx.attempt < ctx.maxAttempts
    ? Effect.fail({ _tag: "BankClosed" as const })
    : Effect.succeed({ entries: 12 })
)

const program = Effect.gen(function* () {
  // On a memory driver and a `TestClock` of its own, which begins at the start of 1970.
  const runs = yield* JobTest.drain(syncLedger, [{ account: "NL02 MILL 0123" }])
  for (const { state, output, attempts, enqueuedAt } of runs) {
    for (const { number, outcome, startedAt = 0 } of attempts) {
      const instant = DateTime.formatIso(DateTime.makeUnsafe(startedAt))
      const after = Duration.format(Duration.millis(startedAt - enqueuedAt))
      yield* Console.log(`${instant} attempt ${number} ${outcome}, ${after} after the enqueue`)
    }
    yield* Console.log(`the run is ${state}, with ${output?.entries} entries`)
  }
})

// Only what the program itself says is to be printed.
await Effect.runPromise(Effect.provideService(program, References.MinimumLogLevel, "None"))
