/**
 * Cases of flows in transactions.
 *
 * @since 0.1.0
 */
import { Transaction, Transition } from "@millrace/core"
import { Effect } from "effect"
import { equal } from "./expect.ts"
import { advanced, completed, failedForGood } from "./outcomes.ts"
import { transacted, type TransactionCase } from "./transaction.ts"
import {
  claimRun,
  claimSteps,
  counted,
  countsOf,
  planted,
  runOf,
  statesOf,
  stepOf,
  wakesOf,
} from "./trees.ts"

const rolledBack = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.ignore(Transaction.run(Effect.andThen(effect, Effect.fail("no"))))

/** Cases of flows in transactions.
 * @category cases
 * @since 0.1.0 */
export const treeCases: ReadonlyArray<TransactionCase> = [
  transacted("A step that is settled in a transaction wakes its run at the commit", function* (
    stage,
  ) {
    const { run } = yield* planted(stage, {})
    const [task] = yield* claimSteps(stage)
    const seen = yield* Transaction.run(Effect.gen(function* () {
      yield* stage.settle(task!, completed("1"))
      return yield* countsOf(stage, run)
    }))
    equal(seen, [counted("pack", 1, { completed: 1 })], "The counts inside of it")
    equal(yield* wakesOf(stage, run), { wakes: 1, state: "ready" }, "The run")
    equal((yield* claimRun(stage)).id, run, "The claimed run")
  }),

  transacted("Counts and wakes are rolled back with their transaction", function* (stage) {
    const { run } = yield* planted(stage, {}, { step: "weigh" })
    const [pack, weigh] = yield* claimSteps(stage)
    yield* rolledBack(Effect.all([
      stage.settle(pack!, completed()),
      stage.settle(weigh!, failedForGood),
    ]))
    equal(yield* wakesOf(stage, run), { wakes: 0, state: "waiting" }, "The run")
    equal(yield* countsOf(stage, run), [counted("pack", 1), counted("weigh", 1)], "The counts")
    equal((yield* stage.settle(pack!, completed())).status, "applied", "The second answer")
    equal(yield* wakesOf(stage, run), { wakes: 1, state: "ready" }, "The run then")
  }),

  transacted("What is stored of a flow is rolled back with its transaction", function* (stage) {
    const { run } = yield* planted(stage)
    const ended = { state: "completed" } as const
    yield* rolledBack(stage.insert([
      runOf(stage, { state: "waiting" }),
      stepOf(stage, run),
      stepOf(stage, run, { step: "approve:signal", ended }),
    ]))
    equal(yield* stage.readAll(), [], "The stored steps")
    equal(yield* countsOf(stage, run), [], "The counts")
    equal(yield* wakesOf(stage, run), { wakes: 0, state: "waiting" }, "The run")
  }),

  transacted("A run that is stored in a transaction is there with its steps", function* (stage) {
    const { run, tasks } = yield* Transaction.run(planted(stage, {}, { index: 1 }))
    equal(yield* statesOf(stage, [run, ...tasks]), ["waiting", "ready", "ready"], "The states")
    equal(yield* countsOf(stage, run), [counted("pack", 2)], "The counts")
  }),

  transacted("What a change starts is rolled back with its transaction", function* (stage) {
    const run = yield* stage.insertOne(runOf(stage))
    const held = yield* claimRun(stage)
    yield* rolledBack(stage.settle(held, advanced(0, [stepOf(stage, run)])))
    equal(yield* stage.readAll(), [], "What was started")
    equal(yield* statesOf(stage, [run]), ["running"], "The state of the run")
    const wanted = stepOf(stage, run)
    yield* Transaction.run(stage.settle(held, advanced(0, [wanted])))
    equal((yield* claimSteps(stage)).map(({ id }) => id), [wanted.id], "What was started then")
    equal(yield* countsOf(stage, run), [counted("pack", 1)], "The counts")
  }),

  transacted("The cancel of a run is rolled back with its transaction", function* (stage) {
    const { run, tasks } = yield* planted(stage, {}, { index: 1 })
    const cancel = stage.driver.transact(
      { _tag: "Runs", ids: [run] },
      (all) =>
        all.flatMap((task) =>
          Transition.transition(task, { _tag: "CancelRequested", reason: "" }) ?? []
        ),
    )
    yield* rolledBack(cancel)
    equal(yield* statesOf(stage, [run, ...tasks]), ["waiting", "ready", "ready"], "Rolled back")
    equal(yield* countsOf(stage, run), [counted("pack", 2)], "The counts")
    yield* Transaction.run(cancel)
    equal(yield* statesOf(stage, [run, ...tasks]), Array(3).fill("cancelled"), "Committed")
    equal(yield* countsOf(stage, run), [counted("pack", 2, { cancelled: 2 })], "The counts then")
  }),

  transacted("The last two tasks of a step that end in two transactions wake its run", function* (
    stage,
  ) {
    for (let round = 0; round < 5; round++) {
      const { run } = yield* planted(stage, {}, { index: 1 })
      const tasks = yield* claimSteps(stage)
      yield* Effect.forEach(tasks, (task) => Transaction.run(stage.settle(task, completed())), {
        concurrency: "unbounded",
      })
      equal(yield* wakesOf(stage, run), { wakes: 1, state: "ready" }, "The run")
    }
  }),
]
