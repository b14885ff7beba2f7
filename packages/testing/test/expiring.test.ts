/** What a worker makes of tasks that expire, and of runs of flows that do. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict"
import { describe, it } from "node:test"
import { Driver, Flow, Job, Queues, Runs, Worker } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Simulation } from "@millrace/testing"
import { Effect, Layer, References, Schema } from "effect"
import { TestClock } from "effect/testing"

const quiet = <A, E>(effect: Effect.Effect<A, E, Driver.Driver>) =>
  Effect.runPromise(
    effect.pipe(
      Effect.provideService(References.MinimumLogLevel, "None"),
      Effect.provide(Layer.fresh(MemoryDriver.layer)),
      Effect.provide(TestClock.layer()),
    ),
  )

const Code = Job.make("send_code", { input: Schema.Int, expiresIn: "5 minutes" })

const serving = <A, E>(
  effect: Effect.Effect<A, E, Driver.Driver>,
  options: Worker.Options<ReadonlyArray<Job.AnyHandled<never>>>,
) => Effect.scoped(Effect.andThen(Layer.build(Worker.layer(options)), effect))

describe("a run that expires", () => {
  it("is not begun from its expiry on, and says why", () =>
    quiet(Effect.gen(function* () {
      const begun: Array<number> = []
      const code = Code.perform((n) => Effect.sync(() => void begun.push(n)))
      const late = yield* Code.enqueue(1)
      const longer = yield* Code.enqueue(2, { expiresIn: "1 hour" })
      yield* TestClock.adjust("5 minutes")
      yield* serving(TestClock.adjust("1 second"), { jobs: [code] })
      deepStrictEqual(begun, [2])
      const run = yield* Runs.get(late)
      deepStrictEqual([run.state, run.failure?.reason, run.expiresAt], [
        "cancelled",
        "Expired",
        300_000,
      ])
      deepStrictEqual(run.attempts, [])
      strictEqual((yield* Runs.get(longer)).state, "completed")
    })))

  it("is not begun by a worker that claimed it in time and had no place for it", () =>
    quiet(Effect.gen(function* () {
      const begun: Array<number> = []
      const code = Code.perform((n) =>
        Effect.andThen(Effect.sync(() => void begun.push(n)), Effect.sleep("10 seconds"))
      )
      const ids = yield* Code.enqueueMany([1, 2], { expiresIn: "4 seconds" })
      yield* serving(TestClock.adjust("1 minute"), { jobs: [code], concurrency: 1 })
      deepStrictEqual(begun, [1])
      const states = yield* Effect.forEach(ids, (id) => Runs.get(id))
      deepStrictEqual(states.map(({ state }) => state), ["completed", "cancelled"])
    })))

  it("ends in a paused queue too, within a heartbeat", () =>
    quiet(Effect.gen(function* () {
      yield* Queues.pause("send_code")
      const id = yield* Code.enqueue(1)
      yield* serving(TestClock.adjust("311 seconds"), { jobs: [Code.perform(() => Effect.void)] })
      strictEqual((yield* Runs.get(id)).state, "cancelled")
    })))

  it("runs where somebody retries it", () =>
    quiet(Effect.gen(function* () {
      const id = yield* Code.enqueue(1)
      yield* TestClock.adjust("1 hour")
      const code = Code.perform(() => Effect.void)
      yield* serving(TestClock.adjust("1 second"), { jobs: [code] })
      yield* Runs.retry(id)
      yield* serving(TestClock.adjust("1 second"), { jobs: [code] })
      strictEqual((yield* Runs.get(id)).state, "completed")
    })))

  it("goes on with its attempts once one has begun", () =>
    quiet(Effect.gen(function* () {
      const Flaky = Job.make("flaky", { maxAttempts: 3, baseDelay: "1 hour", expiresIn: 1000 })
      const flaky = Flaky.perform((_, { attempt }) => attempt < 3 ? Effect.die("no") : Effect.void)
      const id = yield* Flaky.enqueue()
      yield* serving(TestClock.adjust("5 hours"), { jobs: [flaky] })
      strictEqual((yield* Runs.get(id)).state, "completed")
    })))
})

describe("a run of a flow that expires", () => {
  const Order = Flow.make("order", { expiresIn: "1 minute" }).step("pack", { undo: true })

  it("ends before any step, and undoes nothing", () =>
    quiet(Effect.gen(function* () {
      let packed = 0
      const order = Order.perform({
        pack: { run: () => Effect.sync(() => void packed++), undo: () => Effect.die("undone") },
      } as never)
      const late = yield* Order.start()
      yield* TestClock.adjust("1 minute")
      const live = Worker.layer({ flows: [order] }) as Layer.Layer<
        Worker.Worker,
        never,
        Driver.Driver
      >
      const intime = yield* Effect.scoped(Effect.gen(function* () {
        yield* Layer.build(live)
        const id = yield* Order.start()
        yield* TestClock.adjust("1 hour")
        return id
      }))
      strictEqual(packed, 1)
      const run = yield* Runs.get(late)
      deepStrictEqual([run.state, run.failure?.reason], ["cancelled", "Expired"])
      strictEqual((yield* Runs.get(intime)).state, "completed")
    })))
})

describe("in the simulation", () => {
  const Brief = Job.make("brief", { input: Schema.Int, expiresIn: "20 seconds", maxAttempts: 3 })
  const options: Simulation.Options<undefined> = {
    jobs: () => [
      Brief.perform((n, { attempt }) =>
        Effect.andThen(
          Effect.sleep((n % 5) * 2000),
          n % 7 === 0 && attempt < 2 ? Effect.die("not yet") : Effect.void,
        )
      ),
    ],
    load: () =>
      Effect.gen(function* () {
        for (let n = 0; n < 60; n++) {
          yield* Brief.enqueue(n, n % 4 === 0 ? { delay: "15 seconds" } : {})
          if (n % 3 === 0) yield* Effect.sleep("2 seconds")
        }
      }),
    worker: { concurrency: 1 },
  }

  it("no handler begins after the expiry of its run, whatever strikes", async () => {
    const report = await Effect.runPromise(Simulation.explore({ ...options, seeds: 30 }))
    ok(report.faults > 30, `only ${report.faults} faults`)
  })
})
