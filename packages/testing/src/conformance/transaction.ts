/**
 * Cases of transactions, for drivers that have them.
 *
 * @since 0.1.0
 */
import { type Driver, DriverError, Runs, Transaction } from "@millrace/core"
import { Cause, Context, Effect, Exit, Stream } from "effect"
import { TestClock } from "effect/testing"
import { equal, that, Unexpected } from "./expect.ts"
import { scene, type Stage } from "./fixtures.ts"
import { completed } from "./outcomes.ts"

/**
 * One guarantee of a driver's transactions as data.
 *
 * @category models
 * @since 0.1.0
 */
export interface TransactionCase {
  /** A sentence. */
  readonly name: string
  readonly run: Effect.Effect<void, unknown, Driver.Driver | Transaction.Transactions>
}

type Needs = Driver.Driver | Transaction.Transactions

/** Makes a case of a driver that has transactions.
 * @category constructors
 * @since 0.1.0 */
export const transacted = (
  name: string,
  body: (stage: Stage) => Generator<Effect.Effect<unknown, unknown, Needs>, void, never>,
): TransactionCase => ({
  name,
  run: Effect.flatMap(Transaction.Transactions, (transactions) => {
    const { run } = scene(
      name,
      (stage) =>
        body(stage) as Generator<Effect.Effect<unknown, unknown, Driver.Driver>, void, never>,
    )
    return Effect.provideService(run, Transaction.Transactions, transactions)
  }),
})

const idsOf = (stage: Stage) =>
  Effect.map(stage.readAll(), (records) => records.map(({ id }) => id))

/** Cases of enqueueing in a transaction, and of how one ends.
 * @category cases
 * @since 0.1.0 */
export const joiningCases: ReadonlyArray<TransactionCase> = [
  transacted("What a transaction inserts is there once it is committed", function* (stage) {
    const answer = yield* Transaction.run(stage.insert(stage.newTasks(3)))
    equal(yield* idsOf(stage), answer, "The stored tasks")
    const claimed = yield* stage.claim(yield* stage.worker(), 10)
    equal(claimed.map(({ id }) => id), answer, "The claimed tasks")
  }),

  transacted("A transaction that fails leaves nothing, and its error passes", function* (stage) {
    const inserted = Effect.andThen(stage.insertOne(), Effect.fail({ boom: 1 } as const))
    equal(yield* Effect.flip(Transaction.run(inserted)), { boom: 1 }, "The error")
    equal(yield* stage.readAll(), [], "The store")
  }),

  transacted("A transaction that dies leaves nothing, and its defect passes", function* (stage) {
    const inserted = Effect.andThen(stage.insertOne(), Effect.die("boom"))
    const exit = yield* Effect.exit(Transaction.run(inserted))
    equal(Exit.isFailure(exit) && Cause.squash(exit.cause), "boom", "The defect")
    equal(yield* stage.readAll(), [], "The store")
  }),

  transacted("A transaction that is interrupted leaves nothing", function* (stage) {
    const inserted = Effect.andThen(stage.insertOne(), Effect.interrupt)
    const exit = yield* Effect.exit(Transaction.run(inserted))
    that(
      Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause),
      "Expected nothing but an interruption",
    )
    equal(yield* stage.readAll(), [], "The store")
  }),

  transacted("A transaction sees what it has inserted", function* (stage) {
    const seen = yield* Transaction.run(Effect.gen(function* () {
      const id = yield* stage.insertOne({ queue: stage.otherQueue })
      const again = yield* stage.driver.insert([stage.newTask({ id })])
      const record = yield* stage.read(id)
      return [record.queue, record.state, again[0]?.inserted]
    }))
    equal(seen, [stage.otherQueue, "ready", false], "What it saw")
  }),

  transacted("A transaction counts in queues and finds by labels what it has inserted", function* (
    stage,
  ) {
    const look = Effect.gen(function* () {
      const labelled = yield* stage.driver.find({ tags: ["t"], limit: 9 })
      const queues = yield* stage.driver.queues
      const own = queues.find(({ queue }) => queue === stage.queue)
      return [labelled.length, own?.ready ?? 0]
    })
    const stored = Effect.andThen(stage.insert(stage.newTasks(2, { tags: ["t"] })), look)
    const failing = Effect.andThen(stored, (seen) => Effect.fail(seen))
    equal(yield* Effect.flip(Transaction.run(failing)), [2, 2], "What a failing one saw")
    equal(yield* look, [0, 0], "What is left of it")
    equal(yield* Transaction.run(stored), [2, 2], "What it saw")
    equal(yield* look, [2, 2], "What is left of it")
  }),

  transacted("Inserting an id that exists changes nothing in a transaction", function* (stage) {
    const id = yield* stage.insertOne({ input: "1" })
    const again = stage.newTask({ id, input: "2" })
    const answer = yield* Transaction.run(stage.driver.insert([again, stage.newTask()]))
    equal(answer.map(({ inserted }) => inserted), [false, true], "The answers")
    equal((yield* stage.read(id)).input, "1", "The input")
  }),

  transacted("A part that is rolled back leaves the rest of its transaction", function* (stage) {
    const [first, last] = yield* Transaction.run(Effect.gen(function* () {
      const first = yield* stage.insertOne()
      const part = Effect.andThen(stage.insertOne(), Effect.fail("part"))
      equal(yield* Effect.flip(Transaction.run(part)), "part", "The error of the part")
      const last = yield* Transaction.run(stage.insertOne())
      equal(yield* idsOf(stage), [first, last], "What the transaction sees")
      return [first, last] as const
    }))
    equal(yield* idsOf(stage), [first, last], "The stored tasks")
  }),

  transacted("A part is rolled back with its transaction", function* (stage) {
    const whole = Effect.andThen(Transaction.run(stage.insertOne()), Effect.fail("whole"))
    equal(yield* Effect.flip(Transaction.run(whole)), "whole", "The error")
    equal(yield* stage.readAll(), [], "The store")
  }),

  transacted("What is beside a part is not rolled back with it", function* (stage) {
    const part = Transaction.run(
      Effect.all([stage.insertOne(), Effect.yieldNow, Effect.fail("part")]),
    )
    const [, beside] = yield* Transaction.run(
      Effect.all([Effect.ignore(part), stage.insertOne()], { concurrency: "unbounded" }),
    )
    equal(yield* idsOf(stage), [beside], "The stored tasks")
  }),

  transacted("A queue that is new in a rolled back transaction serves later", function* (stage) {
    const inserted = Effect.andThen(stage.insertOne(), stage.readAll())
    yield* Effect.ignore(Transaction.run(Effect.andThen(inserted, Effect.fail("no"))))
    const id = yield* stage.insertOne()
    const claimed = yield* stage.claim(yield* stage.worker(), 10)
    equal(claimed.map((task) => task.id), [id], "The claimed tasks")
  }),

  transacted("Waiting for a run in a transaction is a defect", function* (stage) {
    const waiting = Effect.flatMap(stage.insertOne(), (id) => Runs.awaitEnd(id))
    const exit = yield* Effect.exit(Transaction.run(waiting))
    const message = Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "none"
    that(message.includes("Cannot wait for a run inside"), `Expected a defect, got ${message}`)
    equal(yield* stage.readAll(), [], "The store")
  }),

  transacted("A transaction that has ended is an error, and stores nothing", function* (stage) {
    for (const end of [Effect.void, Effect.fail("no")]) {
      let context = Context.empty()
      const inside = Effect.map(Effect.context<never>(), (found) => {
        context = found
      })
      yield* Effect.ignore(Transaction.run(Effect.andThen(inside, end)))
      const error = yield* Effect.flip(Effect.provide(stage.insertOne(), context))
      that(error instanceof DriverError && !error.isRetryable, "Expected a rejection")
    }
    equal(yield* stage.readAll(), [], "The store")
  }),
]

/** Hears what is announced, but for being told that one has begun to listen. */
const hearing = (stage: Stage, heard: Array<Driver.Wakeup>) =>
  stage.driver.wakeups.pipe(
    Stream.filter(({ _tag }) => _tag !== "Missed"),
    Stream.runForEach((wakeup) => Effect.sync(() => heard.push(wakeup))),
    Effect.forkScoped({ startImmediately: true }),
  )

/** Cases of wakeups, cancelling and settling in a transaction.
 * @category cases
 * @since 0.1.0 */
export const settlingCases: ReadonlyArray<TransactionCase> = [
  transacted("The commit wakes a worker that waits, and nothing before", function* (stage) {
    const worker = yield* stage.worker()
    const heard: Array<Driver.Wakeup> = []
    yield* Effect.scoped(Effect.gen(function* () {
      yield* hearing(stage, heard)
      const lanes = [{ queue: stage.queue, limit: 100 }]
      const until = Effect.repeat(stage.driver.claim({ worker, lanes, waits: true }), {
        until: ({ tasks }) => tasks.length === 0,
      })
      // A hint may be lost, so its cause is repeated; it must never come before.
      for (let time = 0; time < 30; time++) {
        yield* until
        heard.length = 0
        yield* Transaction.run(Effect.andThen(
          stage.insertOne(),
          Effect.andThen(
            looks(5, heard),
            Effect.sync(() => {
              if (heard.length > 0) throw new Unexpected("Woken before the commit")
            }),
          ),
        ))
        if (yield* looks(30, heard)) return
      }
      throw new Unexpected("No commit woke the worker")
    }))
  }),

  transacted("Nothing is announced of what is rolled back", function* (stage) {
    const worker = yield* stage.worker()
    yield* stage.driver.claim({ worker, lanes: [{ queue: stage.queue, limit: 1 }], waits: true })
    const heard: Array<Driver.Wakeup> = []
    yield* Effect.scoped(Effect.gen(function* () {
      yield* hearing(stage, heard)
      yield* looks(3, heard)
      const inserted = Effect.andThen(stage.insertOne(), Effect.fail("no"))
      yield* Effect.ignore(Transaction.run(inserted))
      equal(yield* looks(10, heard), false, "Whether anything was heard")
    }))
  }),

  transacted("A cancel is rolled back with its transaction", function* (stage) {
    const id = yield* stage.insertOne()
    yield* Effect.ignore(Transaction.run(Effect.andThen(stage.cancel(id), Effect.fail("no"))))
    equal((yield* stage.read(id)).state, "ready", "The state after the rollback")
    yield* Transaction.run(stage.cancel(id))
    equal((yield* stage.read(id)).state, "cancelled", "The state after the commit")
  }),

  transacted("Settling commits with what is inserted beside it", function* (stage) {
    const task = yield* stage.claimed()
    const [settled, follow] = yield* Transaction.run(
      Effect.all([stage.settle(task, completed("42")), stage.insertOne()]),
    )
    equal(settled, { taskId: task.id, status: "applied", kind: "completed" }, "The answer")
    const record = yield* stage.read(task.id)
    equal([record.state, record.history[0]?.output], ["completed", "42"], "The task")
    equal((yield* stage.read(follow)).state, "ready", "The inserted task")
  }),

  transacted("Settling again after the commit answers what was stored", function* (stage) {
    const task = yield* stage.claimed()
    yield* Transaction.run(stage.settle(task, completed("42")))
    const again = yield* stage.settle(task, { _tag: "Interrupted" })
    equal([again.status, again.kind], ["already", "completed"], "The answer")
    equal((yield* stage.read(task.id)).history.length, 1, "The entries of its history")
  }),

  transacted("Settling is rolled back with its transaction", function* (stage) {
    const task = yield* stage.claimed()
    const settled = Effect.andThen(stage.settle(task, completed("1")), Effect.fail("no"))
    yield* Effect.ignore(Transaction.run(settled))
    equal((yield* stage.read(task.id)).state, "running", "The state after the rollback")
    equal((yield* stage.settle(task, completed("2"))).status, "applied", "The second answer")
    equal((yield* stage.read(task.id)).history[0]?.output, "2", "The output")
  }),

  transacted("Settling with a lost lease changes nothing in a transaction", function* (stage) {
    const task = yield* stage.claimed()
    yield* stage.beat(stage.name("a"), [], 0)
    yield* stage.recover()
    const late = Effect.gen(function* () {
      yield* stage.insertOne()
      const { status, kind } = yield* stage.settle(task, completed())
      return yield* Effect.fail([status, kind])
    })
    equal(yield* Effect.flip(Transaction.run(late)), ["already", "crashed"], "The answer")
    const records = yield* stage.readAll()
    equal(records.map(({ id, state }) => [id, state]), [[task.id, "ready"]], "The store")
  }),

  transacted("A claim whose tasks were settled in transactions is closed", function* (stage) {
    yield* stage.insert(stage.newTasks(3))
    const worker = yield* stage.worker()
    const tasks = yield* stage.claim(worker, 3)
    for (const task of tasks) yield* Transaction.run(stage.settle(task, completed()))
    for (const task of tasks) {
      equal((yield* stage.settle(task, completed())).status, "already", "The answer")
    }
    yield* stage.beat(worker, [], 0)
    equal(yield* stage.recover(), [], "What is recovered")
    equal((yield* stage.readAll()).map(({ state }) => state), Array(3).fill("completed"), "States")
  }),
]

/** Looks for a wakeup some times, a little apart; answers whether one came. */
const looks = (times: number, heard: ReadonlyArray<Driver.Wakeup>) =>
  Effect.gen(function* () {
    for (let look = 0; look < times && heard.length === 0; look++) {
      yield* Effect.yieldNow
      yield* TestClock.withLive(Effect.sleep(10))
    }
    return heard.length > 0
  })
