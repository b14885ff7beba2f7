/**
 * What the model in Elixir can do, row by row, as data: each row runs on any driver. A row that stores something
 * reads the times that the driver stored, and never a clock of its own.
 */
import type { Flow } from "@millrace/core"
import { Attempt, AttemptContext, Backoff, Driver, Job, Problem, Runs } from "@millrace/core"
import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert"
import { Context, Effect, Fiber, Layer, Schema } from "effect"
import { claim, perform, settle } from "./hand.ts"
import { workerRows } from "./parity-worker.ts"

export interface ParityCase {
  /** The row, in a sentence. */
  readonly name: string
  readonly run: Effect.Effect<void, unknown, Driver.Driver>
}

class Mailer extends Context.Service<Mailer, {
  readonly send: (to: string, body: string) => Effect.Effect<void, Bounced>
}>()("test/Mailer") {}

class Bounced extends Schema.TaggedError<Bounced>()("Bounced", { code: Schema.Int }) {}

class SendEmail extends Job.make("send_email", {
  input: { to: Schema.String, body: Schema.String },
  output: { sent: Schema.Boolean },
  error: Bounced,
  maxAttempts: 3,
  baseDelay: "5 seconds",
  timeout: "60 seconds",
}) {}

const sendEmail = SendEmail.perform("send", ({ to, body }) =>
  Effect.gen(function* () {
    const mailer = yield* Mailer
    yield* mailer.send(to, body)
    return { sent: true }
  }))

/** A mailer that keeps what it sent, and knows one recipient only. */
const mailerTo = (known: string, sent: Array<string> = []) =>
  Layer.succeed(Mailer, {
    send: (to, body) =>
      to === known
        ? Effect.sync(() => void sent.push(body))
        : Effect.fail(new Bounced({ code: 550 })),
  })

const letter = { to: "ada", body: "Hello" }

const policyOf = ({ definition }: { readonly definition: Flow.Definition }) =>
  definition.steps[0]!.policy

const failed = (retryDelayMillis: number | undefined) =>
  ({
    _tag: "Failed",
    failure: { reason: "Defect", message: "boom" },
    retryDelayMillis,
  }) as const

const definitions: ReadonlyArray<ParityCase> = [
  {
    name: "Job.make: the slug is required, and the queue defaults to it",
    run: Effect.gen(function* () {
      const Lone = Job.make("parity_lone")
      assertEquals([Lone.slug, Lone.queue], ["parity_lone", "parity_lone"])
      assertThrows(() => Job.make(undefined as never), Problem.DefinitionError)
      assertThrows(() => Job.make(""), Problem.DefinitionError)
      const runId = yield* Lone.enqueue()
      assertEquals((yield* Runs.get(runId)).queue, "parity_lone")
    }),
  },
  {
    name: "Job.make: several jobs may share a queue",
    run: Effect.gen(function* () {
      const Letter = Job.make("parity_letter", { queue: "parity_post" })
      const Parcel = Job.make("parity_parcel", { queue: "parity_post" })
      yield* Letter.enqueue()
      yield* Parcel.enqueue()
      const tasks = yield* claim("parity_post", 2)
      assertEquals(tasks.map((task) => task.flow), ["parity_letter", "parity_parcel"])
    }),
  },
  {
    name: "maxAttempts: counts all attempts, not the retries, and defaults to 1",
    run: Effect.gen(function* () {
      const Once = Job.make("parity_once")
      const Twice = Job.make("parity_twice", { maxAttempts: 2 })
      assertEquals([policyOf(Once).maxAttempts, policyOf(Twice).maxAttempts], [1, 2])
      const once = yield* Once.enqueue()
      yield* perform("parity_once", failed(0))
      assertEquals((yield* Runs.get(once)).state, "failed")
      const twice = yield* Twice.enqueue()
      yield* perform("parity_twice", failed(0))
      assertEquals((yield* Runs.get(twice)).state, "ready")
      yield* perform("parity_twice", failed(0))
      const run = yield* Runs.get(twice)
      assertEquals([run.state, run.attempts.length], ["failed", 2])
    }),
  },
  {
    name: "baseDelay: starts an exponential backoff, 1 second by default, or backoff is another",
    run: Effect.sync(() => {
      const first = (job: { readonly definition: Flow.Definition }) =>
        Backoff.preview(policyOf(job).backoff, 3)
      assertEquals(first(Job.make("a_job")), [1000, 2000, 4000])
      assertEquals(first(Job.make("a_job", { baseDelay: "5 seconds" })), [5000, 10_000, 20_000])
      const backoff = Backoff.exponential({ base: 10, factor: 3 })
      assertEquals(first(Job.make("a_job", { backoff })), [10, 30, 90])
    }),
  },
  {
    name: "timeout: defaults to 30 seconds",
    run: Effect.sync(() => {
      assertEquals(policyOf(Job.make("a_job")).timeoutMillis, 30_000)
      assertEquals(policyOf(SendEmail).timeoutMillis, 60_000)
    }),
  },
  {
    name: "perform with a name: gives the job its handler, in a step of that name",
    run: Effect.gen(function* () {
      assertEquals(sendEmail.steps, ["send"])
      const output = yield* sendEmail.perform(letter).pipe(Effect.provide(mailerTo("ada")))
      assertEquals(output, { sent: true })
    }),
  },
  {
    name: "perform without a name: the step is called like the job",
    run: Effect.gen(function* () {
      const handled = SendEmail.perform(({ to }) => Effect.succeed({ sent: to === "ada" }))
      assertEquals(handled.steps, ["send_email"])
      assertEquals(yield* handled.perform(letter), { sent: true })
    }),
  },
  {
    name: "definition: is of a flow of type job, with one step",
    run: Effect.sync(() => {
      const { steps, ...flow } = sendEmail.definition
      assertEquals([flow.slug, flow.flowType, flow.queue], ["send_email", "job", "send_email"])
      const [{ slug, needs, policy }] = steps as [(typeof steps)[number]]
      assertEquals([steps.length, slug, needs.length, policy.maxAttempts], [1, "send", 0, 3])
      assertEquals(SendEmail.definition.flowType, "job")
      assertEquals(SendEmail.definition.steps.length, 1)
    }),
  },
  {
    name: "slug and steps: can be read of a job, with or without its handler",
    run: Effect.sync(() => {
      assertEquals([SendEmail.slug, ...SendEmail.steps], ["send_email", "send_email"])
      assertEquals([sendEmail.slug, ...sendEmail.steps], ["send_email", "send"])
    }),
  },
  {
    name: "handler and handlerFor: answer the function of the step",
    run: Effect.sync(() => {
      const handler = () => Effect.succeed({ sent: true })
      const handled = SendEmail.perform("send", handler)
      assertEquals(handled.handler, handler)
      assertEquals(handled.handlerFor("send"), handler)
      assertEquals(handled.handlerFor("deliver"), undefined)
    }),
  },
]

const handlers: ReadonlyArray<ParityCase> = [
  {
    name: "perform of a handled job: calls the handler in a test, without a worker",
    run: Effect.gen(function* () {
      const sent: Array<string> = []
      const mailer = mailerTo("ada", sent)
      yield* sendEmail.perform(letter).pipe(Effect.provide(mailer))
      assertEquals(sent, ["Hello"])
      const error = yield* sendEmail.perform({ ...letter, to: "bob" }).pipe(
        Effect.provide(mailer),
        Effect.flip,
      )
      assertInstanceOf(error, Bounced)
      const later = SendEmail.perform((_, { attempt }) =>
        Effect.fail(Attempt.snooze(attempt * 1000))
      )
      const snoozed = yield* Effect.flip(later.perform(letter, { attempt: 2 }))
      assert(Attempt.isControl(snoozed))
    }),
  },
  {
    name: "ctx: tells run, step, index, attempt and input, as an argument and as a service",
    run: Effect.gen(function* () {
      const seen: Array<AttemptContext["Service"]> = []
      const handled = SendEmail.perform("send", (_, ctx) =>
        Effect.gen(function* () {
          seen.push(ctx, yield* AttemptContext)
          return { sent: false }
        }))
      yield* handled.perform(letter, { runId: "a run", attempt: 2 })
      yield* handled.perform(letter)
      assertEquals(seen.length, 4)
      assertEquals(seen[0], seen[1]!)
      const [second, , first] = seen
      assertEquals([second?.runId, second?.attempt, first?.attempt], ["a run", 2, 1])
      assertEquals([first?.flow, first?.step, first?.index], ["send_email", "send", 0])
      assertEquals(first?.input, letter)
    }),
  },
]

const running: ReadonlyArray<ParityCase> = [
  {
    name: "enqueue: stores a run that is due at once, and answers its id",
    run: Effect.gen(function* () {
      const runId = yield* SendEmail.enqueue(letter)
      const run = yield* Runs.get(runId)
      assertEquals([run.id, run.job, run.state], [runId, "send_email", "ready"])
      assertEquals([run.dueAt, JSON.parse(run.input)], [undefined, letter])
      assertEquals((yield* claim("send_email")).map((task) => task.runId), [runId])
    }),
  },
  {
    name: "enqueue with a delay: the run is due that long after it was stored",
    run: Effect.gen(function* () {
      const runId = yield* SendEmail.enqueue(letter, { delay: "1 hour" })
      const run = yield* Runs.get(runId)
      assertEquals(run.dueAt! - run.enqueuedAt, 3_600_000)
      assertEquals(yield* claim("send_email"), [])
    }),
  },
  {
    name: "enqueue at an instant: the run is due then",
    run: Effect.gen(function* () {
      const at = new Date("2999-12-31T23:59:59.999Z")
      const runId = yield* SendEmail.enqueue(letter, { at })
      assertEquals((yield* Runs.get(runId)).dueAt, at.getTime())
      assertEquals(yield* claim("send_email"), [])
    }),
  },
  {
    name: "run: stores a run that is awaited, and answers its typed output once it ended",
    run: Effect.gen(function* () {
      const waiting = yield* Effect.forkChild(SendEmail.run(letter), { startImmediately: true })
      const stored = yield* claim("send_email").pipe(
        Effect.repeat({ until: (tasks) => tasks.length > 0 }),
        Effect.timeout("20 seconds"),
      )
      assertEquals(stored.map((task) => task.awaited), [true])
      yield* settle(stored[0]!, { _tag: "Completed", output: `{"sent":false}` })
      assertEquals(yield* Fiber.join(waiting), { sent: false })
    }),
  },
  {
    name: "await: answers the typed output of a run that ended, or fails with its typed error",
    run: Effect.gen(function* () {
      const good = yield* SendEmail.enqueue(letter)
      yield* perform("send_email", { _tag: "Completed", output: `{"sent":true}` })
      assertEquals(yield* SendEmail.await(good), { sent: true })
      const bad = yield* SendEmail.enqueue(letter)
      const error = `{"_tag":"Bounced","code":550}`
      const failure = { reason: "Discarded", message: "no such user", error } as const
      yield* perform("send_email", { _tag: "Discarded", failure })
      const ended = yield* Effect.flip(SendEmail.await(bad))
      assert(ended._tag === "RunFailed")
      assertInstanceOf(ended.error, Bounced)
      assertEquals(ended.error.code, 550)
    }),
  },
  {
    name: "backoff: the delay before attempt n + 1 is baseDelay * 2^(n - 1), with a cap",
    run: Effect.gen(function* () {
      const { backoff } = policyOf(SendEmail)
      for (let n = 1; n <= 12; n++) {
        assertEquals(backoff.delayMillis(n, 0), 5000 * 2 ** (n - 1))
      }
      assertEquals(backoff.delayMillis(1e6, 0), 24 * 60 * 60 * 1000)
      const runId = yield* SendEmail.enqueue(letter)
      yield* perform("send_email", failed(backoff.delayMillis(1, 0)))
      const run = yield* Runs.get(runId)
      assertEquals([run.state, run.dueAt! - run.attempts[0]!.finishedAt], ["ready", 5000])
    }),
  },
]

/** The rows, to be run one after the other on a store that is empty before the first, or before each. */
export const parityRows: ReadonlyArray<ParityCase> = [
  ...definitions,
  ...handlers,
  ...running,
  ...workerRows,
]

/** Lists the rows as tests on a driver that is built, with an empty store, for each of them. */
export const parityCases = (
  driver: Layer.Layer<Driver.Driver, unknown>,
): ReadonlyArray<{ readonly name: string; readonly run: () => Promise<void> }> =>
  parityRows.map(({ name, run }) => ({
    name,
    run: () => Effect.runPromise(Effect.provide(run, Layer.fresh(driver))),
  }))
