/** Batches on every driver, with the production worker; and what is refused of them. */
import { assert, assertEquals, assertThrows } from "@std/assert"
import { AttemptContext, Batch, Job, Queues, Runs, Worker } from "@millrace/core"
import type { Driver, RunId } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Simulation } from "@millrace/testing"
import { Effect, Layer, References, Schema, Stream } from "effect"
import { describe, it } from "node:test"
import { embedded, onServer, serverUrl } from "./stores.ts"

class Refused extends Schema.TaggedError<Refused>()("Refused", { to: Schema.String }) {}

class Mail extends Job.make("mail", {
  input: { to: Schema.String, copies: Schema.Int },
  output: Schema.Int,
  error: Refused,
  queue: "mails",
  maxAttempts: 2,
  baseDelay: "1 millis",
  retryable: ({ to }) => to !== "never",
}) {}

class Report extends Job.make("report", { input: Batch.Summary, output: Schema.String }) {}

class Close extends Job.make("close", { input: { sent: Schema.Int, of: Schema.String } }) {}

const Campaign = Batch.make("campaign", { job: Mail, then: Report })

const Closing = Batch.make("closing", {
  job: Mail,
  then: { job: Close, input: ({ batch, completed }) => ({ sent: completed, of: batch }) },
})

const Bare = Batch.make("bare", { job: Mail })

/** What handlers have seen. */
interface Seen {
  readonly attempts: Array<string>
  readonly reports: Array<Batch.Summary>
  readonly closed: Array<{ readonly sent: number; readonly of: string }>
}

const newSeen = (): Seen => ({ attempts: [], reports: [], closed: [] })

const mail = (seen: Seen) =>
  Mail.perform(({ copies, to }, ctx) =>
    Effect.gen(function* () {
      const service = yield* AttemptContext
      assertEquals([ctx.input, service.input], [{ copies, to }, { copies, to }])
      seen.attempts.push(`${to} ${ctx.attempt}`)
      if (to === "never" || to === "once" && ctx.attempt === 1) yield* new Refused({ to })
      return copies
    })
  )

const worker = (seen: Seen) => {
  const job = mail(seen)
  const report = Report.perform((summary) =>
    Effect.sync(() => {
      seen.reports.push(summary)
      return `${summary.completed} of ${summary.total}`
    })
  )
  const close = Close.perform((input) => Effect.sync(() => void seen.closed.push(input)))
  return Worker.layer({
    pollInterval: "200 millis",
    flows: [
      Campaign.perform({ job, then: report }),
      Closing.perform({ job, then: close }),
      Bare.perform({ job }),
    ],
  })
}

const quiet = Layer.succeed(References.MinimumLogLevel, "None")

const to = (...names: ReadonlyArray<string>) => names.map((to) => ({ to, copies: 1 }))

const counts = (runId: RunId.RunId) => Campaign.progress(runId)

const whole = Effect.suspend(() => {
  const seen = newSeen()
  return Effect.gen(function* () {
    const id = yield* Campaign.start(to("a", "never", "once", "b"))
    const summary = yield* Campaign.await(id)
    assertEquals([summary.total, summary.completed, summary.failed], [4, 3, 1])
    assertEquals(seen.reports, [summary])
    assertEquals(seen.attempts.toSorted(), ["a 1", "b 1", "never 1", "once 1", "once 2"])
    assertEquals(yield* counts(id), { total: 4, open: 0, completed: 3, failed: 1, cancelled: 0 })
    const [failure] = summary.failures
    assertEquals(failure?.index, 1)
    const run = yield* Runs.get(failure!.taskId as RunId.RunId)
    assertEquals([run.state, run.queue, run.failure?.reason], ["failed", "mails", "Error"])

    const empty = yield* Closing.start([])
    assertEquals((yield* Closing.await(empty)).total, 0)
    assertEquals(seen.closed, [{ sent: 0, of: empty }])

    const handle = Bare.handle(yield* Bare.start(to("c", "d")))
    assertEquals((yield* handle.await).completed, 2)
    assertEquals((yield* handle.get).state, "completed")
    const watched = yield* Stream.runCollect(handle.watch)
    assertEquals(watched.filter(({ _tag }) => _tag === "Step").length, 2)
    assertEquals((yield* Effect.flip(Campaign.progress(handle.id)))._tag, "RunNotFound")
    assertEquals((yield* Effect.flip(Campaign.handle(handle.id).cancel()))._tag, "RunNotFound")
  }).pipe(Effect.provide(worker(seen), { local: true }), Effect.provide(quiet))
})

const cancelling = Effect.gen(function* () {
  const id = yield* Campaign.start(to("a", "b"))
  assertEquals(yield* counts(id), { total: 2, open: 2, completed: 0, failed: 0, cancelled: 0 })
  const handle = Campaign.handle(id)
  assertEquals(yield* handle.cancel({ reason: "not today" }), "cancelled")
  assertEquals((yield* Effect.flip(Campaign.await(id)))._tag, "RunCancelled")
  assertEquals((yield* counts(id)).cancelled, 2)
  assertEquals(yield* handle.retry, "ready")
  assertEquals((yield* counts(id)).open, 2)
  yield* handle.cancel()
})

const cases: ReadonlyArray<readonly [string, Effect.Effect<void, unknown, Driver.Driver>]> = [
  ["runs a job for each input, and what follows once", whole],
  ["is counted, cancelled and retried whole", cancelling],
]

describe("a batch in memory", () => {
  for (const [name, effect] of cases) {
    it(name, () => Effect.runPromise(Effect.provide(effect, Layer.fresh(MemoryDriver.layer))))
  }
})

describe("a batch of the embedded driver", () => {
  const { run } = embedded("database")
  for (const [name, effect] of cases) it(name, () => run(effect))
})

describe("a batch on a server", { skip: serverUrl === undefined && "no DATABASE_URL" }, () => {
  const { run } = onServer("database")
  for (const [name, effect] of cases) it(name, () => run(effect))
})

describe("a batch", () => {
  it("keeps to the limits of its queue, and is followed once, whatever goes wrong", async () => {
    const ended: Array<string> = []
    await Effect.runPromise(Simulation.explore({
      seeds: 20,
      duration: "4 minutes",
      worker: { queues: { mails: { limits: { concurrency: 3 } } } },
      flows: () => [
        Campaign.perform({
          job: Mail.perform(({ copies, to }) =>
            Effect.sleep("2 seconds").pipe(
              Effect.andThen(to === "never" ? new Refused({ to }) : Effect.succeed(copies)),
            )
          ),
          then: Report.perform(({ completed, total }) =>
            Effect.sync(() => {
              ended.push(`${completed} of ${total}`)
              return "noted"
            })
          ),
        }),
      ],
      load: () =>
        Effect.forEach([1, 5, 20], (many) =>
          Effect.gen(function* () {
            const names = Array.from({ length: many }, (_, n) => n % 5 === 4 ? "never" : `${n}`)
            const summary = yield* Campaign.await(yield* Campaign.start(to(...names)))
            // An input whose worker is lost too often fails, too.
            assertEquals(summary.completed + summary.failed, many)
            assert(summary.failed >= Math.floor(many / 5))
          })),
    }))
    assert(ended.length >= 60, `${ended.length} reports`)
  })

  const few = { to: "x".repeat(1_100_000), copies: 1 }
  const tooMuch: ReadonlyArray<readonly [string, ReadonlyArray<typeof few>, string]> = [
    ["inputs that are too large", [few], "more than the limit of 1048576"],
    ["too many inputs", Array(100_001).fill(to("a")[0]), "it has 100001 inputs, and may have"],
  ]
  for (const [what, inputs, detail] of tooMuch) {
    it(`refuses ${what}, with a typed error`, async () => {
      const failed = await Effect.runPromise(
        Effect.provide(Effect.flip(Bare.start(inputs)), Layer.fresh(MemoryDriver.layer)),
      )
      assertEquals(failed._tag, "InputInvalid")
      assert(failed.message.startsWith('Cannot enqueue job "bare": '), failed.message)
      assert(failed.message.includes(detail), failed.message)
    })
  }

  it("is refused where the queue of its job is full, unless a worker stores its inputs", async () => {
    const program = Effect.gen(function* () {
      yield* Queues.limit("mails", { maxDepth: 2 })
      const refused = yield* Effect.flip(Bare.start(to("a", "b", "c")))
      assertEquals([refused._tag, refused.message.includes('"mails"')], ["QueueFull", true])
      assertEquals((yield* Bare.progress(yield* Bare.start(to("a", "b")))).open, 2)
      const many = yield* Bare.start(Array(501).fill(to("a")[0]))
      assertEquals((yield* Bare.progress(many)).total, 0)
    })
    await Effect.runPromise(Effect.provide(program, Layer.fresh(MemoryDriver.layer)))
  })

  it("waits where the queue of its job is paused", async () => {
    const program = Effect.gen(function* () {
      yield* Queues.pause("mails")
      return yield* Bare.progress(yield* Bare.start(to("a")))
    })
    const { open } = await Effect.runPromise(
      Effect.provide(program, Layer.fresh(MemoryDriver.layer)),
    )
    assertEquals(open, 1)
  })

  const keyed = Job.make("keyed", { input: Schema.String, group: (text) => text })
  const refusals: ReadonlyArray<readonly [string, () => unknown, string]> = [
    ["a job with a group", () => Batch.make("b", { job: keyed }), 'job "keyed" has group'],
    ["what is no job", () => Batch.make("b", { job: 1 as never }), "job must be a job, got 1"],
    [
      "what follows and is no job",
      () => Batch.make("b", { job: Mail, then: 7 as never }),
      "then must be a job, or { job, input }, got 7",
    ],
    [
      "an option that there is not",
      () => Batch.make("b", { job: Mail, after: Report } as never),
      'there is no option "after"',
    ],
    ["a slug that is none", () => Batch.make("B!", { job: Mail }), "slug"],
    [
      "the handler of another job",
      () => Bare.perform({ job: Report.perform(() => Effect.succeed("")) as never }),
      'it needs job "mail" handled',
    ],
    ["no handler for what follows", () => Campaign.perform({ job: mail(newSeen()) } as never), ""],
  ]
  for (const [what, define, message] of refusals) {
    it(`refuses ${what}`, () => void assertThrows(define, Error, message))
  }
})
