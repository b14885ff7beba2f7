/**
 * What the compiler must accept and refuse of flows. Nothing here runs: `tsc` and `deno check` fail
 * where an expected error is none, or an unexpected one is there.
 */
import type { Driver, DriverError, RunCancelled, RunFailed, RunNotFound } from "@millrace/core"
import { type Attempt, Flow, Job, Worker } from "@millrace/core"
import { Context, Effect, Layer, Schema } from "effect"
import { it } from "node:test"

type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false

const same = <A, B>(_: Equals<A, B>): void => {}

/** The types are checked by the compiler; the function is never called. */
const typed = (name: string, _types: () => unknown): void => void it(name, () => {})

/** What a parameter of a method says, where an argument is wrong. */
type Says<Text extends string> = Text

class Mailer extends Context.Service<Mailer, {
  readonly send: (to: string) => Effect.Effect<void>
}>()("test/Mailer") {}

class Clockwork extends Context.Service<Clockwork, { readonly tick: Effect.Effect<number> }>()(
  "test/Clockwork",
) {}

class Declined extends Schema.TaggedError<Declined>()("Declined", { code: Schema.Int }) {}

class Other extends Schema.TaggedError<Other>()("Other", {}) {}

const Line = Schema.Struct({ sku: Schema.String, count: Schema.Int })

class Order extends Schema.Class<Order>("Order")({
  lines: Schema.Array(Line),
  notes: Schema.optionalKey(Schema.Array(Schema.String)),
  kind: Schema.Literals(["small", "large"]),
}) {}

class Ship extends Job.make("ship", {
  input: { parcels: Schema.Array(Schema.Int) },
  output: { code: Schema.String },
  error: Declined,
}) {}

class Billing extends Flow.make("billing", { input: { amount: Schema.Int } })
  .step("bill", { output: Schema.String, error: Declined })
  .step("archive", { needs: ["bill"], output: Schema.Int, whenExhausted: "skip" }) {}

class ProcessOrder extends Flow.make("process_order", {
  input: { orderId: Schema.String, tags: Schema.Array(Schema.String) },
  maxAttempts: 3,
  baseDelay: "5 seconds",
})
  .step("validate", { output: Order })
  .step("charge", {
    needs: ["validate"],
    output: Schema.Int,
    error: Declined,
    undo: true,
    retryable: (error) => error.code < 500,
  })
  .map("pack", { over: "validate.lines", output: Schema.Int })
  .waitFor("approve", { needs: ["charge"], output: { by: Schema.String }, timeout: "2 days" })
  .job("send", Ship, { needs: ["pack"], input: ({ pack }) => ({ parcels: pack }) })
  .flow("bill", Billing, { needs: ["charge"], input: ({ charge }) => ({ amount: charge }) })
  .sleep("rest", "1 day", { needs: ["approve"] })
  .step("confirm", { needs: ["send", "bill", "rest"], output: Schema.String }) {}

const root = Flow.make("root", { input: { id: Schema.String, list: Schema.Array(Schema.Int) } })
const one = root.step("first", { output: Order })

typed("a step is given the input of the flow, or what its needs came to", () => {
  ProcessOrder.perform({
    validate: (input, ctx) => {
      same<typeof input, { readonly orderId: string; readonly tags: ReadonlyArray<string> }>(true)
      same<typeof ctx.attempt, number>(true)
      same<typeof ctx.input, typeof input>(true)
      return Effect.succeed(new Order({ lines: [], kind: "small" }))
    },
    charge: {
      run: (seen, ctx) => {
        same<typeof seen, { readonly validate: Order }>(true)
        same<typeof ctx.input.orderId, string>(true)
        return Effect.fail(new Declined({ code: seen.validate.lines.length }))
      },
      undo: (output, ctx) => {
        same<typeof output, number>(true)
        return Effect.log(ctx.input.tags)
      },
    },
    pack: (line, ctx) => {
      same<typeof line, { readonly sku: string; readonly count: number }>(true)
      return Effect.succeed(line.count + ctx.index)
    },
    send: Ship.perform(() => Effect.succeed({ code: "a" })),
    bill: Billing.perform({ bill: () => Effect.succeed("b"), archive: () => Effect.succeed(1) }),
    confirm: (seen) => {
      same<
        typeof seen,
        {
          readonly send: { readonly code: string }
          readonly bill: { readonly archive?: number }
          readonly rest: void
        }
      >(true)
      return Effect.succeed(seen.send.code)
    },
  })
})

typed(
  "the output of a run is that of its last steps, and its errors are those of its steps",
  () => {
    same<Effect.Success<ReturnType<typeof ProcessOrder.run>>, { readonly confirm: string }>(true)
    type Failure =
      | { readonly step: "charge"; readonly error: Declined }
      | { readonly step: "send"; readonly error: Declined }
      | {
        readonly step: "bill"
        readonly error: { readonly step: "bill"; readonly error: Declined }
      }
    same<
      ReturnType<typeof ProcessOrder.await>,
      Effect.Effect<
        { readonly confirm: string },
        DriverError | RunNotFound | RunFailed<Failure> | RunCancelled,
        Driver.Driver
      >
    >(true)
    const leaves = one.step("a", { needs: ["first"], output: Schema.Int }).step("b")
    same<
      Effect.Success<ReturnType<typeof leaves.run>>,
      { readonly a: number; readonly b: void }
    >(true)
  },
)

typed("the key of a need that can be skipped is optional, also in the output of a run", () => {
  const flow = root
    .step("plain", { output: Schema.Int })
    .step("unmet", { output: Schema.Int, if: { id: "a" } })
    .step("pure", { output: Schema.Int, when: ({ id }) => id === "a" })
    .step("spent", { output: Schema.Int, whenExhausted: "skip" })
    .step("strict", { output: Schema.Int, ifNot: { list: [1] }, whenUnmet: "fail" })
    .step("takes_all", { output: Schema.Int, if: { id: "a" }, whenUnmet: "skip-cascade" })
    .step("join", {
      needs: ["plain", "unmet", "pure", "spent", "strict", "takes_all"],
      output: Schema.Int,
    })
    .step("after", { needs: ["join"] })
  type Seen = {
    readonly plain: number
    readonly unmet?: number
    readonly pure?: number
    readonly spent?: number
    readonly strict: number
    readonly takes_all: number
  }
  type Join = Parameters<Flow.Handlers<typeof flow["~steps"], typeof flow["~input"]>["join"]>[0]
  const optional = (seen: Join): Seen => seen
  const required = (seen: Seen): Join => seen
  // What cascades reaches the last step, which may be missing, and not what is between.
  same<Effect.Success<ReturnType<typeof flow.run>>, { readonly after?: void }>(true)
  return [optional, required]
})

typed("a map has a task for each element, wherever its array is", () => {
  const flow = root
    .step("numbers", { output: Schema.Array(Schema.Int) })
    .map("whole", { over: "numbers", output: Schema.String, error: Declined, onFailure: "collect" })
    .map("results", { over: "whole", output: Schema.Int, onFailure: "skip" })
    .map("given", { over: "input.list", output: Schema.Int })
    .step("join", { needs: ["whole", "results", "given"] })
  flow.perform({
    numbers: () => Effect.succeed([1]),
    whole: (n) => Effect.succeed(n.toFixed()),
    results: (result) => {
      same<typeof result, Flow.Result<string, Declined>>(true)
      return Effect.succeed(result._tag === "Success" ? result.value.length : 0)
    },
    given: (n) => Effect.succeed(n),
    join: ({ whole, results, given }) => {
      same<typeof whole, ReadonlyArray<Flow.Result<string, Declined>>>(true)
      return Effect.sync(() => void [...results, ...given].map((n) => n.toFixed()))
    },
  })
  const Numbers = Flow.make("numbers", { input: Schema.Array(Schema.Int) })
  return Numbers.map("all", { over: "input" }).perform({
    all: (n) => Effect.sync(() => void n.toFixed()),
  })
})

typed("an unknown, a later, or an own need is an error that says so", () => {
  // @ts-expect-error: Step 'confirm' needs 'pak', which is no earlier step
  one.step("confirm", { needs: ["first", "pak"] })
  // @ts-expect-error: Step 'early' needs 'late', which is no earlier step
  one.step("early", { needs: ["late"] }).step("late")
  // @ts-expect-error: Step 'own' cannot need itself
  one.step("own", { needs: ["own"] })
  // @ts-expect-error: it is no earlier step
  one.waitFor("wait", { needs: ["pak"] })
  // @ts-expect-error: it is no earlier step
  one.sleep("rest", "1 day", { needs: ["pak"] })
  // @ts-expect-error: it is no earlier step
  one.job("send", Ship, { needs: ["pak"], input: () => ({ parcels: [] }) })
  // @ts-expect-error: it is no earlier step
  one.flow("bill", Billing, { needs: ["pak"], input: () => ({ amount: 1 }) })
  type Need = Flow.Earlier<"confirm", "pak", typeof one["~steps"]>
  same<Need, Says<"Step 'confirm' needs 'pak', which is no earlier step">>(true)
  same<Flow.Earlier<"own", "own", typeof one["~steps"]>, "Step 'own' cannot need itself">(true)
})

typed("a slug that is there already is an error that says so", () => {
  // @ts-expect-error: Step 'first' is defined twice
  one.step("first")
  // @ts-expect-error: Step 'first' is defined twice
  one.map("first", { over: "first.lines" })
  // @ts-expect-error: Step 'first' is defined twice
  one.waitFor("first")
  // @ts-expect-error: Step 'first' is defined twice
  one.sleep("first", "1 day")
  // @ts-expect-error: it is the input of the flow
  one.step("input")
  same<Flow.FreeSlug<"first", typeof one["~steps"]>, "Step 'first' is defined twice">(true)
})

typed("a map over what is no array is an error that says so", () => {
  // @ts-expect-error: Map 'all' is over 'first', which is no array
  one.map("all", { over: "first" })
  // @ts-expect-error: Map 'all' is over 'first.kind', which is no array
  one.map("all", { over: "first.kind" })
  // @ts-expect-error: the notes may be missing
  one.map("all", { over: "first.notes" })
  // @ts-expect-error: there is no such field
  one.map("all", { over: "first.items" })
  // @ts-expect-error: there is no such step
  one.map("all", { over: "second.lines" })
  // @ts-expect-error: the input is no array
  one.map("all", { over: "input" })
  // @ts-expect-error: there is no such field
  one.map("all", { over: "input.items" })
  // @ts-expect-error: it has to be over something
  one.map("all", { output: Schema.Int })
  type Over<Path extends string> = Flow.ToArray<
    "all",
    Path,
    typeof one["~steps"],
    typeof one["~input"]
  >
  same<Over<"first.kind">, "Map 'all' is over 'first.kind', which is no array">(true)
  same<
    Over<"second.lines">,
    "Map 'all' is over 'second.lines', which is no earlier step, nor in one, nor in 'input'"
  >(true)
  same<Over<"first.lines">, "first.lines">(true)
})

typed("a job or a flow that does not take what the step sees is an error that says so", () => {
  // @ts-expect-error: it takes parcels, and not an id
  root.job("send", Ship)
  // @ts-expect-error: it takes parcels, and not an order
  one.job("send", Ship, { needs: ["first"] })
  // @ts-expect-error: it takes an amount, and not an order
  one.flow("bill", Billing, { needs: ["first"] })
  // @ts-expect-error: what is made of it is no input of the job
  one.job("send", Ship, { needs: ["first"], input: ({ first }) => ({ parcels: [first.kind] }) })
  // @ts-expect-error: there is no such need
  one.job("send", Ship, { needs: ["first"], input: ({ second }) => ({ parcels: [second] }) })
  same<
    Flow.Fitting<"send", typeof Ship, { readonly id: string }, { readonly n: number }, never>,
    "What step 'send' sees does not fit: make the input of it with the option 'input'"
  >(true)
  const Takes = Job.make("takes", { input: { first: Order } })
  const Id = Job.make("id", { input: { id: Schema.String } })
  return [one.job("takes", Takes, { needs: ["first"] }), root.job("id", Id)]
})

typed("conditions are patterns and predicates of what the step sees", () => {
  one.step("a", { needs: ["first"], if: { first: { kind: "small", lines: [{ sku: "a" }] } } })
  one.step("a", { needs: ["first"], when: ({ first }) => first.kind === "small" })
  // @ts-expect-error: there is no such kind
  one.step("a", { needs: ["first"], if: { first: { kind: "middle" } } })
  // @ts-expect-error: there is no such field
  one.step("a", { needs: ["first"], ifNot: { first: { sort: "small" } } })
  // @ts-expect-error: it sees what it needs, and not the input of the flow
  one.step("a", { needs: ["first"], if: { id: "a" } })
  // @ts-expect-error: a boolean is wanted
  one.step("a", { needs: ["first"], when: ({ first }) => first.kind })
  // @ts-expect-error: there is no such need
  one.step("a", { needs: ["first"], when: ({ second }) => second })
  // @ts-expect-error: there is no such choice
  one.step("a", { whenUnmet: "ignore" })
  // @ts-expect-error: there is no such choice
  one.map("a", { over: "first.lines", onFailure: "ignore" })
})

typed("an option that there is not, or of the wrong type, is an error", () => {
  // @ts-expect-error: it is called needs
  one.step("a", { need: ["first"] })
  // @ts-expect-error: a number is wanted
  one.step("a", { maxAttempts: "3" })
  // @ts-expect-error: a Schema is wanted
  one.step("a", { output: { sent: Boolean } })
  // @ts-expect-error: a signal is not tried again
  one.waitFor("a", { maxAttempts: 3 })
  // @ts-expect-error: a sleep takes some time
  one.sleep("a")
  // @ts-expect-error: a map has one source
  one.map("a", { over: "first.lines", needs: ["first"] })
  // @ts-expect-error: a job has a policy of its own
  one.job("a", Ship, { input: () => ({ parcels: [] }), maxAttempts: 3 })
  // @ts-expect-error: the step foresees no error
  one.step("a", { retryable: (error) => error.code < 500 })
  // @ts-expect-error: there is no such option
  Flow.make("a_flow", { steps: [] })
  // @ts-expect-error: a flow is no constructor
  new ProcessOrder()
})

typed("a missing, an unknown, or a wrong handler is an error", () => {
  const flow = one.step("second", { needs: ["first"], output: Schema.Int, error: Declined })
    .waitFor("go", { needs: ["second"] })
  const first = () => Effect.succeed(new Order({ lines: [], kind: "small" }))
  const second = () => Effect.succeed(1)
  flow.perform({ first, second })
  // @ts-expect-error: the second step has none
  flow.perform({ first })
  // @ts-expect-error: there is no third step
  flow.perform({ first, second, third: second })
  // @ts-expect-error: nothing runs a signal
  flow.perform({ first, second, go: second })
  // @ts-expect-error: a number is wanted
  flow.perform({ first, second: () => Effect.succeed("1") })
  // @ts-expect-error: it is not the error of the step
  flow.perform({ first, second: () => Effect.fail(new Other()) })
  // @ts-expect-error: an Effect is wanted
  flow.perform({ first, second: () => 1 })
  // @ts-expect-error: there is no such need
  flow.perform({ first, second: ({ zeroth }) => zeroth })
  type No = Flow.NoOthers<{ readonly third: 1 }, typeof flow["~steps"]>["third"]
  same<No, "There is no step 'third' that takes a handler">(true)
})

typed("a step with an undo takes both, and a job or a flow what handles it", () => {
  const flow = root.step("charge", { output: Schema.Int, undo: true })
    .job("send", Ship, { input: () => ({ parcels: [] }) })
    .flow("bill", Billing, { input: () => ({ amount: 1 }), undo: true })
  const run = () => Effect.succeed(1)
  const undo = () => Effect.void
  const ship = Ship.perform(() => Effect.succeed({ code: "a" }))
  const billing = Billing.perform({ bill: () => Effect.succeed("b"), archive: run })
  flow.perform({ charge: { run, undo }, send: ship, bill: { run: billing, undo } })
  // @ts-expect-error: the undo is missing
  flow.perform({ charge: run, send: ship, bill: { run: billing, undo } })
  // @ts-expect-error: the undo is missing
  flow.perform({ charge: { run }, send: ship, bill: { run: billing, undo } })
  // @ts-expect-error: a job with its handler is wanted
  flow.perform({ charge: { run, undo }, send: Ship, bill: { run: billing, undo } })
  // @ts-expect-error: another job is wanted
  flow.perform({ charge: { run, undo }, send: Job.make("x").perform(undo), bill: billing })
  // @ts-expect-error: another flow is wanted
  flow.perform({ charge: { run, undo }, send: ship, bill: { run: root.perform({}), undo } })
  // @ts-expect-error: the undo is given a number
  flow.perform({ charge: { run, undo: (n: string) => Effect.log(n) }, send: ship, bill: billing })
})

typed("what handlers need is inferred, and a worker needs it all", () => {
  const flow = root
    .step("mail", { undo: true })
    .job("send", Job.make("plain"), { input: () => undefined })
    .step("idle")
  const handled = flow.perform({
    mail: {
      run: ({ id }) => Mailer.use((mailer) => mailer.send(id)),
      undo: () => Effect.asVoid(Effect.flatMap(Clockwork, (clockwork) => clockwork.tick)),
    },
    send: Job.make("plain").perform(() => Mailer.use((mailer) => mailer.send("ada"))),
    idle: () => Effect.void,
  })
  const requires: Flow.AnyHandledFlow<Mailer | Clockwork> = handled
  // @ts-expect-error: it needs more
  const less: Flow.AnyHandledFlow<Mailer> = handled
  const live = Worker.layer({ flows: [handled] })
  same<Layer.Services<typeof live>, Driver.Driver | Mailer | Clockwork>(true)
  return [requires, less]
})

typed("a step that is called in a test is given what its handler is", () => {
  const flow = one.step("second", { needs: ["first"], output: Schema.Int, error: Declined })
    .map("each", { over: "first.lines", output: Schema.Int })
    .job("send", Ship, { input: () => ({ parcels: [] }) })
  const handled = flow.perform({
    first: () => Effect.succeed(new Order({ lines: [], kind: "small" })),
    second: () => Effect.succeed(1),
    each: ({ count }) => Effect.succeed(count),
    send: Ship.perform(() => Effect.succeed({ code: "a" })),
  })
  const first = new Order({ lines: [], kind: "small" })
  const called = handled.perform("second", { first }, { attempt: 2, input: { id: "a", list: [] } })
  same<typeof called, Effect.Effect<number, Declined | Attempt.Control<Declined>>>(true)
  handled.perform("each", { sku: "a", count: 1 })
  handled.perform("send", { parcels: [1] })
  // @ts-expect-error: it sees an order
  handled.perform("second", { first: 1 })
  // @ts-expect-error: there is no third step
  handled.perform("third", {})
})

typed("signals and starts are typed", () => {
  const id = "01890a5d-ac96-774b-bcce-b302099a8057" as Parameters<typeof ProcessOrder.await>[0]
  ProcessOrder.signal(id, "approve", { by: "ada" })
  ProcessOrder.start({ orderId: "a", tags: [] })
  // @ts-expect-error: a text is wanted
  ProcessOrder.signal(id, "approve", { by: 5 })
  // @ts-expect-error: it is no signal
  ProcessOrder.signal(id, "charge", 5)
  // @ts-expect-error: there is no such step
  ProcessOrder.rerun(id, { from: "chrage" })
  // @ts-expect-error: the tags are missing
  ProcessOrder.start({ orderId: "a" })
})
