import { Flow, Job, Runs, Worker } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { assertEquals } from "@std/assert"
import { Effect, Fiber, Layer, References, Schema, Stream } from "effect"
import { describe, it } from "node:test"

class Draw extends Flow.make("draw", { input: Schema.Array(Schema.Int) })
  .map("each", { over: "input", output: Schema.Int })
  .step("none", { if: [7] })
  .waitFor("go")
  .step("last", { needs: ["each", "go"], output: Schema.Int }) {}

const draw = Draw.perform({
  each: (n) => Effect.succeed(n),
  none: () => Effect.void,
  last: ({ each }) => Effect.succeed(each.length),
})

class Shout extends Job.make("shout", { input: Schema.String }) {}

const shout = Shout.perform(() => Effect.void)

const live = Worker.layer({ flows: [draw], jobs: [shout] }).pipe(
  Layer.provideMerge(MemoryDriver.layer),
  Layer.provide(Layer.succeed(References.MinimumLogLevel, "None")),
)

const shown = (watched: Runs.Watched) =>
  watched._tag === "Run" ? `run ${watched.run.state}` : `${watched.step.step} ${watched.step.state}`

const seen = (runId: string) =>
  Effect.map(Stream.runCollect(Runs.watch(runId)), (all) => all.map(shown))

describe("Runs.watch", () => {
  it("tells how each step ends, and ends with the run", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const id = yield* Draw.start([1, 2, 3])
        const watching = yield* Effect.forkChild(seen(id), { startImmediately: true })
        yield* Effect.sleep("30 millis")
        yield* Draw.signal(id, "go", undefined)
        const all = yield* Fiber.join(watching)
        assertEquals(all.at(-1), "run completed")
        for (const end of ["each completed", "none skipped", "go completed", "last completed"]) {
          assertEquals(all.filter((one) => one === end).length, 1, end)
        }
      }).pipe(Effect.provide(live)),
    ))

  it("tells of a run that has ended all that there is, once", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const id = yield* Draw.start([1])
        yield* Draw.signal(id, "go", undefined)
        yield* Draw.await(id)
        assertEquals((yield* seen(id)).sort(), [
          "each completed",
          "go completed",
          "last completed",
          "none skipped",
          "run completed",
        ])
      }).pipe(Effect.provide(live)),
    ))

  it("follows a job as well", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const id = yield* Shout.enqueue("hey")
        assertEquals((yield* seen(id)).at(-1), "run completed")
      }).pipe(Effect.provide(live)),
    ))

  it("fails for a run that never was", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const failed = yield* Effect.flip(seen("01910000-1234-7abc-8def-0123456789ab"))
        assertEquals(failed._tag, "RunNotFound")
      }).pipe(Effect.provide(live)),
    ))
})
