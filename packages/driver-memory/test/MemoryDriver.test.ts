import { Driver, Job, Runs } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { assertEquals } from "@std/assert"
import { Effect, Layer, Schema } from "effect"
import { describe, it } from "node:test"

const Greet = Job.make("greet", { input: { name: Schema.String } })

describe("the memory driver", () => {
  it("has an empty store for each time that its layer is built", async () => {
    const count = Effect.gen(function* () {
      yield* Greet.enqueue({ name: "Ada" })
      const driver = yield* Driver.Driver
      return (yield* driver.find({ limit: 10 })).length
    })
    for (let turn = 0; turn < 2; turn++) {
      const found = Effect.provide(count, Layer.fresh(MemoryDriver.layer))
      assertEquals(await Effect.runPromise(found), 1)
    }
  })

  it("is one store for all that share its layer", async () => {
    const both = Effect.gen(function* () {
      const runId = yield* Greet.enqueue({ name: "Ada" })
      return [runId, (yield* Runs.get(runId)).id]
    })
    const [enqueued, found] = await Effect.runPromise(Effect.provide(both, MemoryDriver.layer))
    assertEquals(found, enqueued)
  })

  it("is gone with its layer, and tells its name", async () => {
    const driver = await Effect.runPromise(MemoryDriver.make)
    assertEquals(driver.name, "memory")
    assertEquals(await Effect.runPromise(driver.find({ limit: 10 })), [])
  })
})
