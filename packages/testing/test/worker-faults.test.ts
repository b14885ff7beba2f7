/** What a worker does when the storage fails it, fault by fault. */
import { deepStrictEqual, ok } from "node:assert/strict"
import { describe, it } from "node:test"
import { Driver, DriverError, Job, Runs, Worker } from "@millrace/core"
import { Clock, Effect, References, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import { overMemory } from "./over-memory.ts"

type Service = Driver.Driver["Service"]

const lostReply = Effect.fail(DriverError.unavailable("test", "the reply was lost"))

/** Runs an effect on virtual time, with a memory driver that a fault is put before. */
const faulty = <A, E>(
  fault: (driver: Service) => Partial<Service>,
  effect: Effect.Effect<A, E, Driver.Driver>,
): Promise<A> =>
  Effect.runPromise(effect.pipe(
    Effect.provide(overMemory(fault)),
    Effect.provide(TestClock.layer()),
    Effect.provideService(References.MinimumLogLevel, "None"),
  ))

/** Lets a fault strike the first `times` times. */
const first = <A, B>(times: number, strike: (input: A) => B, otherwise: (input: A) => B) => {
  let left = times
  return (input: A) => left-- > 0 ? strike(input) : otherwise(input)
}

const Count = Job.make("count", { input: Schema.Int, maxAttempts: 3, timeout: "10 minutes" })

/** Enqueues `count` runs beside a worker, lets time pass, and answers the runs. */
const counted = (ran: Array<number>, count: number, minutes: number, millis = 0) =>
  Effect.gen(function* () {
    const counting = Count.perform((n) =>
      Effect.andThen(Effect.sleep(millis), Effect.sync(() => void ran.push(n)))
    )
    const inputs = Array.from({ length: count }, (_, n) => n)
    const served = Effect.gen(function* () {
      const ids = yield* Count.enqueueMany(inputs)
      yield* TestClock.adjust(minutes * 60_000)
      return yield* Effect.forEach(ids, Runs.get)
    })
    return yield* Effect.provide(served, Worker.layer({ jobs: [counting], lease: "30 seconds" }))
  })

describe("a worker whose storage", () => {
  it("hands out tasks in a reply that is lost, recovers and runs them", async () => {
    const ran: Array<number> = []
    const runs = await faulty((driver) => ({
      claim: first(
        1,
        (request: Driver.ClaimRequest) => Effect.andThen(driver.claim(request), lostReply),
        driver.claim,
      ),
    }), counted(ran, 3, 5))
    deepStrictEqual(runs.map((run) => run.state), ["completed", "completed", "completed"])
    deepStrictEqual(ran.toSorted(), [0, 1, 2])
    ok(runs.every((run) => run.history.filter((one) => one.kind === "crashed").length <= 1))
  })

  it("does not announce a cancel, and hands out the run again, loses the older attempt", async () => {
    const ends: Array<string> = []
    const Pack = Job.make("pack", { input: Schema.Int, timeout: "10 minutes" })
    let attempts = 0
    const pack = Pack.perform(() =>
      Effect.suspend(() => {
        const attempt = ++attempts
        return Effect.sleep("2 minutes").pipe(
          Effect.onExit((exit) => Effect.sync(() => ends.push(`${attempt} ${exit._tag}`))),
        )
      })
    )
    const served = Effect.gen(function* () {
      const id = yield* Pack.enqueue(1)
      yield* TestClock.adjust(1000)
      yield* Runs.cancel(id)
      yield* Runs.retry(id)
      yield* TestClock.adjust(1000)
      deepStrictEqual(attempts, 2, "Both attempts run beside each other")
      yield* TestClock.adjust("1 minute")
      deepStrictEqual(ends, ["1 Failure"], "The first is interrupted, and the second is not")
      yield* TestClock.adjust("2 minutes")
      return yield* Runs.get(id)
    })
    const run = await faulty(
      (driver) => ({ wakeups: Stream.filter(driver.wakeups, ({ _tag }) => _tag !== "Cancelled") }),
      Effect.provide(served, Worker.layer({ jobs: [pack], lease: "30 seconds" })),
    )
    deepStrictEqual(ends, ["1 Failure", "2 Success"])
    deepStrictEqual(run.state, "completed")
  })

  it("applies outcomes in replies that are lost, has them applied once", async () => {
    const ran: Array<number> = []
    const runs = await faulty((driver) => ({
      settle: first(
        5,
        (changes: Parameters<Service["settle"]>[0]) =>
          Effect.andThen(driver.settle(changes), lostReply),
        driver.settle,
      ),
    }), counted(ran, 3, 5))
    deepStrictEqual(runs.map((run) => run.history.length), [1, 1, 1])
    deepStrictEqual(ran, [0, 1, 2])
  })

  it("refuses one outcome for good, has the others and recovers that one", async () => {
    const ran: Array<number> = []
    let refused = 0
    const refusing = (driver: Service): Service["settle"] => (changes) =>
      changes.some(({ entry }) => entry.lease === 1 && entry.output === `"1"`)
        ? Effect.suspend(() => {
          refused++
          return Effect.fail(DriverError.rejected("settle", "not this one"))
        })
        : driver.settle(changes)
    const Echo = Job.make("echo", { input: Schema.String, output: Schema.String })
    const echo = Echo.perform((text) => Effect.sync(() => (ran.push(Number(text)), text)))
    const runs = await faulty(
      (driver) => ({ settle: refusing(driver) }),
      Effect.provide(
        Effect.gen(function* () {
          const ids = yield* Echo.enqueueMany(["0", "1", "2"])
          yield* TestClock.adjust("5 minutes")
          return yield* Effect.forEach(ids, Runs.get)
        }),
        Worker.layer({ jobs: [echo] }),
      ),
    )
    ok(refused > 0)
    deepStrictEqual(runs.map((run) => run.state), ["completed", "completed", "completed"])
    deepStrictEqual(ran.toSorted(), [0, 1, 1, 2])
  })

  it("hears no heartbeat for longer than the lease, interrupts and runs again", async () => {
    const ran: Array<number> = []
    let beats = 0
    const runs = await faulty((driver) => ({
      // The first begins the session; then the storage is away for two leases.
      heartbeat: (beat) => {
        const away = ++beats > 1 && beats < 80
        return away ? lostReply : driver.heartbeat(beat)
      },
    }), counted(ran, 1, 10, 45_000))
    // The interrupted handler wrote nothing, neither of its own nor as an outcome.
    deepStrictEqual(runs[0]!.history.map(({ kind }) => kind), ["crashed", "completed"])
    deepStrictEqual(ran, [0])
  })

  it("is asked to extend a lease and never answers, gives the lease up in time", async () => {
    const ran: Array<number> = []
    let beats = 0
    const runs = await faulty((driver) => ({
      heartbeat: (beat) => ++beats === 2 ? Effect.never : driver.heartbeat(beat),
    }), counted(ran, 1, 10, 45_000))
    deepStrictEqual(runs[0]!.history.map(({ kind }) => kind), ["crashed", "completed"])
    deepStrictEqual(ran, [0])
  })

  it("announces work while a claim that found none is on its way, has it done at once", async () => {
    const ran: Array<number> = []
    await faulty(
      (driver) => ({
        claim: first(
          1,
          (request: Driver.ClaimRequest) =>
            Effect.gen(function* () {
              const nothing = yield* driver.claim(request)
              // By then it listens.
              yield* Effect.sleep(10)
              yield* Effect.orDie(Effect.provideService(Count.enqueue(7), Driver.Driver, driver))
              yield* Effect.sleep(10)
              return nothing
            }),
          driver.claim,
        ),
      }),
      Effect.provide(
        TestClock.adjust(100),
        Worker.layer({ jobs: [Count.perform((n) => Effect.sync(() => void ran.push(n)))] }),
      ),
    )
    deepStrictEqual(ran, [7])
  })

  it("announces nothing, finds work by looking", async () => {
    const ran: Array<number> = []
    const runs = await faulty(() => ({ wakeups: Stream.never }), counted(ran, 3, 1))
    deepStrictEqual(runs.map((run) => run.state), ["completed", "completed", "completed"])
  })

  it("missed announcements, finds work once it says so", async () => {
    const ran: Array<number> = []
    const missing = Stream.fromEffect(
      Effect.as(Effect.sleep("5 seconds"), { _tag: "Missed" } as const),
    ).pipe(Stream.concat(Stream.never))
    const counting = Count.perform((n) => Effect.sync(() => void ran.push(n)))
    const found = await faulty(
      () => ({ wakeups: missing }),
      Effect.provide(
        Effect.gen(function* () {
          yield* TestClock.adjust("1 second")
          yield* Count.enqueue(1)
          yield* TestClock.adjust("3 seconds")
          const before = ran.length
          yield* TestClock.adjust("2 seconds")
          return [before, ran.length]
        }),
        Worker.layer({ jobs: [counting], pollInterval: "1 hour" }),
      ),
    )
    deepStrictEqual(found, [0, 1])
  })

  it("cannot be listened to, finds work by looking", async () => {
    const ran: Array<number> = []
    const broken = Stream.fail(DriverError.unavailable("listen", "no connection"))
    const runs = await faulty(() => ({ wakeups: broken }), counted(ran, 3, 1))
    deepStrictEqual(runs.map((run) => run.state), ["completed", "completed", "completed"])
  })

  it("is away for a long time, resumes by itself", async () => {
    const ran: Array<number> = []
    let claims = 0
    const runs = await faulty((driver) => ({
      claim: (request) => ++claims < 40 ? lostReply : driver.claim(request),
    }), counted(ran, 3, 10))
    deepStrictEqual(runs.map((run) => run.attempts.length), [1, 1, 1])
    deepStrictEqual(runs.map((run) => run.state), ["completed", "completed", "completed"])
  })
})

describe("a worker that dies", () => {
  const lease = 30_000

  /** Another worker begins `phase` ms before one dies with a task; how long until it is recovered. */
  const recoveryMillis = (phase: number): Promise<number> => {
    const counting = Count.perform(() => Effect.void)
    const died = Effect.gen(function* () {
      const driver = yield* Driver.Driver
      const dead = "dead-worker"
      yield* TestClock.adjust(phase)
      yield* driver.heartbeat({ worker: dead, leaseMillis: lease, held: [] })
      const id = yield* Count.enqueue(1)
      const lanes = [{ queue: "count", limit: 1 }]
      const { tasks } = yield* driver.claim({ worker: dead, lanes, waits: false })
      const from = yield* Clock.currentTimeMillis
      yield* TestClock.adjust(3 * lease)
      const { history, state } = yield* Runs.get(id)
      deepStrictEqual([tasks.length, state], [1, "completed"])
      deepStrictEqual(history.map(({ kind }) => kind), ["crashed", "completed"])
      return history[0]!.at - from
    })
    const live = Worker.layer({ jobs: [counting], lease, pollInterval: "1 second" })
    return faulty(() => ({ wakeups: Stream.never }), Effect.provide(died, live))
  }

  it("has its tasks recovered by another within two leases, whenever it dies", async () => {
    for (let phase = 0; phase <= lease; phase += 499) {
      const millis = await recoveryMillis(phase)
      ok(millis >= lease && millis <= 2 * lease, `${millis} ms after a death at ${phase} ms`)
    }
  })
})
