/** What a worker does, by hand: claims and settles through the port, so that a test needs no worker. */
import type { Outcome } from "@millrace/core"
import { Driver, Transition } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { assertEquals } from "@std/assert"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"

/** Runs a test on a memory driver of its own, on virtual time that begins in 1970. */
export const onMemory = <A, E>(
  test: Effect.Effect<A, E, Driver.Driver>,
): Promise<A> =>
  Effect.runPromise(
    test.pipe(Effect.provide(Layer.fresh(MemoryDriver.layer)), Effect.provide(TestClock.layer())),
  )

/** Claims up to `limit` tasks of a queue for the worker "by hand". */
export const claim = Effect.fnUntraced(function* (queue: string, limit = 1) {
  const driver = yield* Driver.Driver
  yield* driver.heartbeat({ worker: "by hand", leaseMillis: 3_600_000, held: [] })
  const { tasks } = yield* driver.claim({
    worker: "by hand",
    lanes: [{ queue, limit }],
    waits: false,
  })
  return tasks
})

/** Ends the attempt of a claimed task. */
export const settle = Effect.fnUntraced(function* (
  task: Driver.ClaimedTask,
  outcome: Outcome.Outcome,
  elapsedMillis?: number,
) {
  const driver = yield* Driver.Driver
  const event = { _tag: "AttemptEnded", lease: task.lease, outcome, elapsedMillis } as const
  const [settled] = yield* driver.settle([Transition.transition(task, event)!])
  assertEquals(settled?.status, "applied")
})

/** Claims the next task of a queue and ends its attempt. */
export const perform = Effect.fnUntraced(function* (queue: string, outcome: Outcome.Outcome) {
  const [task] = yield* claim(queue)
  if (task === undefined) return yield* Effect.die(new Error(`nothing is due in "${queue}"`))
  yield* settle(task, outcome, 5)
  return task
})
