import { Driver, Flow, Runs, Worker } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { assertEquals, assertNotEquals } from "@std/assert"
import { Effect, Exit, Layer, Logger, Schema, Scope } from "effect"
import { TestClock } from "effect/testing"
import { describe, it } from "node:test"

const before = Flow.make("greet", { input: Schema.String }).step("hello", { output: Schema.String })
const after = before.step("bye", { needs: ["hello"], output: Schema.String })
const patient = Flow.make("greet", { input: Schema.String, maxAttempts: 9 })
  .step("hello", { output: Schema.String })

const old = before.perform({ hello: (name) => Effect.succeed(`hello ${name}`) })
const young = after.perform({
  hello: (name) => Effect.succeed(`hello ${name}`),
  bye: ({ hello }) => Effect.succeed(`${hello}, bye`),
})

describe("the version of a flow", () => {
  it("changes with its shape, and not with its options", () => {
    assertNotEquals(before.definition.version, after.definition.version)
    assertEquals(before.definition.version, patient.definition.version)
  })

  it("is what a worker has to serve: a run of another one waits, and loses nothing", async () => {
    const said: Array<string> = []
    const logger = Logger.layer([Logger.make(({ message }) => void said.push(String(message)))])
    const serve = (flow: Flow.AnyHandledFlow<never>) =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const live = Worker.layer({ flows: [flow], pollInterval: "1 second" })
        yield* Layer.buildWithScope(Layer.fresh(live), scope)
        return scope
      })
    await Effect.runPromise(
      Effect.gen(function* () {
        const id = yield* before.start("ada")
        const newer = yield* serve(young)
        yield* TestClock.adjust("10 minutes")
        const waits = yield* Runs.get(id)
        assertEquals([waits.state, waits.failure], ["waiting", undefined])
        const driver = yield* Driver.Driver
        const [step] = yield* driver.find({ parents: [id], limit: 1 })
        assertEquals([step?.state, step?.failures], ["ready", 0])
        yield* Scope.close(newer, Exit.void)

        const older = yield* serve(old)
        yield* TestClock.adjust("2 minutes")
        assertEquals((yield* Runs.get(id)).output, `{"hello":"hello ada"}`)
        yield* Scope.close(older, Exit.void)
      }).pipe(
        Effect.provide(
          Layer.mergeAll(MemoryDriver.layer, logger).pipe(Layer.provideMerge(TestClock.layer())),
        ),
      ),
    )
    const missing = said.filter((line) =>
      line.includes(`step "hello" of flow "greet" in version ${before.definition.version}`)
    )
    assertNotEquals(missing, [])
  })

  it("can be served beside another one", async () => {
    const live = Worker.layer({ flows: [old, young] }).pipe(Layer.provideMerge(MemoryDriver.layer))
    const outputs = Effect.all([before.run("ada"), after.run("bob")])
    assertEquals(await Effect.runPromise(Effect.provide(outputs, live)), [
      { hello: "hello ada" },
      { bye: "hello bob, bye" },
    ])
  })
})
