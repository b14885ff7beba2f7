import { deepStrictEqual } from "node:assert/strict"
import { describe, it } from "node:test"
import { Job, Worker } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Effect, Layer, Schema } from "effect"

describe("the worker", () => {
  it("runs a job and answers its output", async () => {
    const Double = Job.make("double", { input: Schema.Number, output: Schema.Number })
    const double = Double.perform((n) => Effect.succeed(n * 2))
    const live = Layer.provideMerge(Worker.layer({ jobs: [double] }), MemoryDriver.layer)
    deepStrictEqual(await Effect.runPromise(Effect.provide(Double.run(21), live)), 42)
  })
})
