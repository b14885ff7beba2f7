/**
 * What the compiler must accept and refuse. Nothing here runs: `tsc` and `deno check` fail where an expected
 * error is none, or an unexpected one is there.
 */
import type {
  DriverError,
  InputInvalid,
  QueueFull,
  RunCancelled,
  RunFailed,
  RunNotFound,
} from "@millrace/core"
import { Attempt, AttemptContext, Backoff, Driver, Job } from "@millrace/core"
import { Context, Effect, Schema } from "effect"
import { it } from "node:test"

type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false

const same = <A, B>(_: Equals<A, B>): void => {}

/** The types are checked by the compiler; the function is never called. */
const typed = (name: string, _types: () => unknown): void => void it(name, () => {})

class Mailer extends Context.Service<Mailer, {
  readonly send: (to: string) => Effect.Effect<void, Bounced>
}>()("test/Mailer") {}

class Clockwork extends Context.Service<Clockwork, { readonly tick: Effect.Effect<number> }>()(
  "test/Clockwork",
) {}

class Bounced extends Schema.TaggedError<Bounced>()("Bounced", { code: Schema.Int }) {}

class Other extends Schema.TaggedError<Other>()("Other", {}) {}

class SendEmail extends Job.make("send_email", {
  input: { to: Schema.String, at: Schema.optionalKey(Schema.Date) },
  output: { sent: Schema.Boolean },
  error: Bounced,
  retryable: (error) => error.code < 500,
}) {}

type Input = { readonly to: string; readonly at?: Date }

declare const needy: Schema.Codec<string, string, Mailer, never>
declare const needyWriter: Schema.Codec<string, string, never, Mailer>

typed("a class made of a job keeps the types of its schemas", () => {
  same<typeof SendEmail.slug, "send_email">(true)
  same<Parameters<typeof SendEmail.enqueue>[0], Input>(true)
  same<
    ReturnType<typeof SendEmail.enqueue>,
    Effect.Effect<string, InputInvalid | QueueFull | DriverError, Driver.Driver>
  >(true)
  same<
    ReturnType<typeof SendEmail.run>,
    Effect.Effect<
      { readonly sent: boolean },
      InputInvalid | QueueFull | DriverError | RunNotFound | RunFailed<Bounced> | RunCancelled,
      Driver.Driver
    >
  >(true)
  same<
    ReturnType<typeof SendEmail.await>,
    Effect.Effect<
      { readonly sent: boolean },
      DriverError | RunNotFound | RunFailed<Bounced> | RunCancelled,
      Driver.Driver
    >
  >(true)
})

typed("any job is a Job.Any, and any handled job a Job.AnyHandled", () => {
  const Plain = Job.make("plain")
  const Count = Job.make("count", { input: Schema.Int, output: Schema.Int })
  const jobs: ReadonlyArray<Job.Any> = [SendEmail, Plain, Count]
  const ticking = Plain.perform(() => Effect.asVoid(Effect.flatMap(Clockwork, (one) => one.tick)))
  const handled: ReadonlyArray<Job.AnyHandled> = [
    SendEmail.perform(() => Effect.succeed({ sent: true })),
    ticking,
    Count.perform((n) => Effect.succeed(n * 2)),
  ]
  const needs = <const H extends Job.AnyHandled>(_: ReadonlyArray<H>): Job.Requirements<H> =>
    undefined as never
  same<ReturnType<typeof needs<typeof ticking>>, Clockwork>(true)
  const some = needs([ticking, Count.perform((n) => Effect.succeed(n * 2))])
  same<typeof some, Clockwork>(true)
  return [jobs, handled]
})

typed("a job without options takes nothing, gives nothing and foresees no error", () => {
  const Plain = Job.make("plain")
  same<typeof Plain, Job.Job<"plain", void, void, never>>(true)
  same<ReturnType<typeof Plain.await> extends Effect.Effect<infer A, any, any> ? A : 0, void>(true)
  return Plain.enqueue()
})

typed("a job of a whole schema takes what the schema says", () => {
  const Count = Job.make("count", { input: Schema.Int, output: Schema.NullOr(Schema.BigInt) })
  same<typeof Count, Job.Job<"count", number, bigint | null, never>>(true)
})

typed("a job is no constructor", () => {
  // @ts-expect-error: a job has no instances.
  return new SendEmail()
})

typed("an option that there is not is an error", () => {
  // @ts-expect-error: it is called maxAttempts.
  Job.make("a_job", { maxAttempt: 3 })
  // @ts-expect-error: the slug is the first argument.
  Job.make("a_job", { slug: "other" })
  // @ts-expect-error: it is called delay.
  SendEmail.enqueue({ to: "ada" }, { dealy: 5 })
  // @ts-expect-error: one id cannot serve many runs.
  SendEmail.enqueueMany([{ to: "ada" }], { id: "01890a5d-ac96-774b-bcce-b302099a8057" })
  // @ts-expect-error: it is called base.
  Backoff.exponential({ baseDelay: 5 })
})

typed("an option of the wrong type is an error", () => {
  // @ts-expect-error: a number is wanted.
  Job.make("a_job", { maxAttempts: "3" })
  // @ts-expect-error: a duration has a unit.
  Job.make("a_job", { timeout: "30" })
  // @ts-expect-error: a Backoff is wanted.
  Job.make("a_job", { backoff: "exponential" })
  // @ts-expect-error: a Schema is wanted.
  Job.make("a_job", { input: { to: String } })
  // @ts-expect-error: a text is wanted.
  Job.make(5)
})

typed("an input of the wrong type is an error", () => {
  // @ts-expect-error: a text is wanted.
  SendEmail.enqueue({ to: 5 })
  // @ts-expect-error: the recipient is missing.
  SendEmail.enqueue({})
  // @ts-expect-error: there is no such field.
  SendEmail.enqueue({ to: "ada", subject: "Hello" })
  // @ts-expect-error: the input is missing.
  SendEmail.enqueue()
  // @ts-expect-error: a text is wanted.
  SendEmail.enqueueMany([{ to: "ada" }, { to: 5 }])
  // @ts-expect-error: a Date is wanted, not its encoded form.
  SendEmail.run({ to: "ada", at: "1970-01-01T00:00:00.000Z" })
  // @ts-expect-error: a handled job takes the same input in a test.
  SendEmail.perform(() => Effect.succeed({ sent: true })).perform({ to: 5 })
})

typed(
  "a handler is given its input and its context, typed",
  () =>
    SendEmail.perform((input, ctx) => {
      same<typeof input, Input>(true)
      same<typeof ctx, AttemptContext["Service"]>(true)
      same<typeof ctx.attempt, number>(true)
      // @ts-expect-error: the facts of an attempt cannot be changed.
      ctx.attempt = 2
      // @ts-expect-error: there is no such fact.
      ctx.retries
      // @ts-expect-error: a handler never sees the driver.
      ctx.driver
      // @ts-expect-error: there is no such field.
      input.subject
      return Effect.succeed({ sent: true })
    }),
)

typed("a handler that answers something else is an error", () => {
  // @ts-expect-error: a boolean is wanted.
  SendEmail.perform(() => Effect.succeed({ sent: "yes" }))
  // @ts-expect-error: an output is wanted.
  SendEmail.perform(() => Effect.void)
  // @ts-expect-error: an Effect is wanted.
  SendEmail.perform(() => ({ sent: true }))
  // @ts-expect-error: an Effect is wanted, not a promise of the output.
  SendEmail.perform("send", () => Promise.resolve({ sent: true }))
  // @ts-expect-error: a handler is wanted.
  SendEmail.perform("send")
})

typed("a handler that fails with something else is an error", () => {
  SendEmail.perform(() => Effect.fail(new Bounced({ code: 550 })))
  // @ts-expect-error: it is not the error of the job.
  SendEmail.perform(() => Effect.fail(new Other()))
  // @ts-expect-error: it is not the error of the job, named step or not.
  SendEmail.perform("send", () => Effect.fail("oops"))
  // @ts-expect-error: the job foresees no error.
  Job.make("plain").perform(() => Effect.fail(new Bounced({ code: 550 })))
})

typed("a handler may say what becomes of its attempt, with the error of the job", () => {
  SendEmail.perform(() => Effect.fail(Attempt.snooze("1 minute")))
  SendEmail.perform(() => Effect.fail(Attempt.retryAfter("1 minute")))
  SendEmail.perform(() =>
    Effect.gen(function* () {
      return yield* Attempt.discard(new Bounced({ code: 550 }))
    })
  )
  SendEmail.perform(() => Effect.fail(Attempt.discard(new Bounced({ code: 550 }))))
  // @ts-expect-error: it is not the error of the job.
  SendEmail.perform(() => Effect.fail(Attempt.discard(new Other())))
  // @ts-expect-error: the job foresees no error.
  Job.make("plain").perform(() => Effect.fail(Attempt.discard(new Bounced({ code: 550 }))))
  // @ts-expect-error: a delay is wanted.
  Attempt.snooze("later")
})

typed("retryable is given the error of the job", () => {
  Job.make("a_job", {
    error: Schema.Union([Bounced, Other]),
    retryable: (error) => {
      same<typeof error, Bounced | Other>(true)
      return error._tag === "Other"
    },
  })
  // @ts-expect-error: there is no such field.
  Job.make("a_job", { error: Bounced, retryable: (error) => error.status < 500 })
  // @ts-expect-error: a boolean is wanted.
  Job.make("a_job", { error: Bounced, retryable: (error) => error.code })
  // @ts-expect-error: the job foresees no error.
  Job.make("a_job", { retryable: (error) => error.code < 500 })
})

typed("what a handler needs is inferred, but for the facts of its attempt", () => {
  const sendEmail = SendEmail.perform("send", ({ to }) =>
    Effect.gen(function* () {
      const ctx = yield* AttemptContext
      const mailer = yield* Mailer
      const now = yield* (yield* Clockwork).tick
      yield* mailer.send(`${to}, attempt ${ctx.attempt} at ${now}`)
      return { sent: true }
    }))
  same<Job.Requirements<typeof sendEmail>, Mailer | Clockwork>(true)
  const idle = SendEmail.perform(() => Effect.as(AttemptContext, { sent: false }))
  same<Job.Requirements<typeof idle>, never>(true)
  const handled: Job.AnyHandled<Mailer | Clockwork> = sendEmail
  // @ts-expect-error: it needs more.
  const less: Job.AnyHandled<Mailer> = sendEmail
  return [handled, less]
})

typed("a handled job that is called in a test needs what its handler needs", () => {
  const sendEmail = SendEmail.perform(({ to }) =>
    Mailer.use((mailer) => Effect.as(mailer.send(to), { sent: true }))
  )
  const called = sendEmail.perform({ to: "ada" }, { attempt: 2 })
  same<
    typeof called,
    Effect.Effect<{ readonly sent: boolean }, Bounced | Attempt.Control<Bounced>, Mailer>
  >(true)
  // @ts-expect-error: nobody provides the mailer.
  Effect.runPromise(called)
  // @ts-expect-error: there is no such fact.
  sendEmail.perform({ to: "ada" }, { tries: 2 })
  return Effect.runPromise(Effect.provideService(called, Mailer, { send: () => Effect.void }))
})

typed("a schema that needs a service is an error", () => {
  // @ts-expect-error: nobody provides the mailer when the worker decodes.
  Job.make("a_job", { input: needy })
  // @ts-expect-error: nobody provides the mailer when the worker encodes.
  Job.make("a_job", { output: needyWriter })
  // @ts-expect-error: nor in a struct.
  Job.make("a_job", { input: Schema.Struct({ to: needy }) })
  // @ts-expect-error: nor in the fields of one.
  Job.make("a_job", { input: { to: needy } })
  // @ts-expect-error: nor beside fields that need nothing.
  Job.make("a_job", { output: { sent: Schema.Boolean, to: needyWriter } })
  // @ts-expect-error: nor in a field that may be missing.
  Job.make("a_job", { input: { to: Schema.optionalKey(needy) } })
  // @ts-expect-error: nor in an error.
  Job.make("a_job", { error: Schema.Struct({ to: needyWriter }) })
})

typed("enqueueing needs a driver", () => {
  // @ts-expect-error: nobody provides the driver.
  return Effect.runPromise(SendEmail.enqueue({ to: "ada" }))
})
