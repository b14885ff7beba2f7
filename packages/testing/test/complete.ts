/** What becomes of handlers that complete their attempt in a transaction, on whichever driver. */
import {
  Attempt,
  AttemptContext,
  Driver,
  DriverError,
  Job,
  Runs,
  Transaction,
  Worker,
} from "@millrace/core"
import { assert, assertEquals } from "@std/assert"
import { type Duration, Effect, Layer, Logger, References, Schema } from "effect"

type Needs = Driver.Driver | Transaction.Transactions

/** A case: a program that asserts. */
export interface CompleteCase {
  readonly name: string
  readonly run: Effect.Effect<void, unknown, Needs>
}

class Refused extends Schema.TaggedError<Refused>()("Refused", {}) {}

const Follow = Job.make("follow", { input: Schema.String })

const suffix = () => crypto.randomUUID().replaceAll("-", "").slice(0, 20)

/** A job of its own for each case, since those of one store share its queues. */
const makeJob = (more: { readonly maxAttempts?: number; readonly timeout?: Duration.Input } = {}) =>
  Job.make(`complete_${suffix()}`, {
    input: Schema.String,
    output: Schema.Int,
    error: Refused,
    baseDelay: "1 millis",
    ...more,
  })

type Complete = ReturnType<typeof makeJob>
type Handled = Job.AnyHandled<Needs>

interface Ran {
  readonly run: Runs.Run
  /** How many runs the handler has enqueued that are stored. */
  readonly followed: number
  readonly logs: ReadonlyArray<string>
}

/** Serves one run to its end, and what was logged meanwhile. */
const serve = Effect.fnUntraced(function* (
  handled: Handled,
  queue: string,
  around: Layer.Layer<Transaction.Transactions, never, Transaction.Transactions> = Layer
    .empty as never,
) {
  const logs: Array<string> = []
  const logger = Logger.make(({ message }) => void logs.push(String(message)))
  const worker = Worker.layer({ jobs: [handled], pollInterval: "20 millis", lease: "20 seconds" })
  const outer = yield* Effect.context<Needs>()
  const run = yield* Effect.gen(function* () {
    const id = yield* (handled.job as Complete).enqueue(queue)
    return yield* Runs.awaitEnd(id)
  }).pipe(
    Effect.provide(worker.pipe(
      Layer.provide(around),
      Layer.provideMerge(Layer.succeedContext(outer)),
      Layer.provide(Logger.layer([logger])),
      Layer.fresh,
    )),
  )
  const followed = yield* Driver.Driver.use((driver) => driver.find({ queue, limit: 100 }))
  return { run, followed: followed.length, logs } satisfies Ran
})

/** Enqueues a run into the queue that the input names. */
const followUp = (queue: string) =>
  Driver.Driver.use((driver) =>
    Effect.flatMap(Effect.sync(() => crypto.randomUUID()), (id) =>
      driver.insert([{
        id,
        runId: id,
        flowType: "job",
        flow: Follow.slug,
        step: Follow.slug,
        index: 0,
        queue,
        priority: 5,
        input: `"${queue}"`,
        maxAttempts: 1,
        maxCrashes: 0,
        delayMillis: 0,
        awaited: false,
      }]))
  )

const complete = (
  name: string,
  body: (queue: string) => Generator<Effect.Effect<unknown, unknown, Needs>, void, never>,
): CompleteCase => ({
  name,
  run: Effect.suspend(() => Effect.gen(() => body(`follow_${suffix()}`))).pipe(
    Effect.provideService(References.MinimumLogLevel, "Info"),
  ),
})

const lostAnswer = DriverError.unavailable("commit", "the answer was lost, says the test")

/** Transactions of which the first commits lose their answer, after or before they take effect. */
const losing = (committed: ReadonlyArray<boolean>) => {
  const left = [...committed]
  return Layer.effect(
    Transaction.Transactions,
    Effect.map(Transaction.Transactions, (sound) =>
      ({
        run: (effect) => {
          const fate = left.shift()
          if (fate === undefined) return sound.run(effect)
          return fate
            ? Effect.andThen(sound.run(effect), Effect.fail(lostAnswer))
            : sound.run(Effect.andThen(effect, Effect.fail(lostAnswer)))
        },
      }) satisfies Transaction.Transactions["Service"] as Transaction.Transactions["Service"]),
  )
}

const kinds = (run: Runs.Run) => run.history.map(({ kind }) => kind)

export const completeCases: ReadonlyArray<CompleteCase> = [
  complete("what it enqueues and its outcome are stored together", function* (queue) {
    const handled = makeJob().perform((to) =>
      Transaction.complete(Effect.as(Effect.orDie(followUp(to)), 7))
    )
    const { run, followed, logs } = yield* serve(handled, queue)
    assertEquals([run.state, run.output, kinds(run), followed], [
      "completed",
      "7",
      ["completed"],
      1,
    ])
    assert(run.attempts[0]!.startedAt !== undefined)
    assertEquals(logs.filter((log) => /late|put off|another end/.test(log)), [])
  }),

  complete("a failure of its own leaves nothing, and spends an attempt", function* (queue) {
    const handled = makeJob({ maxAttempts: 2 }).perform((to, { attempt }) =>
      Transaction.complete(
        Effect.andThen(
          Effect.orDie(followUp(to)),
          attempt === 1 ? Effect.fail(new Refused()) : Effect.succeed(attempt),
        ),
      )
    )
    const { run, followed } = yield* serve(handled, queue)
    assertEquals([run.output, kinds(run), followed], ["2", ["failed", "completed"], 1])
    assertEquals(run.history[0]?.failure?.error, `{"_tag":"Refused"}`)
  }),

  complete("a timeout leaves nothing", function* (queue) {
    const handled = makeJob({ timeout: "50 millis" }).perform((to) =>
      Transaction.complete(Effect.andThen(Effect.orDie(followUp(to)), Effect.never))
    )
    const { run, followed } = yield* serve(handled, queue)
    assertEquals([run.state, kinds(run), followed], ["failed", ["timed_out"], 0])
  }),

  complete("a defect leaves nothing", function* (queue) {
    const handled = makeJob().perform((to) =>
      Transaction.complete(Effect.andThen(Effect.orDie(followUp(to)), Effect.die("boom")))
    )
    const { run, followed } = yield* serve(handled, queue)
    assertEquals([run.state, run.failure?.message, followed], ["failed", "boom", 0])
  }),

  complete("an output that its schema refuses leaves nothing", function* (queue) {
    const handled = makeJob().perform((to) =>
      Transaction.complete(Effect.as(Effect.orDie(followUp(to)), 0.5))
    )
    const { run, followed } = yield* serve(handled, queue)
    assertEquals([run.state, followed], ["failed", 0])
    assert(run.failure!.message.includes("does not match its schema"), run.failure!.message)
  }),

  complete("a worker that lost its lease leaves nothing", function* (queue) {
    const handled = makeJob().perform((to, { runId }) =>
      // The handler does not hear of its cancel in time.
      Effect.uninterruptible(Effect.andThen(
        Effect.orDie(Runs.cancel(runId)),
        Transaction.complete(Effect.as(Effect.orDie(followUp(to)), 1)),
      ))
    )
    const { run, followed } = yield* serve(handled, queue)
    assertEquals([run.state, kinds(run), followed], ["cancelled", ["cancelled"], 0])
  }),

  complete("a lost answer to a commit that took effect does nothing twice", function* (queue) {
    const handled = makeJob().perform((to) =>
      Transaction.complete(Effect.as(Effect.orDie(followUp(to)), 1))
    )
    const { run, followed, logs } = yield* serve(handled, queue, losing([true]))
    assertEquals([run.output, kinds(run), followed], ["1", ["completed"], 1])
    assert(logs.some((log) => log.includes("is put off with its transaction")), logs.join("\n"))
  }),

  complete("a lost answer to a commit that did not is no failure", function* (queue) {
    const handled = makeJob().perform((to, { attempt }) =>
      Transaction.complete(Effect.as(Effect.orDie(followUp(to)), attempt))
    )
    const { run, followed } = yield* serve(handled, queue, losing([false]))
    assertEquals([run.output, kinds(run), followed], ["1", ["snoozed", "completed"], 1])
  }),

  complete("a storage that goes away inside is no failure, also as a defect", function* (queue) {
    let begun = 0
    const handled = makeJob().perform((to) =>
      Transaction.complete(
        Effect.andThen(
          followUp(to),
          Effect.suspend(() => ++begun === 1 ? Effect.fail(lostAnswer) : Effect.succeed(begun)),
        ).pipe(Effect.orDie),
      )
    )
    const { run, followed } = yield* serve(handled, queue)
    assertEquals([run.output, kinds(run), followed], ["2", ["snoozed", "completed"], 1])
  }),

  complete("trying again after a lost answer answers what is stored", function* (queue) {
    let tries = 0
    const handled = makeJob().perform((to) => {
      const once = Transaction.complete(Effect.map(Effect.orDie(followUp(to)), () => ++tries))
      // A heartbeat may find the task completed, and would interrupt the handler in between.
      return Effect.uninterruptible(Effect.retry(once, { times: 1 }))
    })
    const { run, followed, logs } = yield* serve(handled, queue, losing([true]))
    assertEquals([tries, run.output, kinds(run), followed], [2, "1", ["completed"], 1])
    assertEquals(logs.filter((log) => log.includes("another end")), [])
  }),

  complete("what the handler does afterwards cannot change its outcome", function* (queue) {
    const handled = makeJob({ maxAttempts: 3 }).perform((to) =>
      Effect.andThen(
        Transaction.complete(Effect.as(Effect.orDie(followUp(to)), 1)),
        Effect.fail(new Refused()),
      )
    )
    const { run, followed, logs } = yield* serve(handled, queue)
    assertEquals([run.state, kinds(run), followed], ["completed", ["completed"], 1])
    assert(logs.some((log) => log.includes("another end (failed)")), logs.join("\n"))
  }),

  complete("completing twice is a defect, and the second leaves nothing", function* (queue) {
    let defect: unknown
    const handled = makeJob().perform((to) => {
      const once = Transaction.complete(Effect.as(Effect.orDie(followUp(to)), 1))
      return Effect.andThen(once, once).pipe(
        Effect.tapDefect((error) => Effect.sync(() => void (defect = error))),
      )
    })
    const { run, followed } = yield* serve(handled, queue)
    assertEquals([run.state, followed], ["completed", 1])
    assert(String(defect).includes("Cannot complete an attempt twice"), String(defect))
  }),

  complete("inside of another transaction it is stored with that one", function* (queue) {
    const handled = makeJob({ maxAttempts: 2 }).perform((to, { attempt }) => {
      const completed = Transaction.complete(Effect.as(Effect.orDie(followUp(to)), attempt))
      const outer = Effect.tap(completed, () => attempt === 1 ? new Refused() : Effect.void)
      return Transaction.run(outer).pipe(Effect.catchTag("DriverError", Effect.die))
    })
    const { run, followed } = yield* serve(handled, queue)
    assertEquals([run.output, kinds(run), followed], ["2", ["failed", "completed"], 1])
  }),

  complete("waiting for a run inside is a defect", function* (queue) {
    const handled = makeJob().perform((to) =>
      Transaction.complete(Effect.as(Effect.orDie(Follow.run(to)), 1))
    )
    const { run } = yield* serve(handled, queue)
    assertEquals(run.state, "failed")
    assert(run.failure!.message.includes("Cannot wait for a run"), run.failure!.message)
  }),

  complete("facts that are not the handler's own are a defect", function* (queue) {
    const handled = makeJob().perform((_, ctx) =>
      Transaction.complete(Effect.succeed(1)).pipe(
        Effect.provideService(AttemptContext, { ...ctx }),
      )
    )
    const { run } = yield* serve(handled, queue)
    assertEquals(run.state, "failed")
    assert(run.failure!.message.includes("Cannot complete an attempt: these facts"))
  }),

  complete("a snooze from inside is one", function* (queue) {
    let begun = 0
    const handled = makeJob().perform((to) =>
      Transaction.complete(Effect.andThen(
        Effect.orDie(followUp(to)),
        Effect.suspend(() => ++begun === 1 ? Attempt.snooze("1 millis") : Effect.succeed(begun)),
      ))
    )
    const { run, followed } = yield* serve(handled, queue)
    assertEquals([run.output, kinds(run), followed], ["2", ["snoozed", "completed"], 1])
  }),

  complete("a handler that is called in a test has a transaction and no task", function* (queue) {
    const handled = makeJob().perform((to) =>
      Transaction.complete(Effect.as(Effect.orDie(followUp(to)), 3))
    )
    assertEquals(yield* handled.perform(queue), 3)
    const found = yield* Driver.Driver.use((driver) => driver.find({ queue, limit: 10 }))
    assertEquals(found.length, 1)
  }),
]
