/**
 * The rules of a task: what each event makes of it. Pure: no time, no randomness, no storage.
 *
 * @since 0.1.0
 */
import type { Advanced, Failed, Failure, Outcome, TimedOut } from "./Outcome.ts"
import type {
  Branch,
  Change,
  Destination,
  Entry,
  EntryKind,
  Report,
  State,
  Task,
  TerminalState,
} from "./Task.ts"
import { isTerminal } from "./Task.ts"

/**
 * What can happen to a task that has been claimed or is to be changed by hand.
 *
 * @category models
 * @since 0.1.0
 */
export type Event =
  /** The attempt with this lease came to an outcome. */
  | {
    readonly _tag: "AttemptEnded"
    readonly lease: number
    readonly outcome: Outcome
    readonly elapsedMillis?: number | undefined
  }
  /** The worker that held this lease let it expire. */
  | { readonly _tag: "LeaseExpired"; readonly lease: number }
  /** Somebody wants the task not to run, or not to run on. */
  | { readonly _tag: "CancelRequested"; readonly reason: string }
  /** Somebody gives the task up: it is not to be tried again, and counts as failed. */
  | { readonly _tag: "DiscardRequested"; readonly reason: string }
  /** Somebody wants a task that is ready to run at another time: at `dueAt`, where it is given. */
  | {
    readonly _tag: "RescheduleRequested"
    readonly delayMillis: number
    readonly dueAt?: number | undefined
  }
  /** Somebody wants a failed or cancelled task to run again, with a fresh budget. */
  | { readonly _tag: "RetryRequested" }
  /** Nothing of a ready task has begun, and it is too late to. */
  | { readonly _tag: "Expired" }
  /** What a step waited for has arrived; `output` is its JSON text. */
  | { readonly _tag: "SignalReceived"; readonly output: string }

/**
 * Decides what an event makes of a task: the change to apply, or `undefined` where the event no
 * longer concerns it (an older lease, a state that is final).
 *
 * **Details**
 *
 * - `Failed` and `TimedOut` spend `maxAttempts`; a lease that expired spends `maxCrashes`;
 *   `Snoozed` and `Interrupted` spend nothing.
 * - The task fails when a failure is the `maxAttempts`-th, or when its crashes exceed `maxCrashes`.
 * - Retrying by hand keeps the history and clears both counts.
 * - The own task of a run that has `Advanced` waits until it is woken; waiting spends nothing.
 * - Cancelling or discarding a run whose flow has steps to undo makes it ready, to unwind.
 * - Rescheduling spends nothing, and is of ready tasks only.
 * - A task that has expired ends cancelled; nothing of it was done, so nothing is undone.
 * - A step whose failures are spent ends as its `onExhausted` says, and its run is told.
 *
 * **Example** (A first failure of three)
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict"
 * import { Transition } from "@millrace/core"
 *
 * const change = Transition.transition(
 *   {
 *     id: "t",
 *     state: "running",
 *     lease: 1,
 *     failures: 0,
 *     crashes: 0,
 *     maxAttempts: 3,
 *     maxCrashes: 3,
 *     awaited: false
 *   },
 *   {
 *     _tag: "AttemptEnded",
 *     lease: 1,
 *     outcome: {
 *       _tag: "Failed",
 *       failure: { reason: "Defect", message: "boom" },
 *       retryDelayMillis: 5000
 *     }
 *   }
 * )
 * deepStrictEqual(change?.to, { state: "ready", delayMillis: 5000 })
 * deepStrictEqual(change?.failures, 1)
 * ```
 *
 * @category rules
 * @since 0.1.0
 */
export const transition = (task: Task, event: Event): Change | undefined => {
  switch (event._tag) {
    case "AttemptEnded":
      return holds(task, event.lease)
        ? attemptEnded(task, event.outcome, event.elapsedMillis)
        : undefined
    case "LeaseExpired":
      return holds(task, event.lease) ? leaseExpired(task) : undefined
    case "CancelRequested":
      return isTerminal(task.state) ? undefined : cancelled(task, event.reason)
    case "DiscardRequested":
      return isTerminal(task.state) ? undefined : discarded(task, event.reason)
    case "RescheduleRequested":
      return task.state === "ready" ? rescheduled(task, event) : undefined
    case "RetryRequested":
      return task.state === "failed" || task.state === "cancelled" ? retried(task) : undefined
    case "Expired":
      return task.state === "ready" ? expired(task, { lease: task.lease + 1 }) : undefined
    case "SignalReceived":
      return task.state === "ready" ? signalled(task, event.output) : undefined
  }
}

const holds = (task: Task, lease: number) => task.state === "running" && task.lease === lease

const attemptEnded = (task: Task, outcome: Outcome, elapsedMillis: number | undefined): Change => {
  const entry = { attempt: task.failures + 1, elapsedMillis }
  switch (outcome._tag) {
    case "Completed":
      return changed(task, "completed", end("completed"), { ...entry, output: outcome.output })
    case "Failed":
      return failed(task, "failed", outcome, entry)
    case "TimedOut":
      return failed(task, "timed_out", outcome, entry)
    case "Snoozed":
      return changed(task, "snoozed", again(outcome.delayMillis), entry)
    case "Discarded":
      return changed(task, "discarded", exhausted(task), { ...entry, failure: outcome.failure })
    case "Interrupted":
      return changed(task, "interrupted", again(0), entry)
    case "Advanced":
      return advanced(task, outcome, entry)
    case "Unwinding":
      return changed(task, "unwinding", again(0), { ...entry, failure: outcome.failure })
    case "Cancelled":
      return changed(task, "cancelled", end("cancelled"), { ...entry, failure: outcome.failure })
    case "Expired":
      return expired(task, {})
  }
}

// A run may live for long: what its own task spent before it came further is not counted.
const advanced = (task: Task, { starts, seen }: Advanced, entry: Partial<Entry>): Change => ({
  ...changed(task, "advanced", { state: "waiting", seen }, entry),
  failures: 0,
  crashes: 0,
  starts,
})

const failed = (
  task: Task,
  kind: "failed" | "timed_out",
  outcome: Failed | TimedOut,
  entry: Partial<Entry>,
): Change => {
  const failures = task.failures + 1
  const to = outcome.retryDelayMillis === undefined || failures >= task.maxAttempts
    ? exhausted(task)
    : again(outcome.retryDelayMillis)
  return {
    ...changed(task, kind, to, { ...entry, failure: outcome.failure }),
    failures,
  }
}

const leaseExpired = (task: Task): Change => {
  const crashes = task.crashes + 1
  const spent = crashes > task.maxCrashes
  const failure: Failure = {
    reason: "Crashed",
    message: `Its worker was lost (crash ${crashes})`,
  }
  const attempt = task.failures + 1
  return {
    ...changed(task, "crashed", spent ? exhausted(task) : again(0), { attempt, failure }),
    crashes,
  }
}

const cancelled = (task: Task, reason: string): Change =>
  stopped(task, "cancelled", end("cancelled"), { reason: "Cancelled", message: reason })

const discarded = (task: Task, reason: string): Change =>
  stopped(task, "discarded", exhausted(task), { reason: "Discarded", message: reason })

// What is to be undone comes first.
const stopped = (task: Task, kind: EntryKind, to: Destination, failure: Failure): Change =>
  changed(
    task,
    task.undoes === true ? "unwinding" : kind,
    task.undoes === true ? again(0) : to,
    task.state === "running"
      ? { attempt: task.failures + 1, failure }
      : { lease: task.lease + 1, failure },
  )

const rescheduled = (
  task: Task,
  { delayMillis, dueAt }: { readonly delayMillis: number; readonly dueAt?: number | undefined },
): Change =>
  changed(
    task,
    "rescheduled",
    { ...again(delayMillis), ...(dueAt === undefined ? {} : { dueAt }) },
    {
      lease: task.lease + 1,
    },
  )

// Nothing was done, so nothing is to be undone.
const expired = (task: Task, entry: Partial<Entry>): Change => {
  const failure: Failure = { reason: "Expired", message: "It could not begin before it expired" }
  return changed(task, "cancelled", end("cancelled"), { ...entry, failure })
}

const retried = (task: Task): Change => ({
  ...changed(task, "retried", again(0), { lease: task.lease + 1 }),
  failures: 0,
  crashes: 0,
})

const signalled = (task: Task, output: string): Change =>
  changed(task, "completed", end("completed"), { lease: task.lease + 1, output })

/** Where a task goes that will not be tried again. */
const exhausted = ({ branch }: Task): Destination =>
  end(branch?.onExhausted === "skip" ? "skipped" : "failed")

const end = (state: TerminalState): Destination => ({ state })

const again = (delayMillis: number): Extract<Destination, { state: "ready" }> => ({
  state: "ready",
  delayMillis,
})

const changed = (
  task: Task,
  kind: EntryKind,
  to: Destination,
  entry: Partial<Entry>,
): Change => ({
  taskId: task.id,
  from: task.state,
  lease: task.lease,
  entry: { kind, lease: task.lease, attempt: undefined, ...entry },
  to,
  failures: task.failures,
  crashes: task.crashes,
  awaited: task.awaited,
  ...(task.branch === undefined ? none : reportOf(task.branch, task.state, to.state)),
  ...(task.ticket === undefined ? none : { ticket: task.ticket }),
})

const none = {}

const reportOf = (
  { parent, step, onExhausted }: Branch,
  from: State,
  to: State,
): { readonly report: Report } | undefined => {
  const leaves = isTerminal(from) ? from : undefined
  const enters = isTerminal(to) ? to : undefined
  if (leaves === enters) return undefined
  const wakes = to === "cancelled" || (to === "failed" && onExhausted === "fail")
  return { report: { parent, step, leaves, enters, wakes } }
}
