/**
 * Looking at runs, waiting for them, and stepping in by hand.
 *
 * @since 0.1.0
 */
import { Effect, Latch, Stream } from "effect"
import { Driver } from "./Driver.ts"
import type { DriverError } from "./DriverError.ts"
import * as Steering from "./internal/managing/Steering.ts"
import { dueOf, type When } from "./internal/managing/When.ts"
import { type Run, toRun } from "./internal/managing/Run.ts"
import { plainText } from "./internal/plainText.ts"
import { RunNotFound, RunUndone, WhenInvalid } from "./RunError.ts"
import * as RunId from "./RunId.ts"
import type { State, Task } from "./Task.ts"
import { isTerminal } from "./Task.ts"
import { refuseToWait } from "./Transaction.ts"

export type { AttemptRecord, Run } from "./internal/managing/Run.ts"
export {
  cancelMany,
  type Changed,
  discardMany,
  type ManyOptions,
  rescheduleMany,
  retryMany,
  type Selection,
  type StopOptions,
} from "./internal/managing/Many.ts"
export type { When } from "./internal/managing/When.ts"
export { type Filter, list, type ListOptions, type Page } from "./internal/managing/Listing.ts"

/** Reads a run with all of its attempts.
 * @category reading
 * @since 0.1.0 */
export const get: (
  runId: RunId.RunId,
) => Effect.Effect<Run, RunNotFound | DriverError, Driver> = Effect.fn("Runs.get")(
  function* (runId) {
    return toRun(yield* taskOf(runId))
  },
)

/**
 * Stops a run: one that waits never starts, one that runs is interrupted. Answers the state that
 * the run has afterwards, which is not `cancelled` where it had ended before. A `reason` is cut to
 * 1,000 characters.
 *
 * **Details**
 *
 * All steps of a flow's run are cancelled with it. Where its flow has steps to undo, it is `ready`
 * until they are undone, and then cancelled.
 *
 * @category managing
 * @since 0.1.0
 */
export const cancel: (
  runId: RunId.RunId,
  options?: { readonly reason?: string },
) => Effect.Effect<State, RunNotFound | DriverError, Driver> = Effect.fn("Runs.cancel")(
  (runId, options) => {
    const reason = plainText(options?.reason ?? "cancelled by hand")
    return change(runId, Steering.stopping("CancelRequested", reason))
  },
)

/**
 * Gives a run up: it has failed, with the reason `Discarded`, and is not tried again unless it is
 * retried by hand. One that is at work is interrupted. Answers the state that the run has
 * afterwards, which is not `failed` where it had ended otherwise before. A `reason` is cut to 1,000
 * characters.
 *
 * **Details**
 *
 * The steps of a flow's run are cancelled. Where its flow has steps to undo, it is `ready` until
 * they are undone, and has then failed.
 *
 * @category managing
 * @since 0.1.0
 */
export const discard: (
  runId: RunId.RunId,
  options?: { readonly reason?: string },
) => Effect.Effect<State, RunNotFound | DriverError, Driver> = Effect.fn("Runs.discard")(
  (runId, options) => {
    const reason = plainText(options?.reason ?? "discarded by hand")
    return change(runId, Steering.stopping("DiscardRequested", reason))
  },
)

/**
 * Makes a run that is ready due at another time: `delay` from now, or `at` an instant; a delay of 0
 * is at once. What it has spent and its history are kept. A run in any other state is left alone.
 * Answers the state that the run has afterwards.
 *
 * **Details**
 *
 * In a group a run that has begun keeps its turn: it holds up those of its key behind it, as one
 * that waits for its next attempt does. One that has not begun holds up nobody, as one that was
 * enqueued with a delay.
 *
 * @category managing
 * @since 0.1.0
 */
export const reschedule: (
  runId: RunId.RunId,
  when: When,
) => Effect.Effect<State, RunNotFound | WhenInvalid | DriverError, Driver> = Effect.fn(
  "Runs.reschedule",
)(function* (runId, when) {
  const { detail, due } = dueOf(when)
  if (detail !== undefined) return yield* new WhenInvalid({ detail })
  return yield* change(runId, Steering.rescheduling(due))
})

/**
 * Makes a failed or cancelled run ready again, with a fresh budget of attempts; its history is
 * kept. Answers the state that the run has afterwards.
 *
 * **Details**
 *
 * The run of a flow goes on from the steps that failed or were cancelled; what has completed is
 * kept. One whose steps were undone cannot go on, and is left alone: it fails with `RunUndone`.
 *
 * @category managing
 * @since 0.1.0
 */
export const retry: (
  runId: RunId.RunId,
) => Effect.Effect<State, RunNotFound | RunUndone | DriverError, Driver> = Effect.fn("Runs.retry")(
  function* (runId) {
    let undone = false
    const state = yield* change(runId, (run, tasks) => {
      const changes = Steering.retrying(run, tasks)
      undone = changes === undefined
      return changes
    })
    return undone ? yield* new RunUndone({ runId }) : state
  },
)

/**
 * Waits until a run has ended, however it ends.
 *
 * **Details**
 *
 * Listens for the announcement of its end and looks at the store between 20 times a second and once
 * a second, so that a lost announcement costs a second at most. Inside of a transaction it is a
 * defect: a run that was enqueued there begins after the commit.
 *
 * @category reading
 * @since 0.1.0
 */
export const awaitEnd: (
  runId: RunId.RunId,
) => Effect.Effect<Run, RunNotFound | DriverError, Driver> = Effect.fnUntraced(function* (runId) {
  yield* refuseToWait
  const driver = yield* Driver
  const latch = yield* Latch.make()
  yield* driver.wakeups.pipe(
    Stream.runForEach((wakeup) =>
      wakeup._tag === "Missed" || (wakeup._tag === "Ended" && wakeup.runId === runId)
        ? latch.open
        : Effect.void
    ),
    // Without announcements there is still the look at the store.
    Effect.ignore,
    Effect.forkScoped({ startImmediately: true }),
  )
  for (let pause = 50;; pause = Math.min(1000, pause * 2)) {
    yield* latch.close
    const record = yield* taskOf(runId)
    if (isTerminal(record.state)) return toRun(record)
    yield* Effect.race(latch.await, Effect.sleep(pause))
  }
}, Effect.scoped)

const taskOf = Effect.fnUntraced(function* (runId: RunId.RunId) {
  if (!RunId.isRunId(runId)) return yield* new RunNotFound({ runId: String(runId) })
  const driver = yield* Driver
  const records = yield* driver.find({ ids: [runId], limit: 1 })
  return records[0] ?? (yield* new RunNotFound({ runId }))
})

const change = Effect.fnUntraced(function* (runId: RunId.RunId, steer: Steering.Steer) {
  if (!RunId.isRunId(runId)) return yield* new RunNotFound({ runId: String(runId) })
  const driver = yield* Driver
  let state: State | undefined
  yield* driver.transact({ _tag: "Runs", ids: [runId] }, (tasks: ReadonlyArray<Task>) => {
    const changes = steer(runId, tasks) ?? []
    const own = changes.find(({ taskId }) => taskId === runId)
    state = own?.to.state ?? tasks.find(({ id }) => id === runId)?.state
    return changes
  })
  return state ?? (yield* new RunNotFound({ runId }))
})

export { type StepRun, steps } from "./internal/flow/Steps.ts"
export { watch, type Watched } from "./internal/flow/Watching.ts"
