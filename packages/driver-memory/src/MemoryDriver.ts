/**
 * The in-memory driver: the executable specification of the port. All state is in one process and
 * is gone with it; each member is one synchronous step on Effect's `Clock`, so that a simulation
 * decides the order.
 *
 * @since 0.1.0
 */
import { Driver, DriverError, Registry, ScheduleStore, Transaction } from "@millrace/core"
import { Context, Effect, Exit, Layer, PubSub, Stream } from "effect"
import { Bell } from "./internal/Bell.ts"
import * as Registrations from "./internal/Registrations.ts"
import { Stage } from "./internal/Stage.ts"
import { type Step, toEffect } from "./internal/Step.ts"
import { Store } from "./internal/Store.ts"

type Service = Driver.Driver["Service"]

/**
 * Provides the in-memory driver: for tests, simulations, and work that may be lost with the
 * process.
 *
 * **Example** (A job without a database)
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict"
 * import { Job, Runs } from "@millrace/core"
 * import { MemoryDriver } from "@millrace/driver-memory"
 * import { Effect, Schema } from "effect"
 *
 * const Greet = Job.make("greet", { input: { name: Schema.String } })
 *
 * const program = Effect.gen(function*() {
 *   const runId = yield* Greet.enqueue({ name: "Ada" })
 *   return yield* Runs.get(runId)
 * })
 * const run = await Effect.runPromise(Effect.provide(program, MemoryDriver.layer))
 * deepStrictEqual([run.job, run.state], ["greet", "ready"])
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Provided> = Layer.effectContext(
  Effect.suspend(() =>
    Effect.map(
      open,
      ({ driver, schedules, transactions }) =>
        Context.make(Driver.Driver, driver).pipe(
          Context.add(Transaction.Transactions, transactions),
          Context.add(Registry.Registry, Registrations.make()),
          Context.add(ScheduleStore.ScheduleStore, schedules),
        ),
    )
  ),
)

/** What the layer provides.
 * @category models
 * @since 0.1.0 */
export type Provided =
  | Driver.Driver
  | Transaction.Transactions
  | Registry.Registry
  | ScheduleStore.ScheduleStore

/** Makes a driver with a store of its own.
 * @category constructors
 * @since 0.1.0 */
export const make: Effect.Effect<Service> = Effect.suspend(() =>
  Effect.map(open, ({ driver }) => driver)
)

/**
 * A driver, and what begins its transactions.
 *
 * @category models
 * @since 0.1.0
 */
export interface Opened {
  readonly driver: Service
  readonly schedules: ScheduleStore.ScheduleStore["Service"]
  readonly transactions: Transaction.Transactions["Service"]
  /** The statements of the driver and of the schedules, to be executed by whoever asks for one. */
  readonly statements: Statements
  /** The same transactions, with something around each commit, such as a network that loses it. */
  readonly transactionsOver: (around: Around) => Transaction.Transactions["Service"]
  /** Tells each wakeup, in the step that causes it. */
  readonly listen: (hear: (wakeup: Driver.Wakeup) => void) => void
}

/**
 * A statement that has not been executed: does it all at once, in the transaction that the caller
 * has open, if any.
 *
 * @category models
 * @since 0.1.0
 */
export type Statement<A> = Step<A>

/**
 * Makes the statements.
 *
 * @category models
 * @since 0.1.0
 */
export type Statements = ReturnType<typeof statementsOf>

/**
 * What is put around a commit.
 *
 * @category models
 * @since 0.1.0
 */
export type Around = (commit: Statement<void>) => Effect.Effect<void, DriverError>

/** Makes a driver with a store of its own, and with transactions.
 * @category constructors
 * @since 0.1.0 */
export const open: Effect.Effect<Opened> = Effect.gen(function* () {
  const wakeups = yield* PubSub.unbounded<Driver.Wakeup>()
  const bell = new Bell(wakeups)
  const store = new Store((wakeup) => bell.add(wakeup))
  const statements = statementsOf(store, bell)
  const { driver, schedules } = statements
  return {
    driver: Driver.Driver.of({
      name: "memory",
      insert: (tasks) => toEffect(driver.insert(tasks)),
      claim: (request) => toEffect(driver.claim(request)),
      settle: (changes) => toEffect(driver.settle(changes)),
      transact: (target, decide) => toEffect(driver.transact(target, decide)),
      heartbeat: (beat) => toEffect(driver.heartbeat(beat)),
      limit: (queue, limits) => toEffect(driver.limit(queue, limits)),
      prune: (request) => toEffect(driver.prune(request)),
      progress: (runs) => toEffect(driver.progress(runs)),
      find: (query) => toEffect(driver.find(query)),
      queues: toEffect(driver.queues),
      wakeups: Stream.fromPubSub(wakeups),
    }),
    schedules: ScheduleStore.ScheduleStore.of({
      find: (query) => toEffect(schedules.find(query)),
      due: (limit) => toEffect(schedules.due(limit)),
      write: (write) => toEffect(schedules.write(write)),
    }),
    statements,
    transactions: transactionsOf(store, bell, toEffect),
    transactionsOver: (around) => transactionsOf(store, bell, around),
    listen: (hear) => bell.listen(hear),
  }
})

const statementsOf = (store: Store, bell: Bell) => {
  const alone = <A>(f: (store: Store, now: number) => A, now: number): Exit.Exit<A> => {
    try {
      return Exit.succeed(f(store, now))
    } finally {
      bell.ring()
    }
  }
  const step = <A>(f: (store: Store, now: number) => A): Step<A> => (_, now) => alone(f, now)
  // In a transaction it is done on the transaction's own copy.
  const joined =
    <A>(operation: string, f: (store: Store, now: number) => A): Step<A> => (caller, now) => {
      const stage = Context.get(caller, CurrentStage)
      if (stage?.store !== store) return alone(f, now)
      if (stage.hasEnded) return Exit.fail(DriverError.rejected(operation, ended))
      return Exit.succeed(stage.run((copy) => f(copy, now)))
    }
  return {
    driver: {
      insert: (tasks: Parameters<Service["insert"]>[0]) =>
        joined("insert", (at, now) => at.insert(tasks, now)),
      claim: (request: Driver.ClaimRequest) => step((at, now) => at.claim(request, now)),
      settle: (changes: Parameters<Service["settle"]>[0]) =>
        joined("settle", (at, now) => at.settle(changes, now)),
      transact: (...[target, decide]: Parameters<Service["transact"]>) =>
        joined("change tasks", (at, now) => at.transact(target, decide, now)),
      heartbeat: (beat: Driver.Heartbeat) => step((at, now) => at.heartbeat(beat, now)),
      limit: (...[queue, limits]: Parameters<Service["limit"]>) =>
        step((at) => at.limit(queue, limits)),
      prune: (request: Driver.PruneRequest) => step((at, now) => at.prune(request, now)),
      progress: (runs: Parameters<Service["progress"]>[0]) =>
        joined("read progress", (at) => at.progress(runs)),
      find: (query: Driver.FindQuery) => joined("find tasks", (at) => at.find(query)),
      queues: joined("read queues", (at, now) => at.queues(now)),
    },
    schedules: {
      find: (query: Parameters<Schedules["find"]>[0]) =>
        joined("find schedules", (at, now) => ({ now, rows: at.schedules.find(query) })),
      due: (limit: number) => step((at, now) => ({ now, ...at.schedules.due(limit, now) })),
      write: (write: ScheduleStore.Write) =>
        joined("write a schedule", (at, now) => {
          for (const task of write.tasks) at.limited.note(task)
          const written = at.schedules.write(write)
          if (written) at.insert(write.tasks, now, false)
          return written
        }),
    },
  }
}

type Schedules = ScheduleStore.ScheduleStore["Service"]

const ended = "the transaction has ended; enqueue inside of its effect, or without it"

const CurrentStage = Context.Reference<Stage | undefined>(
  "@millrace/driver-memory/CurrentStage",
  { defaultValue: (): Stage | undefined => undefined },
)

const transactionsOf = (
  store: Store,
  bell: Bell,
  around: Around,
): Transaction.Transactions["Service"] => ({
  run: <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const outer = yield* CurrentStage
        const stage = new Stage(store, outer?.store === store ? outer : undefined)
        const exit = yield* Effect.exit(restore(effect.pipe(
          Effect.provideService(CurrentStage, stage),
          Effect.provideService(Transaction.Transaction, { name: "memory" }),
        )))
        if (Exit.isFailure(exit)) {
          stage.rollback()
          return yield* exit
        }
        const commit = () => {
          try {
            return stage.commit()
              ? Exit.void
              : Exit.fail(DriverError.unavailable("commit", conflict))
          } finally {
            bell.ring()
          }
        }
        yield* around(commit)
        return exit.value
      })
    ),
})

const conflict = "the transaction conflicted with another; run it again"
