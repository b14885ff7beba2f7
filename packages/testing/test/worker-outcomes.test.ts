/** What a worker makes of each way in which a handler can end. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict"
import { describe, it } from "node:test"
import { Attempt, Backoff, Driver, Job, Runs, Worker } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { JobTest } from "@millrace/testing"
import { Effect, Layer, References, Schema } from "effect"
import { TestClock } from "effect/testing"

function quiet<A, E>(effect: Effect.Effect<A, E>): Promise<A> {
  return Effect.runPromise(Effect.provideService(effect, References.MinimumLogLevel, "None"))
}

/** Drains one run and answers it. */
async function only<I, O, E>(handled: Job.HandledJob<string, I, O, E, never>, input: I) {
  const [run] = await quiet(JobTest.drain(handled, [input]))
  return run!
}

const outcomes = (run: Pick<Runs.Run, "attempts">) =>
  run.attempts.map(({ number, outcome }) => [number, outcome])

const options = { error: Schema.String, maxAttempts: 3, baseDelay: "1 second" } as const

describe("a worker, when its handler", () => {
  it("fails with a typed error, tries again after the backoff", async () => {
    const Flaky = Job.make("flaky", { ...options, output: Schema.Int })
    const flaky = Flaky.perform((_, ctx) => ctx.attempt < 3 ? Effect.fail("no") : Effect.succeed(0))
    const run = await only(flaky, undefined)
    deepStrictEqual(outcomes(run), [[1, "failed"], [2, "failed"], [3, "completed"]])
    deepStrictEqual(run.attempts.map(({ finishedAt }) => finishedAt - run.enqueuedAt), [
      0,
      1e3,
      3e3,
    ])
    strictEqual(run.output, 0)
  })

  it("fails for the last time, ends the run with the error", async () => {
    const run = await only(Job.make("wrong", options).perform(() => Effect.fail("no")), undefined)
    deepStrictEqual([run.state, run.error, run.attempts.length], ["failed", "no", 3])
  })

  it("fails with what is not retryable, does not try again", async () => {
    const Wrong = Job.make("wrong", { ...options, retryable: (error) => error !== "no" })
    const run = await only(Wrong.perform(() => Effect.fail("no")), undefined)
    deepStrictEqual([run.state, run.error, run.attempts.length], ["failed", "no", 1])
  })

  const defects: ReadonlyArray<readonly [string, () => Effect.Effect<void>, RegExp]> = [
    ["dies with an error", () => Effect.die(new TypeError("boom")), /^TypeError: boom$/],
    ["dies with something else", () => Effect.die({ secret: 1 }), /^A value of type object$/],
    ["throws before it answers", () => {
      throw new RangeError("early")
    }, /^RangeError: early$/],
    ["interrupts itself", () => Effect.interrupt, /^The handler interrupted itself$/],
    ["dies with text that no storage holds", () => Effect.die("a\0b\ud800"), /^a\ufffdb\ufffd$/],
    [
      "fails with what its error schema refuses",
      () => Effect.fail(7 as never),
      /error schema refuses/,
    ],
  ]
  for (const [name, handler, message] of defects) {
    it(`${name}, stores a defect and tries again`, async () => {
      const run = await only(Job.make("defect", options).perform(handler), undefined)
      deepStrictEqual([run.state, run.failure?.reason, run.attempts.length], [
        "failed",
        "Defect",
        3,
      ])
      match(run.failure!.message, message)
    })
  }

  it("answers what its output schema refuses, stores that and tries again", async () => {
    const Odd = Job.make("odd", { ...options, output: Schema.Int })
    const run = await only(Odd.perform(() => Effect.succeed(0.5)), undefined)
    deepStrictEqual([run.failure?.reason, run.attempts.length], ["OutputInvalid", 3])
  })

  it("answers more than the limit, stores that and not the output", async () => {
    const Big = Job.make("big", { output: Schema.String })
    const run = await only(Big.perform(() => Effect.succeed("x".repeat(2 ** 20))), undefined)
    match(run.failure!.message, /more than the limit of 1048576$/)
  })

  it("snoozes, spends no attempt", async () => {
    let calls = 0
    const Nap = Job.make("nap", { maxAttempts: 1 })
    const nap = Nap.perform(() =>
      Effect.suspend(() => ++calls < 4 ? Effect.fail(Attempt.snooze("1 minute")) : Effect.void)
    )
    const run = await only(nap, undefined)
    strictEqual(run.state, "completed")
    deepStrictEqual(outcomes(run).at(-1), [1, "completed"])
    strictEqual(run.attempts.at(-1)!.finishedAt - run.enqueuedAt, 180_000)
  })

  it("says when to come back, is tried then and spends an attempt", async () => {
    const Busy = Job.make("busy", { maxAttempts: 2, baseDelay: "1 second" })
    const busy = Busy.perform(() => Effect.fail(Attempt.retryAfter("5 minutes")))
    const run = await only(busy, undefined)
    deepStrictEqual(run.attempts.map(({ finishedAt }) => finishedAt - run.enqueuedAt), [0, 300_000])
    deepStrictEqual([run.state, run.failure?.reason], ["failed", "RetryAfter"])
  })

  it("discards, ends the run at once with the typed error", async () => {
    const Gone = Job.make("gone", options)
    const run = await only(Gone.perform(() => Effect.fail(Attempt.discard("gone"))), undefined)
    deepStrictEqual([run.state, run.error, run.attempts.length], ["failed", "gone", 1])
  })

  it("runs too long, is interrupted with its finalizers, and tried again", async () => {
    let released = 0
    const Stuck = Job.make("stuck", { ...options, timeout: "10 seconds" })
    const stuck = Stuck.perform(() =>
      Effect.ensuring(Effect.never, Effect.sync(() => void released++))
    )
    const run = await only(stuck, undefined)
    deepStrictEqual([released, run.failure?.reason], [3, "TimedOut"])
    deepStrictEqual(run.attempts.map((one) => one.finishedAt - run.enqueuedAt), [1e4, 21e3, 33e3])
  })

  it("has a backoff that throws, is tried again all the same", async () => {
    const backoff = Backoff.custom((attempt) => {
      if (attempt === 1) throw new Error("no idea")
      return "1 second"
    })
    const Odd = Job.make("odd", { error: Schema.String, maxAttempts: 3, backoff })
    const run = await only(Odd.perform(() => Effect.fail("no")), undefined)
    deepStrictEqual([run.state, run.attempts.length], ["failed", 3])
  })
})

/** Runs an effect beside a worker on virtual time. */
const beside = <A, E>(
  worker: Worker.Options<ReadonlyArray<Job.AnyHandled<never>>>,
  effect: Effect.Effect<A, E, Driver.Driver | Worker.Worker>,
) =>
  quiet(effect.pipe(
    Effect.provide(Layer.fresh(Worker.layer({ pollInterval: "1 minute", ...worker }))),
    Effect.provide(Layer.fresh(MemoryDriver.layer)),
    Effect.provide(TestClock.layer()),
  ))

const stored = (id: string, more: Partial<Driver.NewTask>): Driver.NewTask => ({
  id,
  runId: id,
  flowType: "job",
  flow: "known",
  step: "known",
  index: 0,
  queue: "known",
  priority: 5,
  input: "1",
  maxAttempts: 1,
  maxCrashes: 3,
  delayMillis: 0,
  awaited: false,
  ...more,
})

const id = "00000000-0000-7000-8000-00000000000a"

describe("a worker, of a task that it", () => {
  const Known = Job.make("known", { input: Schema.Int, error: Schema.String, maxAttempts: 2 })
  const known = Known.perform(() => Effect.fail("no"))
  const after = (task: Driver.NewTask, millis: number) =>
    beside(
      { jobs: [known] },
      Effect.gen(function* () {
        const driver = yield* Driver.Driver
        yield* driver.insert([task])
        yield* TestClock.adjust(millis)
        return yield* Runs.get(task.runId)
      }),
    )

  it("cannot decode, ends the run at once and spends no attempt", async () => {
    const run = await after(stored(id, { input: `"one"` }), 1000)
    deepStrictEqual([run.state, run.failure?.reason], ["failed", "InputUndecodable"])
  })

  it("has no handler for, puts it off for another worker", async () => {
    const run = await after(stored(id, { flow: "unknown" }), 1000)
    deepStrictEqual([run.state, run.dueAt], ["ready", run.enqueuedAt + 60_000])
  })

  it("knows with more attempts than were stored, tries that often", async () => {
    const run = await after(stored(id, {}), 60_000)
    strictEqual(run.attempts.length, 2)
  })
})

describe("a worker", () => {
  it("fills its places and never more, in each queue", async () => {
    const most = { a: 0, b: 0 }
    const now = { a: 0, b: 0 }
    const jobOf = (queue: "a" | "b") =>
      Job.make(`job_${queue}`, { queue }).perform(() =>
        Effect.gen(function* () {
          most[queue] = Math.max(most[queue], ++now[queue])
          yield* Effect.sleep("1 second")
          now[queue]--
        })
      )
    const [a, b] = [jobOf("a"), jobOf("b")]
    await beside(
      { jobs: [a, b], concurrency: 4, queues: { b: { concurrency: 2 } } },
      Effect.gen(function* () {
        yield* a.job.enqueueMany(Array.from({ length: 20 }, () => undefined))
        yield* b.job.enqueueMany(Array.from({ length: 20 }, () => undefined))
        yield* TestClock.adjust("10 seconds")
      }),
    )
    deepStrictEqual(most, { a: 4, b: 2 })
  })

  it("interrupts a handler whose run is cancelled, and writes nothing after", async () => {
    let released = 0
    const Long = Job.make("long", { timeout: "1 hour" })
    const long = Long.perform(() =>
      Effect.ensuring(Effect.never, Effect.sync(() => void released++))
    )
    const run = await beside(
      { jobs: [long] },
      Effect.gen(function* () {
        const runId = yield* Long.enqueue(undefined)
        yield* TestClock.adjust("1 second")
        strictEqual(yield* Runs.cancel(runId, { reason: "enough" }), "cancelled")
        yield* TestClock.adjust("1 second")
        strictEqual(released, 1)
        yield* TestClock.adjust("5 minutes")
        return yield* Runs.get(runId)
      }),
    )
    deepStrictEqual([run.state, run.failure?.message], ["cancelled", "enough"])
    strictEqual(run.history.length, 1)
  })

  it("stops: what ends within the grace period counts, the rest is given back", async () => {
    const Nap = Job.make("nap", { input: Schema.Int, timeout: "1 hour" })
    const nap = Nap.perform((seconds) => Effect.sleep(seconds * 1000))
    const runs = await quiet(
      Effect.gen(function* () {
        const ids = yield* Nap.enqueueMany([3, 3000, 1, 1])
        const worker = Worker.layer({ jobs: [nap], concurrency: 2, gracePeriod: "10 seconds" })
        const served = Effect.andThen(TestClock.adjust("1 second"), Worker.Worker)
        const stopping = Effect.flatMap(
          served,
          (one) => Effect.all([one.stop, TestClock.adjust("20 seconds")], { concurrency: 2 }),
        )
        yield* Effect.provide(stopping, worker)
        return yield* Effect.forEach(ids, Runs.get)
      }).pipe(
        Effect.provide(Layer.fresh(MemoryDriver.layer)),
        Effect.provide(TestClock.layer()),
      ),
    )
    deepStrictEqual(runs.map((run) => run.state), ["completed", "ready", "ready", "ready"])
    ok(runs.every((run) => run.attempts.every(({ outcome }) => outcome !== "failed")))
    strictEqual(runs[1]!.attempts[0]?.outcome, "interrupted")
  })
})
