/** The rows of the parity table that need a worker. */
import { AttemptContext, type Driver, Job, Runs, Worker } from "@millrace/core"
import { assertEquals } from "@std/assert"
import { Effect, Layer, References, Schema } from "effect"
import type { ParityCase } from "./parity.ts"

/** Serves jobs while an effect runs, without a word. */
const served = <A, E>(
  jobs: ReadonlyArray<Job.AnyHandled<never>>,
  effect: Effect.Effect<A, E, Driver.Driver>,
) =>
  effect.pipe(
    Effect.provide(Layer.fresh(Worker.layer({ jobs, pollInterval: "100 millis" }))),
    Effect.provideService(References.MinimumLogLevel, "None"),
  )

export const workerRows: ReadonlyArray<ParityCase> = [
  {
    name: "timeout: interrupts the fiber of the handler, whose finalizers run",
    run: Effect.gen(function* () {
      const Stuck = Job.make("stuck", { timeout: "50 millis" })
      let released = 0
      const stuck = Stuck.perform(() =>
        Effect.ensuring(Effect.never, Effect.sync(() => void released++))
      )
      const error = yield* served([stuck], Effect.flip(Stuck.run(undefined)))
      assertEquals(error._tag === "RunFailed" ? error.reason : error._tag, "TimedOut")
      assertEquals(released, 1)
    }),
  },
  {
    name: "ctx: tells a real attempt its run, step, number and input, and grows its fence",
    run: Effect.gen(function* () {
      const Told = Job.make("told", {
        input: Schema.Int,
        error: Schema.String,
        maxAttempts: 2,
        baseDelay: "1 millis",
      })
      const seen: Array<AttemptContext["Service"]> = []
      const told = Told.perform("tell", (_, ctx) =>
        Effect.gen(function* () {
          assertEquals(yield* AttemptContext, ctx)
          seen.push(ctx)
          if (ctx.attempt === 1) yield* Effect.fail("once more")
        }))
      const run = yield* served(
        [told],
        Effect.gen(function* () {
          const runId = yield* Told.enqueue(7)
          yield* Told.await(runId)
          return yield* Runs.get(runId)
        }),
      )
      assertEquals(seen.map(({ attempt, fence }) => [attempt, fence]), [[1, 1], [2, 2]])
      const { runId, flow, step, index, maxAttempts, queue, enqueuedAt, input } = seen[1]!
      assertEquals([runId, flow, step, index], [run.id, "told", "tell", 0])
      assertEquals([maxAttempts, queue, enqueuedAt, input], [2, "told", run.enqueuedAt, 7])
    }),
  },
]
