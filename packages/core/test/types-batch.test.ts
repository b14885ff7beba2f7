/**
 * What the compiler must accept and refuse of batches and of runs in the hand. Nothing here runs.
 */
import type { Driver, DriverError, RunHandle, RunId } from "@millrace/core"
import { Batch, Flow, Job } from "@millrace/core"
import type { InputInvalid, QueueFull, RunCancelled, RunFailed, RunNotFound } from "@millrace/core"
import { Context, Effect, Schema } from "effect"
import { it } from "node:test"

type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false

const same = <A, B>(_: Equals<A, B>): void => {}

/** The types are checked by the compiler; the function is never called. */
const typed = (name: string, _types: () => unknown): void => void it(name, () => {})

class Mailer extends Context.Service<Mailer, {
  readonly send: (to: string) => Effect.Effect<void>
}>()("test/Mailer") {}

class Desk extends Context.Service<Desk, { readonly put: Effect.Effect<void> }>()("test/Desk") {}

class Declined extends Schema.TaggedError<Declined>()("Declined", { code: Schema.Int }) {}

class Mail extends Job.make("mail", {
  input: { to: Schema.String },
  output: Schema.Int,
  error: Declined,
}) {}

class Report extends Job.make("report", { input: Batch.Summary, error: Declined }) {}

class Close extends Job.make("close", { input: { sent: Schema.Int } }) {}

const Bare = Batch.make("bare", { job: Mail })
const Reported = Batch.make("reported", { job: Mail, then: Report })
const Closed = Batch.make("closed", {
  job: Mail,
  then: { job: Close, input: ({ completed }) => ({ sent: completed }) },
})

typed("a batch takes the inputs of its job", () => {
  same<
    ReturnType<typeof Bare.start>,
    Effect.Effect<RunId.RunId, InputInvalid | QueueFull | DriverError, Driver.Driver>
  >(true)
  Bare.start([{ to: "a" }])
  // @ts-expect-error an input of another type
  Bare.start([{ to: 1 }])
  // @ts-expect-error one input, and no array
  Bare.start({ to: "a" })
})

typed("a batch comes to a summary, and fails as what follows does", () => {
  type Ended<E> = Effect.Effect<
    Batch.Summary,
    DriverError | RunNotFound | RunFailed<E> | RunCancelled,
    Driver.Driver
  >
  same<ReturnType<typeof Bare.await>, Ended<never>>(true)
  type Failed = { readonly step: "then"; readonly error: Declined }
  same<ReturnType<typeof Reported.await>, Ended<Failed>>(true)
  same<ReturnType<typeof Reported.handle>, RunHandle<Batch.Summary, Failed>>(true)
})

typed("what follows takes the summary, or has its input made of it", () => {
  // @ts-expect-error its input is not the summary
  Batch.make("b", { job: Mail, then: Close })
  // @ts-expect-error what is made is not its input
  Batch.make("b", { job: Mail, then: { job: Close, input: () => ({ sent: "1" }) } })
  // @ts-expect-error there is no such option
  Batch.make("b", { job: Mail, after: Report })
})

typed("a batch needs the handlers of its jobs, and what they need", () => {
  const mail = Mail.perform(({ to }) =>
    Effect.as(Effect.flatMap(Mailer, ({ send }) => send(to)), 1)
  )
  const report = Report.perform(() => Effect.flatMap(Desk, ({ put }) => put))
  const handled = Reported.perform({ job: mail, then: report })
  same<typeof handled, Flow.HandledFlow<"reported", Mailer | Desk>>(true)
  Bare.perform({ job: mail })
  // @ts-expect-error what follows has no handler
  Closed.perform({ job: mail })
  // @ts-expect-error the handler of another job
  Bare.perform({ job: report })
})

typed("a run in the hand is typed by what it is a run of", () => {
  const id = "" as RunId.RunId
  same<ReturnType<typeof Mail.handle>, RunHandle<number, Declined>>(true)
  const Sum = Flow.make("sum", { input: Schema.Int }).step("add", { output: Schema.Int })
  const { await: output } = Sum.handle(id)
  same<Effect.Success<typeof output>, { readonly add: number }>(true)
})
