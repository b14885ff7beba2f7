/**
 * A run as people and programs see it.
 */
import type { HistoryEntry, TaskProgress, TaskRecord } from "../../Driver.ts"
import type { Failure } from "../../Outcome.ts"
import type { RunId } from "../../RunId.ts"
import type { EntryKind, State } from "../../Task.ts"
import { isTerminal } from "../../Task.ts"

/**
 * One stored instance of a job, with all that happened to it. Instants are milliseconds since 1970.
 *
 * @category models
 * @since 0.1.0
 */
export interface Run {
  readonly id: RunId
  /** The slug of its job. */
  readonly job: string
  readonly queue: string
  readonly priority: number
  readonly state: State
  readonly enqueuedAt: number
  /** When it is due, where it is scheduled or waits for a retry. */
  readonly dueAt: number | undefined
  /** Until when it may begin for the first time, where it expires. */
  readonly expiresAt: number | undefined
  /** How far its last attempt is, or came, where its handler has said so. */
  readonly progress: TaskProgress | undefined
  /** The key of its group. */
  readonly group: string | undefined
  /** In the order of their texts. */
  readonly tags: ReadonlyArray<string>
  readonly meta: Readonly<Record<string, string>>
  /** The encoded input, as JSON text. */
  readonly input: string
  /** The encoded output of a completed run, as JSON text. */
  readonly output: string | undefined
  /** Why it ended failed or cancelled. */
  readonly failure: Failure | undefined
  /** What ran, oldest first. */
  readonly attempts: ReadonlyArray<AttemptRecord>
  /** All that happened, attempts included, oldest first. */
  readonly history: ReadonlyArray<HistoryEntry>
}

/**
 * One attempt that ended.
 *
 * @category models
 * @since 0.1.0
 */
export interface AttemptRecord {
  readonly number: number
  readonly outcome: EntryKind
  /** `undefined` where the worker was lost, or stopped before the handler began. */
  readonly startedAt: number | undefined
  readonly finishedAt: number
  readonly failure: Failure | undefined
}

/** Reads a run from the record of its own task. */
export const toRun = (record: TaskRecord): Run => {
  const last = record.history.at(-1)
  return {
    id: record.runId,
    job: record.flow,
    queue: record.queue,
    priority: record.priority,
    state: record.state,
    enqueuedAt: record.enqueuedAt,
    dueAt: record.dueAt,
    expiresAt: record.expiresAt,
    progress: record.progress,
    group: record.group,
    tags: record.tags ?? [],
    meta: record.meta ?? {},
    input: record.input,
    output: record.state === "completed" ? last?.output : undefined,
    failure: isTerminal(record.state) ? last?.failure : undefined,
    attempts: record.history.flatMap((entry) =>
      entry.attempt === undefined || (entry.kind === "interrupted" && entry.startedAt === undefined)
        ? []
        : [{
          number: entry.attempt,
          outcome: entry.kind,
          startedAt: entry.startedAt,
          finishedAt: entry.at,
          failure: entry.failure,
        }]
    ),
    history: record.history,
  }
}
