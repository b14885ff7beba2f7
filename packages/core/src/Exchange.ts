/**
 * What crosses the port to the storage: the requests that go down, and the answers that come up.
 *
 * **Details**
 *
 * Only encoded values cross. Durations go down and instants (milliseconds since 1970) come up.
 *
 * @since 0.1.0
 */
import type { Failure } from "./Outcome.ts"
import type { StepProgress } from "./Progress.ts"
import type { EntryKind, OnExhausted, State, Task, TaskId } from "./Task.ts"
import type { Unique } from "./Uniqueness.ts"

export type * from "./Finding.ts"

/**
 * A task to be stored.
 *
 * @category models
 * @since 0.1.0
 */
export interface NewTask {
  readonly id: TaskId
  /** Whether its id was made for it: at most a repeat of its insert has stored it before. */
  readonly isNew?: boolean | undefined
  readonly runId: string
  readonly flowType: "job" | "flow"
  /** The slug of the definition. */
  readonly flow: string
  readonly step: string
  /** 0-based among the tasks of one map step; 0 elsewhere. */
  readonly index: number
  readonly queue: string
  /** 0 to 9; 0 runs first. */
  readonly priority: number
  /** JSON text. */
  readonly input: string
  readonly maxAttempts: number
  readonly maxCrashes: number
  /** Due this long after it is stored. */
  readonly delayMillis: number
  /** Due at this instant instead, where the caller gave one. */
  readonly dueAt?: number | undefined
  /** Whether somebody waits for its end, so that the end is to be announced. */
  readonly awaited: boolean
  /** The W3C `traceparent` of the span that enqueued it. */
  readonly trace?: string | undefined
  /** The key that no other task of its `flow` may have. */
  readonly unique?: Unique | undefined
  /** The shape of its flow's definition. */
  readonly version?: string | undefined
  /** The own task of the run that it is a step of, which is told when the step has ended. */
  readonly parent?: TaskId | undefined
  /** What its last failure makes of it (default `fail`). */
  readonly onExhausted?: OnExhausted | undefined
  /** The own task of a run whose flow has steps to undo. */
  readonly undoes?: boolean | undefined
  /** `waiting` for the own task of a run whose first steps are stored with it (default `ready`). */
  readonly state?: "ready" | "waiting" | undefined
  /** How it has ended already: nothing is left to run. */
  readonly ended?: Ended | undefined
  /** The key of the group that it belongs to in its queue: 1 to 255 characters. */
  readonly group?: string | undefined
  /** Where nothing of it has begun this long after it is due, it is not to begin at all. */
  readonly expiresMillis?: number | undefined
  /** What it is found by: at most 16 texts of 1 to 255 characters. */
  readonly tags?: ReadonlyArray<string> | undefined
  /** What it is found by: at most 16 pairs, with names of 1 to 64 characters. */
  readonly meta?: Readonly<Record<string, string>> | undefined
}

/** The end of a task that is stored as ended.
 * @category models
 * @since 0.1.0 */
export interface Ended {
  readonly state: "completed" | "skipped"
  /** JSON text. */
  readonly output?: string | undefined
  readonly failure?: Failure | undefined
}

/**
 * What became of a task to be stored.
 *
 * @category models
 * @since 0.1.0
 */
export interface Inserted {
  readonly id: TaskId
  /** `false` where a task with this id was there already; it is left as it was. */
  readonly inserted: boolean
  /** The task that has its key, where it is not stored for that reason. */
  readonly holder?: TaskId | undefined
  /** The task that had its key before, and was cancelled for it. */
  readonly replaced?: TaskId | undefined
  /** The queue that is full, where nothing of the batch is stored for that reason. */
  readonly full?: string | undefined
}

/**
 * Asks for tasks to run.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClaimRequest {
  readonly worker: string
  /** At most `limit` tasks from each queue. */
  readonly lanes: ReadonlyArray<{ readonly queue: string; readonly limit: number }>
  /** The worker is about to wait: an insert into these queues is to wake it. */
  readonly waits: boolean
  /** Takes the priority whose first task has waited longest, and not the highest one. */
  readonly eldest?: boolean | undefined
}

/**
 * A claimed task: what a worker needs to run it.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClaimedTask extends Task {
  readonly runId: string
  readonly flowType: "job" | "flow"
  readonly flow: string
  readonly step: string
  readonly index: number
  readonly queue: string
  readonly input: string
  readonly enqueuedAt: number
  readonly trace?: string | undefined
  readonly version?: string | undefined
  /** Its queue has limits, so that its end may let another through; with a rate it is `paced`. */
  readonly limited?: "held" | "paced" | undefined
  /** How long it may still begin, where it expires: not at all where that is 0 or less. */
  readonly expiresInMillis?: number | undefined
}

/**
 * The answer to a claim.
 *
 * @category models
 * @since 0.1.0
 */
export interface Claim {
  readonly tasks: ReadonlyArray<ClaimedTask>
  /** How long until a scheduled task is due, or, of an empty claim, a rate lets one through. */
  readonly nextDueMillis: number | undefined
}

/**
 * What became of a change.
 *
 * @category models
 * @since 0.1.0
 */
export interface Settled {
  readonly taskId: TaskId
  /**
   * `applied` now; `already` where the history holds an entry with this lease, whose kind is given,
   * so that a call whose reply was lost can be repeated; `stale` where the task is not as the
   * change expects.
   */
  readonly status: "applied" | "already" | "stale"
  readonly kind?: EntryKind | undefined
}

/** A task as a worker holds it. One worker can meet a task under two leases: only one is held.
 * @category models
 * @since 0.1.0 */
export interface HeldTask {
  readonly id: TaskId
  readonly lease: number
}

/**
 * A worker says that it lives, and what it holds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Heartbeat {
  readonly worker: string
  /** How long the worker's leases hold from now; 0 ends its session. */
  readonly leaseMillis: number
  readonly held: ReadonlyArray<HeldTask>
  /** How far attempts are that have said so since the last one. */
  readonly progress?: ReadonlyArray<AttemptProgress> | undefined
}

/**
 * How far the attempt with a lease is.
 *
 * @category models
 * @since 0.1.0
 */
export interface AttemptProgress {
  readonly id: TaskId
  readonly lease: number
  /** From 0 to 1. */
  readonly fraction: number
  /** A word for people. */
  readonly note?: string | undefined
}

/**
 * The answer to a heartbeat.
 *
 * @category models
 * @since 0.1.0
 */
export interface Pulse {
  /**
   * `false` where the worker's lease had expired: it holds nothing any more, and needs a new name.
   */
  readonly live: boolean
  /** Which of the held tasks it lost, with their leases: cancelled, or taken over. */
  readonly lost: ReadonlyArray<HeldTask>
}

/**
 * Which tasks a transaction is about.
 *
 * @category models
 * @since 0.1.0
 */
export type Target =
  | { readonly _tag: "Tasks"; readonly ids: ReadonlyArray<TaskId> }
  /** These tasks, and all below them: of their steps, and of the runs that are their steps. */
  | { readonly _tag: "Runs"; readonly ids: ReadonlyArray<TaskId> }
  /** At most `limit` running tasks whose worker's lease has expired. */
  | { readonly _tag: "Expired"; readonly limit: number }
  /** At most `limit` tasks that have expired and are ready: those first that expired first. */
  | { readonly _tag: "Overdue"; readonly limit: number }

/**
 * Asks to remove what ended long ago.
 *
 * @category models
 * @since 0.1.0
 */
export interface PruneRequest {
  readonly olderThanMillis: number
  /** The most tasks, or the most runs where one of the conditions below is given. */
  readonly limit: number
  /** Only runs of this job or flow. */
  readonly flow?: string | undefined
  /** Only runs that ended so. */
  readonly states?: ReadonlyArray<State> | undefined
  /** All but the newest so many of those, in the order of ids. */
  readonly keep?: number | undefined
  /** Only runs that ended within this time. */
  readonly youngerThanMillis?: number | undefined
}

/**
 * A hint that something is worth looking at. Losing, doubling or delaying one costs time, never
 * work.
 *
 * @category models
 * @since 0.1.0
 */
export type Wakeup =
  | { readonly _tag: "Ready"; readonly queue: string }
  | { readonly _tag: "Cancelled"; readonly taskId: TaskId }
  | { readonly _tag: "Ended"; readonly runId: string }
  /** Others may have been missed: from now on they are heard. */
  | { readonly _tag: "Missed" }

/**
 * How far the run of a flow is.
 *
 * @category models
 * @since 0.1.0
 */
export interface RunProgress {
  /** The id of the run, and of its own task. */
  readonly id: TaskId
  /** How often its own task was woken. */
  readonly wakes: number
  /** Why the run is to end before its steps have: its last `unwinding`, unless retried since. */
  readonly ending: Failure | undefined
  /** The steps that have tasks, in the order of their names. */
  readonly steps: ReadonlyArray<StepProgress>
}
