/** What workers remove of runs that have ended. */
import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict"
import { describe, it } from "node:test"
import { Driver, DriverError, Flow, Job, Worker } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Effect, Layer, References, Schema } from "effect"
import { TestClock } from "effect/testing"

type Requests = Array<Driver.PruneRequest>

const withDriver = <A, E>(
  body: (requests: Requests, faults: { lose: number }) => Effect.Effect<A, E, Driver.Driver>,
) => {
  const requests: Requests = []
  const faults = { lose: 0 }
  const noted = Layer.effect(
    Driver.Driver,
    Effect.map(MemoryDriver.make, (driver) =>
      Driver.Driver.of({
        ...driver,
        prune: (request) =>
          Effect.suspend(() => {
            requests.push(request)
            return faults.lose-- > 0
              ? Effect.fail(DriverError.unavailable("prune", "the test says so"))
              : driver.prune(request)
          }),
      })),
  )
  return Effect.runPromise(
    Effect.suspend(() => body(requests, faults)).pipe(
      Effect.provideService(References.MinimumLogLevel, "None"),
      Effect.provide(noted),
      Effect.provide(TestClock.layer()),
    ),
  )
}

const serving = <A, E>(
  options: Worker.Options<ReadonlyArray<Job.AnyHandled<never>>>,
  effect: Effect.Effect<A, E, Driver.Driver>,
) => Effect.scoped(Effect.andThen(Layer.build(Worker.layer(options)), effect))

const count = (flow: string) =>
  Effect.flatMap(
    Driver.Driver,
    (driver) => Effect.map(driver.find({ flow, limit: 10_000 }), ({ length }) => length),
  )

describe("a worker", () => {
  it("removes what a definition does not keep, and nothing else", () =>
    withDriver(() => {
      const Mail = Job.make("mail", {
        input: Schema.Boolean,
        retention: { completed: "10 minutes" },
      })
      const mail = Mail.perform((works) => works ? Effect.void : Effect.die("no"))
      return serving(
        { jobs: [mail] },
        Effect.gen(function* () {
          yield* Mail.enqueueMany([true, true, false])
          yield* TestClock.adjust("9 minutes")
          strictEqual(yield* count("mail"), 3)
          yield* Mail.enqueue(true)
          yield* TestClock.adjust("3 minutes")
          strictEqual(yield* count("mail"), 2)
          yield* TestClock.adjust("1 hour")
          strictEqual(yield* count("mail"), 1)
        }),
      )
    }))

  it("reads again only what ended since, once it has looked at all", () =>
    withDriver((requests) => {
      const Mail = Job.make("mail", { retention: { completed: "1 hour" } })
      return serving(
        { jobs: [Mail.perform(() => Effect.void)] },
        Effect.gen(function* () {
          yield* TestClock.adjust("10 minutes")
          ok(requests.length >= 6 && requests.length <= 20, `${requests.length} requests`)
          const [first, ...others] = requests
          deepStrictEqual(first, {
            ...{ flow: "mail", states: ["completed"], olderThanMillis: 3_600_000 },
            ...{ limit: 1000, keep: undefined },
          })
          for (const { youngerThanMillis } of others) {
            // What ended since the round before, and a minute more.
            const since = youngerThanMillis! - 3_600_000
            ok(since >= 90_000 && since <= 150_000, `${since} ms`)
          }
        }),
      )
    }))

  it("looks at all again where a round was lost", () =>
    withDriver((requests, faults) => {
      const Mail = Job.make("mail", { retention: { completed: "1 hour" } })
      faults.lose = 2
      return serving(
        { jobs: [Mail.perform(() => Effect.void)] },
        Effect.gen(function* () {
          yield* TestClock.adjust("10 minutes")
          deepStrictEqual(
            requests.slice(0, 4).map(({ youngerThanMillis }) => youngerThanMillis === undefined),
            [true, true, true, false],
          )
        }),
      )
    }))

  it("removes what was kept too often in batches, with a pause between them", () =>
    withDriver((requests) => {
      const Mail = Job.make("mail", { input: Schema.Int, retention: { completed: 0 } })
      const mail = Mail.perform(() => Effect.void)
      return Effect.gen(function* () {
        const inputs = Array.from({ length: 2500 }, (_, n) => n)
        const away = Job.make("mail", { input: Schema.Int }).perform(() => Effect.void)
        yield* serving(
          { jobs: [away], concurrency: 1000 },
          Effect.gen(function* () {
            yield* Mail.enqueueMany(inputs)
            yield* TestClock.adjust("1 minute")
          }),
        )
        strictEqual(yield* count("mail"), 2500)
        yield* serving({ jobs: [mail] }, TestClock.adjust("95 seconds"))
        strictEqual(yield* count("mail"), 0)
        ok(requests.length >= 3 && requests.every(({ limit }) => limit === 1000))
      })
    }))

  it("keeps the newest where a count is given", () =>
    withDriver(() => {
      const Mail = Job.make("mail", { input: Schema.Int, retention: { completed: { count: 3 } } })
      return serving(
        { jobs: [Mail.perform(() => Effect.void)] },
        Effect.gen(function* () {
          const ids = yield* Mail.enqueueMany([1, 2, 3, 4, 5])
          yield* TestClock.adjust("20 minutes")
          const { find } = yield* Driver.Driver
          const found = yield* find({ flow: "mail", limit: 10 })
          deepStrictEqual(found.map(({ id }) => id), ids.slice(2))
        }),
      )
    }))

  it("has a retention for definitions that say none, and theirs wins", () =>
    withDriver((requests) => {
      const jobs = [
        Job.make("mail").perform(() => Effect.void),
        Job.make("bill", { retention: {} }).perform(() => Effect.void),
        Job.make("note", { retention: { failed: "1 day" } }).perform(() => Effect.void),
      ]
      const retention = { completed: "1 hour", cancelled: "2 hours" } as const
      return serving(
        { jobs, retention },
        Effect.gen(function* () {
          yield* TestClock.adjust("2 minutes")
          deepStrictEqual(
            new Set(requests.map(({ flow, states }) => `${flow} ${states}`)),
            new Set(["mail completed", "mail cancelled", "note failed"]),
          )
        }),
      )
    }))

  it("asks nothing where nothing has a retention", () =>
    withDriver((requests) =>
      serving(
        { jobs: [Job.make("mail").perform(() => Effect.void)] },
        Effect.gen(function* () {
          yield* TestClock.adjust("1 hour")
          deepStrictEqual(requests, [])
        }),
      )
    ))

  it("removes runs of flows with their steps", () =>
    withDriver(() => {
      const Order = Flow.make("order", { retention: { completed: "1 minute" } })
        .step("pack").step("ship", { needs: ["pack"] })
      const order = Order.perform({ pack: () => Effect.void, ship: () => Effect.void })
      const live = Worker.layer({ flows: [order] })
      return Effect.scoped(Effect.gen(function* () {
        yield* Layer.build(live)
        yield* Order.start()
        yield* TestClock.adjust("10 seconds")
        strictEqual(yield* count("order"), 3)
        yield* TestClock.adjust("5 minutes")
        strictEqual(yield* count("order"), 0)
      }))
    }))

  it("refuses a retention that cannot be", () => {
    const jobs = [Job.make("mail").perform(() => Effect.void)]
    throws(
      () => Worker.layer({ jobs, retention: { completed: -1 } }),
      /Cannot define worker "worker": retention\.completed must be a duration from 0 to 3650d/,
    )
  })
})
