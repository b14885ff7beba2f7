/**
 * Stored tasks with their history, read from rows.
 *
 * @since 0.1.0
 */
import { type Driver, Labels, type Outcome, type Task } from "@millrace/core"
import type { Row } from "./Connection.ts"
import { placeOf } from "./Place.ts"

/** A column of text.
 * @category models
 * @since 0.1.0 */
export type Text = string | null

/** Reads what decisions are made on.
 * @category conversions
 * @since 0.1.0 */
export const toTask = (row: Row): Task.Task => ({
  id: row.id as string,
  state: row.state as Task.State,
  lease: row.lease as number,
  failures: row.failures as number,
  crashes: row.crashes as number,
  maxAttempts: row.max_attempts as number,
  maxCrashes: row.max_crashes as number,
  awaited: row.awaited as boolean,
  ...placeOf(row),
})

/** Reads a task with its history.
 * @category conversions
 * @since 0.1.0 */
export const toRecord = (row: Row, nameOf: (id: number) => string): Driver.TaskRecord => ({
  ...toTask(row),
  runId: row.run_id as string,
  flowType: row.flow_type as "job" | "flow",
  flow: row.flow as string,
  step: row.step as string,
  index: row.index as number,
  queue: nameOf(row.queue_id as number),
  priority: row.priority as number,
  input: row.input as string,
  group: row.group_key === "" ? undefined : row.group_key as string,
  enqueuedAt: row.created as number,
  dueAt: (row.due as number | null) ?? undefined,
  expiresAt: (row.expires as number | null) ?? undefined,
  progress: progressOf(row),
  history: historyOf(row.history as string | null),
  version: (row.version as string | null) ?? undefined,
  ...labelsOf(row.labels as string | null),
})

const labelsOf = (json: string | null): Labels.Labels =>
  json === null ? {} : Labels.ofLabels(
    (JSON.parse(json) as ReadonlyArray<readonly [string, string]>).map(([name, value]) => ({
      name,
      value,
    })),
  )

const progressOf = ({ lease, progress }: Row): Driver.TaskProgress | undefined => {
  if (typeof progress !== "string") return undefined
  const [own, fraction, note, at] = JSON.parse(progress) as readonly [number, number, Text, number]
  // It is that of an attempt, and no more read once another one has begun.
  return own === lease ? { fraction, note: note ?? undefined, at } : undefined
}

type Entry = readonly [
  kind: Task.EntryKind,
  lease: number,
  attempt: number | null,
  startedAt: number | null,
  at: number,
  output: string | null,
  reason: Outcome.FailureReason | null,
  failure: string | null,
  error: string | null,
]

const historyOf = (json: string | null): ReadonlyArray<Driver.HistoryEntry> =>
  json === null ? [] : (JSON.parse(json) as ReadonlyArray<Entry>).map(toEntry)

const toEntry = (
  [kind, lease, attempt, startedAt, at, output, reason, text, error]: Entry,
): Driver.HistoryEntry => ({
  kind,
  lease,
  attempt: attempt ?? undefined,
  startedAt: startedAt ?? undefined,
  at,
  output: output ?? undefined,
  failure: failureOf(reason, text, error),
})

/** Reads a failure.
 * @category conversions
 * @since 0.1.0 */
export const failureOf = (
  reason: Outcome.FailureReason | null,
  text: Text,
  error: Text,
): Outcome.Failure | undefined =>
  reason === null
    ? undefined
    : { reason, message: text ?? "", ...(error === null ? {} : { error }) }
