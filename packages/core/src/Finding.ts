/**
 * What is asked of stored tasks, and what is read of them.
 *
 * @since 0.1.0
 */
import type { QueueLimits } from "./Limiting.ts"
import type { Failure } from "./Outcome.ts"
import type { EntryKind, State, Task, TaskId } from "./Task.ts"

/**
 * Asks for stored tasks. Every condition that is given must hold; the answer is in the order of
 * ids.
 *
 * @category models
 * @since 0.1.0
 */
export interface FindQuery {
  readonly ids?: ReadonlyArray<TaskId> | undefined
  readonly runs?: ReadonlyArray<string> | undefined
  /** Tasks of steps, by the own tasks of their runs. */
  readonly parents?: ReadonlyArray<TaskId> | undefined
  readonly steps?: ReadonlyArray<string> | undefined
  /** Only tasks whose id comes after this one. */
  readonly after?: TaskId | undefined
  /** Only tasks whose id comes before this one. */
  readonly before?: TaskId | undefined
  readonly flow?: string | undefined
  readonly queue?: string | undefined
  readonly states?: ReadonlyArray<State> | undefined
  /** Only the own tasks of runs that are no step of another run. */
  readonly own?: boolean | undefined
  /** The key of a group. */
  readonly group?: string | undefined
  /** The task that took a key of uniqueness last. */
  readonly key?: { readonly flow: string; readonly key: string } | undefined
  /** Only tasks that have all of these tags. */
  readonly tags?: ReadonlyArray<string> | undefined
  /** Only tasks that have all of these pairs. */
  readonly meta?: Readonly<Record<string, string>> | undefined
  /** Only tasks that were stored at this instant or later. */
  readonly createdFrom?: number | undefined
  /** Only tasks that were stored before this instant. */
  readonly createdBefore?: number | undefined
  /** The last ids first. */
  readonly descending?: boolean | undefined
  readonly limit: number
}

/**
 * A stored task with its history.
 *
 * @category models
 * @since 0.1.0
 */
export interface TaskRecord extends Task {
  readonly runId: string
  readonly flowType: "job" | "flow"
  readonly flow: string
  readonly step: string
  readonly index: number
  readonly queue: string
  readonly priority: number
  readonly input: string
  readonly version?: string | undefined
  /** The key of its group. */
  readonly group?: string | undefined
  /** Its tags, each once and in the order of their texts. */
  readonly tags?: ReadonlyArray<string> | undefined
  readonly meta?: Readonly<Record<string, string>> | undefined
  readonly enqueuedAt: number
  /** When a scheduled task is due; `undefined` in every other state. */
  readonly dueAt: number | undefined
  /** Until when it may begin for the first time, where it expires. */
  readonly expiresAt?: number | undefined
  /** How far its last attempt is, or came, where that has said so. */
  readonly progress?: TaskProgress | undefined
  readonly history: ReadonlyArray<HistoryEntry>
}

/**
 * How far an attempt is, as it last said.
 *
 * @category models
 * @since 0.1.0
 */
export interface TaskProgress {
  /** From 0 to 1. */
  readonly fraction: number
  readonly note: string | undefined
  /** When that was stored. */
  readonly at: number
}

/**
 * One line of a task's history, oldest first.
 *
 * @category models
 * @since 0.1.0
 */
export interface HistoryEntry {
  readonly kind: EntryKind
  readonly lease: number
  readonly attempt: number | undefined
  readonly startedAt: number | undefined
  readonly at: number
  readonly output: string | undefined
  readonly failure: Failure | undefined
}

/**
 * What waits and runs in a queue.
 *
 * @category models
 * @since 0.1.0
 */
export interface QueueState {
  readonly queue: string
  /** How many tasks are due. */
  readonly ready: number
  /** How many are due later. */
  readonly scheduled: number
  readonly running: number
  /** What was said of it last. */
  readonly limits: QueueLimits | undefined
  /**
   * For how long the task has been due that is claimed first: of all priorities the longest, and
   * without runs that have waited, since it is not known when those were woken.
   */
  readonly eldestMillis: number | undefined
}
