/** What workers remove of runs that have ended. */
import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict"
import { describe, it } from "node:test"
import { Driver, DriverError, Flow, Job, Worker } from "@millrace/core"
import { Clock, Effect, Layer, References, Schema } from "effect"
import { TestClock } from "effect/testing"
import { overMemory } from "./over-memory.ts"

type Requests = Array<Driver.PruneRequest>

/** Which requests are lost, how long each takes, and the spans of time that the others were of. */
interface Faults {
  lost: ReadonlyArray<number>
  millis: number
  /** Whether others hold all runs, which are then passed over. */
  held: boolean
  /** What the first looks back answer: runs of flows count with their steps. */
  answers: ReadonlyArray<number>
  readonly spans: Array<{ readonly from: number; readonly to: number }>
}

const hour = 3_600_000

const widthOf = ({ olderThanMillis, youngerThanMillis = Infinity }: Driver.PruneRequest) =>
  youngerThanMillis - olderThanMillis

/** Whether it is no request of a round: those are of what ended since the round before. */
const isBack = (request: Driver.PruneRequest) =>
  widthOf(request) < 90_000 || widthOf(request) > 150_000

const minutes = (count: number) => count * 60_000

const withDriver = <A, E>(
  body: (requests: Requests, faults: Faults) => Effect.Effect<A, E, Driver.Driver>,
) => {
  const requests: Requests = []
  const faults: Faults = { lost: [], millis: 0, held: false, answers: [], spans: [] }
  const noted = overMemory((driver) => ({
    prune: (request) =>
      Effect.gen(function* () {
        const nth = requests.push(request) - 1
        if (faults.millis > 0) yield* Effect.sleep(faults.millis)
        if (faults.lost.includes(nth)) {
          return yield* DriverError.unavailable("prune", "the test says so")
        }
        const now = yield* Clock.currentTimeMillis
        const { olderThanMillis, youngerThanMillis = Infinity } = request
        faults.spans.push({ from: now - youngerThanMillis, to: now - olderThanMillis })
        if (faults.held) return 0
        const [answer, ...answers] = faults.answers
        if (answer === undefined || !isBack(request)) return yield* driver.prune(request)
        faults.answers = answers
        return answer
      }),
  }))
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

  it("looks once at what had ended before it, in windows that grow", () =>
    withDriver((requests) => {
      const Mail = Job.make("mail", { retention: { completed: "1 hour" } })
      return serving(
        { jobs: [Mail.perform(() => Effect.void)] },
        Effect.gen(function* () {
          yield* TestClock.adjust("10 minutes")
          const windows = requests.map(widthOf)
          // What ended since the round before, and a minute more.
          const rounds = windows.filter((width) => width < hour)
          ok(rounds.length >= 6 && rounds.length <= 20, `${rounds.length} rounds`)
          ok(rounds.every((width) => width >= 90_000 && width <= 150_000), rounds.join())
          const others = windows.filter((width) => width >= hour)
          deepStrictEqual(others, others.map((_, nth) => hour * 2 ** nth))
          deepStrictEqual(requests[0]!.limit, 1000)
          deepStrictEqual(requests[0]!.states, ["completed"])
        }),
      )
    }))

  for (const lost of [[], [0], [0, 1, 2], [4, 5, 9], [3, 20, 25, 26]]) {
    it(`leaves no moment out, though looks were lost: ${lost.join(", ") || "none"}`, () =>
      withDriver((_, faults) => {
        const Mail = Job.make("mail", { retention: { completed: "1 hour" } })
        faults.lost = lost
        return serving(
          { jobs: [Mail.perform(() => Effect.void)] },
          Effect.gen(function* () {
            yield* TestClock.adjust("30 minutes")
            const spans = faults.spans.toSorted((a, b) => a.from - b.from)
            let reached = -99 * 365 * 24 * hour
            for (const { from, to } of spans) {
              ok(from <= reached, `nobody looked between ${reached} and ${from}`)
              reached = Math.max(reached, to)
            }
            ok(reached >= 28 * 60_000 - hour, `nobody looked after ${reached}`)
          }),
        )
      }))
  }

  it("comes back within two days for what somebody held when it was looked at", () =>
    withDriver((_, faults) => {
      const Mail = Job.make("mail", { retention: { completed: "1 minute" } })
      return serving(
        { jobs: [Mail.perform(() => Effect.void)] },
        Effect.gen(function* () {
          yield* Mail.enqueue()
          faults.held = true
          yield* TestClock.adjust("10 minutes")
          faults.held = false
          yield* TestClock.adjust("10 minutes")
          strictEqual(yield* count("mail"), 1)
          yield* TestClock.adjust("36 hours")
          strictEqual(yield* count("mail"), 0)
        }),
      )
    }))

  it("goes back in small windows where there is much, and pauses between them", () =>
    withDriver((requests, faults) => {
      const Mail = Job.make("mail", { retention: { completed: "1 hour" } })
      faults.millis = 80
      return serving(
        { jobs: [Mail.perform(() => Effect.void)] },
        Effect.gen(function* () {
          yield* TestClock.adjust("3 minutes")
          const windows = requests.filter(isBack).map(widthOf)
          // That of 112,500 ms looks like one of a round.
          deepStrictEqual(windows.slice(0, 7), [60, 30, 15, 7.5, 3.75, 1, 1].map(minutes))
          ok(requests.length <= 180, `${requests.length} looks`)
        }),
      )
    }))

  it("pauses after each look back that removed as much as it may, or more", () =>
    withDriver((requests, faults) => {
      const Mail = Job.make("mail", { retention: { completed: "1 hour" } })
      faults.answers = [1000, 1500, 999, 0]
      return serving(
        { jobs: [Mail.perform(() => Effect.void)] },
        Effect.gen(function* () {
          yield* TestClock.adjust("3 minutes")
          const back = requests.flatMap((request, nth) =>
            isBack(request)
              ? [{ ...request, at: faults.spans[nth]!.to + request.olderThanMillis }]
              : []
          ).slice(0, 4)
          deepStrictEqual(back.map(widthOf), [60, 30, 15, 30].map(minutes))
          const [first, ...others] = back.map(({ at }) => at)
          deepStrictEqual(others.map((at) => at - first!), [1000, 2000, 2000])
          const froms = back.map(({ olderThanMillis }) => olderThanMillis - hour)
          deepStrictEqual(froms, [0, 0, 0, minutes(15)])
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
