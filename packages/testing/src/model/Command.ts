/**
 * Commands to a driver as data, which a seed makes and a person can read.
 *
 * @since 0.1.0
 */
import type { Driver, Limiting, Outcome, Recurrence, Task, Uniqueness } from "@millrace/core"

/**
 * A command. Tasks, workers, queues and schedules are numbers, so that a program means the same in
 * every store and still means something when other commands are dropped. The numbers after those of
 * the tasks that are inserted are the latest runs of schedules.
 *
 * @category models
 * @since 0.1.0
 */
export type Command =
  | { readonly _tag: "Insert"; readonly tasks: ReadonlyArray<NewTask> }
  | {
    readonly _tag: "Claim"
    readonly worker: number
    readonly lanes: ReadonlyArray<{ readonly queue: number; readonly limit: number }>
    readonly eldest: boolean
  }
  | { readonly _tag: "Settle"; readonly changes: ReadonlyArray<Settle> }
  /** Of the tasks alone, or of all that is below them, too. */
  | { readonly _tag: "Cancel"; readonly tasks: ReadonlyArray<number>; readonly whole: boolean }
  | { readonly _tag: "Retry"; readonly tasks: ReadonlyArray<number>; readonly whole: boolean }
  | { readonly _tag: "Discard"; readonly tasks: ReadonlyArray<number>; readonly whole: boolean }
  | {
    readonly _tag: "Reschedule"
    readonly tasks: ReadonlyArray<number>
    readonly delay: number
    /** This long after the present instant, or before; given as an instant. */
    readonly dueIn: number | undefined
  }
  | { readonly _tag: "Signal"; readonly tasks: ReadonlyArray<number>; readonly output: string }
  /** A lease of 0 ends the session. */
  | {
    readonly _tag: "Beat"
    readonly worker: number
    readonly lease: number
    readonly held: ReadonlyArray<number>
  }
  | {
    readonly _tag: "Limit"
    readonly queue: number
    readonly limits: Limiting.QueueLimits | null
  }
  | { readonly _tag: "Advance"; readonly millis: number }
  | { readonly _tag: "Recover" }
  | { readonly _tag: "Queues" }
  /** What is too late to begin ends. */
  | { readonly _tag: "Expire"; readonly limit: number }
  /** All that is old enough, or only whole runs of which more is said. */
  | { readonly _tag: "Prune"; readonly age: number; readonly runs: PrunedRuns | undefined }
  | {
    readonly _tag: "Find"
    readonly queue: number | undefined
    readonly states: ReadonlyArray<Task.State> | undefined
    readonly parents: ReadonlyArray<number> | undefined
    readonly steps: ReadonlyArray<string> | undefined
    readonly after: number | undefined
    readonly limit: number
  }
  | List
  | ScheduleCommand

/**
 * A look for tasks as people look for them.
 *
 * @category models
 * @since 0.1.0
 */
export interface List {
  readonly _tag: "List"
  readonly queue: number | undefined
  readonly states: ReadonlyArray<Task.State> | undefined
  readonly own: boolean
  readonly group: string | undefined
  readonly key: string | undefined
  readonly tags: ReadonlyArray<string> | undefined
  readonly meta: Readonly<Record<string, string>> | undefined
  /** Stored at most so long ago. */
  readonly since: number | undefined
  /** Stored longer ago than this. */
  readonly until: number | undefined
  readonly descending: boolean
  /** The task that the page goes on from. */
  readonly from: number | undefined
  readonly limit: number
}

/**
 * What is done with schedules. Who `saw` is a worker that decides on what it looked at last, which
 * may stand otherwise by now; `undefined` is somebody who looks just before.
 *
 * @category models
 * @since 0.1.0
 */
export type ScheduleCommand =
  | {
    readonly _tag: "Look"
    readonly worker: number
    readonly due: boolean
    readonly limit: number
  }
  /** Enqueues what the schedules are due for that a worker looked at last. */
  | { readonly _tag: "Fire"; readonly worker: number }
  | {
    readonly _tag: "Upsert"
    readonly schedule: number
    readonly saw: number | undefined
    readonly plan: Plan
  }
  | {
    readonly _tag: "Pause"
    readonly schedule: number
    readonly saw: number | undefined
    readonly paused: boolean
  }
  | { readonly _tag: "Remove"; readonly schedule: number; readonly saw: number | undefined }

/**
 * What a schedule is to be, and what it enqueues.
 *
 * @category models
 * @since 0.1.0
 */
export interface Plan {
  readonly recurrence: Recurrence.Recurrence
  /** How many missed occurrences are made up for. */
  readonly misfires: number
  readonly jitter: number
  /** Its number says nothing. */
  readonly task: NewTask
}

/** Which runs are pruned.
 * @category models
 * @since 0.1.0 */
export interface PrunedRuns {
  readonly states: ReadonlyArray<Task.State> | undefined
  readonly keep: number | undefined
  readonly within: number | undefined
}

/**
 * A task to insert.
 *
 * @category models
 * @since 0.1.0
 */
export interface NewTask {
  readonly task: number
  readonly queue: number
  readonly priority: number
  readonly delay: number
  readonly expires: number | undefined
  /** This long after the present instant, or before; given as an instant. */
  readonly dueIn: number | undefined
  readonly maxAttempts: number
  readonly maxCrashes: number
  readonly awaited: boolean
  readonly input: string
  readonly unique: Uniqueness.Unique | undefined
  readonly group: string | undefined
  readonly tags: ReadonlyArray<string> | undefined
  readonly meta: Readonly<Record<string, string>> | undefined
  readonly place: Place | undefined
}

/**
 * What a task is in a flow: the own task of a run, the task of a step, or both.
 *
 * @category models
 * @since 0.1.0
 */
export interface Place {
  /** The run that it is a step of, which has a smaller number. */
  readonly parent: number | undefined
  readonly step: string
  readonly onExhausted: Task.OnExhausted
  readonly undoes: boolean
  readonly waits: boolean
  readonly ended: Driver.Ended | undefined
}

/**
 * An outcome of the last claim of a task, or of one of those before it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Settle {
  readonly task: number
  /** How many claims ago; 0 is the last. */
  readonly back: number
  readonly outcome: Exclude<Outcome.Outcome, Outcome.Advanced> | Advanced
  readonly elapsed: number | undefined
}

/**
 * A run that goes on: with the last so many wakes not seen.
 *
 * @category models
 * @since 0.1.0
 */
export interface Advanced {
  readonly _tag: "Advanced"
  readonly starts: ReadonlyArray<NewTask>
  readonly missed: number
}
