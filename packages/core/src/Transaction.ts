/**
 * Transactions of the storage: what a program writes, what it enqueues, and how an attempt ends,
 * all of it or none.
 *
 * **Details**
 *
 * Execution is at least once. A handler that finishes in a transaction has its effects on the same
 * database exactly once: only the transaction that also stored the outcome commits.
 *
 * @since 0.1.0
 */
import { Context, Data, Effect, Option } from "effect"
import * as Attempt from "./Attempt.ts"
import { AttemptContext } from "./AttemptContext.ts"
import { Driver } from "./Driver.ts"
import { DriverError } from "./DriverError.ts"
import { type Completion, completionOf } from "./internal/completions.ts"

/**
 * Begins transactions: provided by the layers of the drivers that have them, beside the driver.
 *
 * @category services
 * @since 0.1.0
 */
export class Transactions extends Context.Service<Transactions, {
  /**
   * Runs an effect in a transaction, or in a part of the one that is open: commits where it
   * succeeds, rolls back where it fails, dies or is interrupted.
   *
   * **Details**
   *
   * While it runs, `insert`, `settle`, `transact` and `find` of the driver join the transaction.
   * A retryable `DriverError` of the operation `commit` leaves open whether it was committed.
   */
  readonly run: <A, E, R>(
    effect: Effect.Effect<A, E, R>,
  ) => Effect.Effect<A, E | DriverError, Exclude<R, Transaction>>
}>()("@millrace/core/Transactions") {}

/**
 * The open transaction. What needs it can only be run inside of one, which the compiler sees to.
 *
 * @category services
 * @since 0.1.0
 */
export class Transaction extends Context.Service<Transaction, {
  /** What its driver is called in errors. */
  readonly name: string
}>()("@millrace/core/Transaction") {}

/**
 * Runs an effect in a transaction of the storage.
 *
 * **Details**
 *
 * All that it enqueues is there once the effect has succeeded, and wakes workers then; where it
 * fails, dies or is interrupted it never was. The effect's own errors pass unchanged. Inside of
 * another transaction it is a part of that one, which can be rolled back by itself.
 *
 * **Gotchas**
 *
 * A run that was enqueued inside begins after the commit, so waiting for one inside is a defect.
 *
 * **Example** (Nothing of what failed was enqueued)
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict"
 * import { Driver, Job, Transaction } from "@millrace/core"
 * import { MemoryDriver } from "@millrace/driver-memory"
 * import { Effect, Schema } from "effect"
 *
 * const Greet = Job.make("greet", { input: Schema.String })
 *
 * const program = Effect.gen(function*() {
 *   yield* Transaction.run(Greet.enqueue("Ada"))
 *   yield* Effect.ignore(Transaction.run(Effect.andThen(Greet.enqueue("Bob"), Effect.fail("no"))))
 *   return yield* Driver.Driver.use((driver) => driver.find({ limit: 10 }))
 * })
 * const found = await Effect.runPromise(Effect.provide(program, MemoryDriver.layer))
 * deepStrictEqual(found.map(({ input }) => input), [`"Ada"`])
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const run = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
): Effect.Effect<A, E | DriverError, Exclude<R, Transaction> | Transactions> =>
  Effect.flatMap(Transactions, (transactions) => transactions.run(effect))

/**
 * Runs the last part of a handler in a transaction that also finishes its attempt: the effect's
 * writes, what it enqueues, and its value as the output of the task commit together.
 *
 * **Details**
 *
 * - A worker that has lost its lease rolls back, and its attempt ends without a trace.
 * - Where the storage goes away, or the answer to the commit is lost, the attempt is put off for a
 *   second and spends nothing. If it had been committed after all, that stands, and nothing is done
 *   twice.
 * - A `DriverError` of the effect is dealt with likewise, also as a defect, so that `Effect.orDie`
 *   may stand inside; other errors roll back, pass unchanged, and are the handler's own.
 *
 * **Gotchas**
 *
 * `Effect.orDie` around it, and not inside, makes a defect of an attempt that is put off.
 *
 * The value of the effect is the output, so let the handler answer just that. What the handler does
 * after it has ended is not covered by it, and cannot change the outcome any more.
 *
 * **Example** (A handler whose follow-up is enqueued exactly once)
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict"
 * import { Job, Transaction } from "@millrace/core"
 * import { JobTest } from "@millrace/testing"
 * import { Effect, Schema } from "effect"
 *
 * const Notify = Job.make("notify", { input: Schema.String })
 * const Order = Job.make("order", { input: Schema.String, output: Schema.Int })
 *
 * const order = Order.perform((name) =>
 *   Transaction.complete(Effect.as(Effect.orDie(Notify.enqueue(name)), name.length))
 * )
 * const notify = Notify.perform(() => Effect.void)
 *
 * const [run] = await Effect.runPromise(JobTest.drain(order, ["tea"], { others: [notify] }))
 * deepStrictEqual([run?.state, run?.output], ["completed", 3])
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const complete: <A, E, R>(
  effect: Effect.Effect<A, E, R>,
) => Effect.Effect<
  A,
  Exclude<E, DriverError> | Attempt.Snooze,
  Exclude<R, Transaction> | Transactions | Driver | AttemptContext
> = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  const transactions = yield* Transactions
  const completion = yield* current
  if (completion === "test") return yield* finished(transactions.run(effect))
  // Inside of another transaction only that one's end tells whether anything is stored.
  const nested = Option.isSome(yield* Effect.serviceOption(Transaction))
  if (completion.state === "stored") return yield* Effect.die(twice())
  const settled = Effect.tap(effect, (output) => settle(completion, output, nested))
  return yield* finished(
    transactions.run(settled).pipe(
      Effect.tap(() =>
        Effect.sync(() => {
          if (nested) return
          completion.state = "stored"
          completion.stored()
        })
      ),
    ),
  )
})

/**
 * A defect where a transaction is open: what was enqueued in it begins after the commit, and the
 * wait would hold its locks for ever.
 *
 * @category guards
 * @since 0.1.0
 */
export const refuseToWait: Effect.Effect<void> = Effect.flatMap(
  Effect.serviceOption(Transaction),
  (transaction) =>
    Option.isNone(transaction) ? Effect.void : Effect.die(
      new Error(
        "Cannot wait for a run inside of a transaction: a run that was enqueued there begins " +
          "after the commit; enqueue inside, and wait for the id after it",
      ),
    ),
)

/** How long an attempt is put off whose transaction the storage did not take. */
const retryMillis = 1000

/** The attempt does not hold its task any more; whatever it says is not written. */
class LeaseLost extends Data.TaggedError("millrace/LeaseLost") {}

/** An earlier transaction of this attempt, whose end was unknown, was committed after all. */
class Stored extends Data.TaggedError("millrace/Stored")<{ readonly output: unknown }> {}

const current: Effect.Effect<Completion | "test", never, AttemptContext> = Effect.flatMap(
  AttemptContext,
  (facts) => {
    const completion = completionOf(facts)
    return completion === undefined
      ? Effect.die(
        new Error(
          "Cannot complete an attempt: these facts are not those that its handler was given; " +
            "call Transaction.complete in a handler, and pass its ctx on as it is",
        ),
      )
      : Effect.succeed(completion)
  },
)

/** Stores the outcome in the transaction, or fails, which rolls it back. */
const settle = Effect.fnUntraced(function* (
  completion: Completion,
  output: unknown,
  nested: boolean,
) {
  const change = completion.change(output)
  if (!change.ok) {
    return yield* Effect.die(new Error(`The output does not match its schema: ${change.reason}`))
  }
  const driver = yield* Driver
  const [answer] = yield* driver.settle([change.value])
  if (answer?.status === "applied") {
    if (!nested) completion.state = "sent"
    return
  }
  if (answer?.kind !== "completed") return yield* new LeaseLost()
  return yield* completion.state === "sent" ? new Stored({ output }) : Effect.die(twice())
})

const twice = () =>
  new Error(
    "Cannot complete an attempt twice: it is finished already; call Transaction.complete once, " +
      "at the end of the handler",
  )

/** Ends the attempt as its transaction ended. */
const finished = <A, E, R>(
  transacted: Effect.Effect<A, E | DriverError | LeaseLost | Stored, R>,
): Effect.Effect<A, Exclude<E, DriverError> | Attempt.Snooze, R> =>
  transacted.pipe(
    // Where a handler has no error for the storage, `Effect.orDie` makes a defect of it.
    Effect.catchDefect((defect) => {
      const storage = defect instanceof DriverError && defect.isRetryable
      return storage ? Effect.fail(defect) : Effect.die(defect)
    }),
    Effect.catchIf(isOwn, (error): Effect.Effect<A, Attempt.Snooze> => {
      if (error instanceof Stored) return Effect.succeed(error.output as A)
      if (error instanceof LeaseLost) return Effect.fail(Attempt.snooze(retryMillis))
      if (!error.isRetryable) return Effect.die(error)
      return Effect.andThen(
        Effect.logWarning(`The attempt is put off with its transaction. ${error.message}`),
        Effect.fail(Attempt.snooze(retryMillis)),
      )
    }),
  ) as Effect.Effect<A, Exclude<E, DriverError> | Attempt.Snooze, R>

const isOwn = (error: unknown): error is DriverError | LeaseLost | Stored =>
  error instanceof DriverError || error instanceof LeaseLost || error instanceof Stored
