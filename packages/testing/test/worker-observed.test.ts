/** What an operator sees of a worker: its logs, its metrics, its spans, and that it is in trouble. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict"
import { describe, it } from "node:test"
import { Job, Runs, Worker } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Effect, Layer, Logger, Metric, References, Schema, Tracer } from "effect"
import { TestClock } from "effect/testing"

const secret = "a secret of the input"

const Watched = Job.make("watched", {
  input: { secret: Schema.String },
  output: Schema.String,
  error: Schema.String,
  queue: "watched_queue",
  maxAttempts: 2,
  baseDelay: "1 second",
})

const watched = Watched.perform((input, ctx) =>
  Effect.andThen(
    Effect.logInfo("at work"),
    ctx.attempt === 1 ? Effect.fail("no luck") : Effect.succeed(input.secret),
  )
)

/** Runs one failure and one success, under whatever watches. */
const observed = <A>(around: (run: Effect.Effect<string>) => Effect.Effect<A>): Promise<A> => {
  const live = Worker.layer({ jobs: [watched], name: "observed" }).pipe(
    Layer.provideMerge(MemoryDriver.layer),
    Layer.provideMerge(TestClock.layer()),
  )
  const run = Effect.gen(function* () {
    const id = yield* Watched.enqueue({ secret })
    yield* TestClock.adjust("10 seconds")
    strictEqual((yield* Runs.get(id)).state, "completed")
    return id
  })
  return Effect.runPromise(
    around(Effect.orDie(Effect.scoped(Effect.provide(run, live, { local: true })))),
  )
}

interface Line {
  readonly level: string
  readonly text: string
  readonly annotations: Readonly<Record<string, unknown>>
}

const collect = (lines: Array<Line>) =>
  Logger.make(({ message, logLevel, fiber }) => {
    const annotations = fiber.getRef(References.CurrentLogAnnotations)
    const text = (Array.isArray(message) ? message : [message]).map(String).join(" ")
    lines.push({ level: logLevel, text, annotations })
  })

describe("an operator sees", () => {
  it("logs that say which run and attempt they are about, and hold no input", async () => {
    const lines: Array<Line> = []
    const id = await observed((run) =>
      run.pipe(
        Effect.provideService(References.CurrentLoggers, new Set([collect(lines)])),
        Effect.provideService(References.MinimumLogLevel, "Debug"),
      )
    )
    const about = (attempt: number) => ({
      job: "watched",
      run: id,
      attempt,
      queue: "watched_queue",
    })
    const own = lines.filter(({ text }) => text === "at work")
    deepStrictEqual(own.map(({ annotations }) => ({ ...annotations })), [about(1), about(2)])
    const failed = lines.find(({ text }) => text.startsWith("Failed, to be tried again"))
    deepStrictEqual([failed?.level, { ...failed?.annotations }], ["Warn", about(1)])
    match(failed!.text, /in 1000 ms: .*no luck/)
    const completed = lines.find(({ text }) => text.startsWith("Completed in"))
    deepStrictEqual([completed?.level, { ...completed?.annotations }], ["Debug", about(2)])
    ok(lines.some(({ text }) => /^Worker "observed" serves: watched$/.test(text)))
    ok(lines.some(({ text }) => /^Worker "observed" stops/.test(text)))
    ok(!JSON.stringify(lines).includes(secret), "the input is in a log")
  })

  it("attempts counted by job, queue and what they came to", async () => {
    const registry: Metric.MetricRegistry = new Map()
    const snapshots = await observed((run) =>
      Effect.andThen(run, Metric.snapshot).pipe(
        Effect.provideService(Metric.MetricRegistry, registry),
        Effect.provideService(References.CurrentLoggers, new Set()),
      )
    )
    const counts = snapshots.filter(({ id }) => id === "millrace_attempts")
      .map(({ attributes, state }) => [{ ...attributes }, (state as { count: number }).count])
    const about = { job: "watched", queue: "watched_queue" }
    deepStrictEqual(counts, [
      [{ ...about, outcome: "failed" }, 1],
      [{ ...about, outcome: "completed" }, 1],
    ])
    ok(snapshots.some(({ id }) => id === "millrace_event_loop_lag_millis"), "no lag is measured")
  })

  it("spans of attempts, under the span that enqueued, without the input", async () => {
    const spans: Array<Tracer.NativeSpan> = []
    const tracer = Tracer.make({
      span(options) {
        const span = new Tracer.NativeSpan(options)
        spans.push(span)
        return span
      },
    })
    const id = await observed((run) =>
      run.pipe(
        Effect.withSpan("request"),
        Effect.provideService(Tracer.Tracer, tracer),
        Effect.provideService(References.CurrentLoggers, new Set()),
      )
    )
    const request = spans.find(({ name }) => name === "request")!
    const attempts = spans.filter(({ name }) => name === "job watched")
    deepStrictEqual(
      attempts.map(({ kind, attributes }) => [kind, Object.fromEntries(attributes)]),
      [1, 2].map((attempt) => ["consumer", {
        "millrace.run": id,
        "millrace.queue": "watched_queue",
        "millrace.attempt": attempt,
        "millrace.max_attempts": 2,
      }]),
    )
    deepStrictEqual(attempts.map(({ status }) => status._tag), ["Ended", "Ended"])
    for (const { traceId, parent } of attempts) {
      strictEqual(traceId, request.traceId)
      strictEqual(parent._tag === "Some" ? parent.value.spanId : undefined, request.spanId)
    }
    ok(
      !spans.some(({ attributes }) => [...attributes.values()].includes(secret)),
      "the input is in a span",
    )
  })

  it("its jobs go on under a tracer that throws", async () => {
    for (const broken of ["begin", "attribute", "end"] as const) {
      const tracer = Tracer.make({
        span(options) {
          const span = new Tracer.NativeSpan(options)
          const fails = (when: typeof broken) => {
            if (broken === when && options.name === "job watched") throw new Error("no collector")
          }
          fails("begin")
          const { attribute, end } = span
          span.attribute = (...given) => (fails("attribute"), attribute.apply(span, given))
          span.end = (...given) => (fails("end"), end.apply(span, given))
          return span
        },
      })
      const lines: Array<Line> = []
      // It fails once and is then completed, as it does without a tracer.
      await observed((run) =>
        run.pipe(
          Effect.provideService(Tracer.Tracer, tracer),
          Effect.provideService(References.CurrentLoggers, new Set([collect(lines)])),
        )
      )
      const warnings = lines.filter(({ text }) => text.startsWith("The tracer throws (Error)"))
      strictEqual(warnings.length, 1, broken)
    }
  })

  it("that the event loop is blocked, before the lease is lost", async () => {
    // The real clock: nothing else can be late. The lease is a multiple of how long it is blocked.
    const Blocking = Job.make("blocking", { input: Schema.Int, timeout: "1 minute" })
    const blocking = Blocking.perform((millis) =>
      Effect.sync(() => {
        for (const end = performance.now() + millis; performance.now() < end;);
      })
    )
    const lines: Array<Line> = []
    const registry: Metric.MetricRegistry = new Map()
    const lease = 3000
    const live = Layer.provideMerge(Worker.layer({ jobs: [blocking], lease }), MemoryDriver.layer)
    const program = Effect.gen(function* () {
      // The worker waits for its next beat by then.
      yield* Effect.sleep(lease / 30)
      // A beat is due within a third of the lease, and so at least 0.2 of the lease too late.
      const id = yield* Blocking.enqueue(Math.round(lease * 0.55))
      const run = yield* Runs.awaitEnd(id)
      while (!lines.some(({ text }) => text.startsWith("The event loop was blocked"))) {
        yield* Effect.sleep(10)
      }
      const snapshots = yield* Metric.snapshot
      return { run, lag: snapshots.find(({ id }) => id === "millrace_event_loop_lag_millis") }
    })
    const { run, lag } = await Effect.runPromise(
      Effect.scoped(Effect.provide(program, live, { local: true })).pipe(
        Effect.provideService(Metric.MetricRegistry, registry),
        Effect.provideService(References.CurrentLoggers, new Set([collect(lines)])),
      ),
    )
    deepStrictEqual(run.history.map(({ kind }) => kind), ["completed"])
    const warning = lines.find(({ text }) => text.startsWith("The event loop was blocked"))!
    strictEqual(warning.level, "Warn")
    match(warning.text, /After 3000 ms without a heartbeat the worker loses its tasks/)
    strictEqual(typeof (lag?.state as { value: number }).value, "number")
  })
})
