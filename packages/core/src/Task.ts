/**
 * The stored unit of work, as the rules see it.
 *
 * @since 0.1.0
 */
import type { NewTask } from "./Exchange.ts"
import type { Failure } from "./Outcome.ts"

/** Identifies a task; a job's one task has the id of its run.
 * @category models
 * @since 0.1.0 */
export type TaskId = string

/**
 * The states of a task. `ready` with a `runAt` ahead is scheduled or waits for a retry: that is no
 * state of its own. The last four are terminal and final.
 *
 * @category models
 * @since 0.1.0
 */
export type State =
  | "waiting"
  | "ready"
  | "running"
  | "completed"
  | "failed"
  | "cancelled"
  | "skipped"

/** The states that a task can end in.
 * @category models
 * @since 0.1.0 */
export type TerminalState = "completed" | "failed" | "cancelled" | "skipped"

/** Tells whether a state is final.
 * @category guards
 * @since 0.1.0 */
export const isTerminal = (state: State): state is TerminalState =>
  state === "completed" || state === "failed" || state === "cancelled" || state === "skipped"

/**
 * What the rules need to know of a task to decide on it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Task {
  readonly id: TaskId
  readonly state: State
  /**
   * The number of the last entry in the task's history. A claim raises it by one and the running
   * attempt is fenced by it; cancelling or retrying by hand raises it too.
   */
  readonly lease: number
  /** How many attempts ended `Failed` or `TimedOut`, since it was last retried by hand. */
  readonly failures: number
  /** How many attempts ended with their worker gone, since it was last retried by hand. */
  readonly crashes: number
  readonly maxAttempts: number
  readonly maxCrashes: number
  /** Whether somebody waits for its end. */
  readonly awaited: boolean
  /** Where it belongs in the run of a flow; `undefined` for a job, and for a run's own task. */
  readonly branch?: Branch | undefined
  /** Whether its flow has steps to undo, so that a cancelled run still has work to do. */
  readonly undoes?: boolean | undefined
  /** What its driver wants to see again with each change of it; for nobody else to read. */
  readonly ticket?: unknown
}

/**
 * What a last failure makes of a task, and of its step: `fail` ends it failed, and its run is told
 * at once; `skip` ends it skipped; `collect` ends it failed, and its run is told when all tasks of
 * the step have ended.
 *
 * @category models
 * @since 0.1.0
 */
export type OnExhausted = "fail" | "skip" | "collect"

/**
 * A task's place in the run of a flow.
 *
 * @category models
 * @since 0.1.0
 */
export interface Branch {
  /** The own task of the run, which is told when the step has ended. */
  readonly parent: TaskId
  readonly step: string
  readonly onExhausted: OnExhausted
}

/**
 * How an entry in a task's history is called: the outcomes of attempts, and what happens to a task
 * without one. Two are of a run's own task: `advanced` where it then waits for its steps, and
 * `unwinding` where the run is to end before its steps have.
 *
 * @category models
 * @since 0.1.0
 */
export type EntryKind =
  | "completed"
  | "failed"
  | "timed_out"
  | "snoozed"
  | "discarded"
  | "interrupted"
  | "advanced"
  | "unwinding"
  | "skipped"
  | "crashed"
  | "cancelled"
  | "retried"
  | "rescheduled"

/**
 * A decided step of one task: the entry that its history gains and where the task goes. It applies
 * only to the task as it was decided on: in state `from`, with lease `lease`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Change {
  readonly taskId: TaskId
  readonly from: State
  /** The lease that the task must have for this change to apply. */
  readonly lease: number
  readonly entry: Entry
  readonly to: Destination
  /** The task's counts after the change, wherever it goes. */
  readonly failures: number
  readonly crashes: number
  /** Whether the end of the task is to be announced. */
  readonly awaited: boolean
  /** What its run is told, where it is the task of a step that ended or begins again. */
  readonly report?: Report | undefined
  /** Tasks that are stored together with the change, if it applies. */
  readonly starts?: ReadonlyArray<NewTask> | undefined
  /** The `ticket` of its task. */
  readonly ticket?: unknown
}

/**
 * What the run of a flow is told of one of its tasks: how the counts of the step change.
 *
 * @category models
 * @since 0.1.0
 */
export interface Report {
  readonly parent: TaskId
  readonly step: string
  /** The terminal state that the task leaves, where it is to run again. */
  readonly leaves?: TerminalState | undefined
  /** The terminal state that it has come to. */
  readonly enters?: TerminalState | undefined
  /** Whether the run is woken at once, and not only when all tasks of the step have ended. */
  readonly wakes: boolean
}

/**
 * One line of a task's history, to be written.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entry {
  readonly kind: EntryKind
  /**
   * The lease of the attempt that ended, or the next number for what happened without an attempt.
   */
  readonly lease: number
  /** The 1-based number of the attempt that ended; `undefined` for what happened without one. */
  readonly attempt: number | undefined
  /** How long the handler ran; `undefined` where it never started, or nobody knows. */
  readonly elapsedMillis?: number | undefined
  readonly output?: string | undefined
  readonly failure?: Failure | undefined
}

/**
 * Where a change takes a task.
 *
 * @category models
 * @since 0.1.0
 */
export type Destination =
  | {
    readonly state: "ready"
    readonly delayMillis: number
    /** Due at this instant instead, where somebody gave one. */
    readonly dueAt?: number | undefined
  }
  /** It waits until it is woken; at once ready where it was woken more than `seen` times. */
  | { readonly state: "waiting"; readonly seen: number }
  | { readonly state: TerminalState }
