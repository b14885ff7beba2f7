/** A first job: defined, handled, enqueued, run and looked at, without a database. */
import { Job, Runs, Worker } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Console, Effect, Layer, References, Schema } from "effect"

class CountWords extends Job.make("count_words", {
  input: { text: Schema.String },
  output: { words: Schema.Number },
  error: Schema.Struct({ _tag: Schema.Literal("NotYet") }),
  maxAttempts: 2,
  baseDelay: "10 millis",
}) {}

const countWords = CountWords.perform(({ text }, ctx) =>
  // The first attempt fails, to show that there is a second.
  ctx.attempt === 1
    ? Effect.fail({ _tag: "NotYet" as const })
    : Effect.succeed({ words: text.split(/\s+/).length })
)

const program = Effect.gen(function* () {
  const runId = yield* CountWords.enqueue({ text: "slow water turns the mill" })
  const output = yield* CountWords.await(runId)
  yield* Console.log(`${output.words} words`)
  const run = yield* Runs.get(runId)
  for (const { number, outcome } of run.attempts) {
    yield* Console.log(`attempt ${number}: ${outcome}`)
  }
})

// Only what the program itself says is to be printed.
const live = Layer.provideMerge(Worker.layer({ jobs: [countWords] }), MemoryDriver.layer)
await Effect.runPromise(
  program.pipe(Effect.provide(live), Effect.provideService(References.MinimumLogLevel, "None")),
)
