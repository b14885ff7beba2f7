/**
 * The driver's `find`, `progress` and `prune`.
 *
 * @since 0.1.0
 */
import { type Driver, type DriverError, type Outcome, RunId, type Task } from "@millrace/core"
import { Effect } from "effect"
import { arrayLiteral } from "./ArrayLiteral.ts"
import type { Query, Row } from "./Connection.ts"
import { placeOf } from "./Place.ts"
import { joining, once, type Store, transaction } from "./Store.ts"

type Record = Driver.TaskRecord
type Progress = Driver.RunProgress

/** Makes the operations.
 * @category constructors
 * @since 0.1.0 */
export const make = (store: Store) => ({
  find: (query: Driver.FindQuery): Effect.Effect<ReadonlyArray<Record>, DriverError> =>
    joining(
      store,
      "find tasks",
      once(store, "find tasks", (run) => find(store, run, query)),
      (inside, run) => find(inside, run, query),
    ),

  prune: Effect.fnUntraced(function* (
    request: Driver.PruneRequest,
  ): Effect.fn.Return<number, DriverError> {
    const now = yield* store.now
    return yield* transaction(store, "prune", async (query) => {
      await query(store.statements.allowScans, [])
      let pruned = 0
      let again = true
      while (again && pruned < request.limit) {
        const rows = await pruneOnce(store, query, now, request, request.limit - pruned)
        pruned += rows.length
        // The tasks of a run can go once the run has gone.
        again = rows[0]?.has_steps === true
      }
      return pruned
    })
  }),

  progress: (
    ids: ReadonlyArray<Task.TaskId>,
  ): Effect.Effect<ReadonlyArray<Progress>, DriverError> =>
    joining(
      store,
      "read progress",
      once(store, "read progress", (run) => progress(store, run, ids)),
      (inside, run) => progress(inside, run, ids),
    ),
})

const pruneOnce = async (
  { statements }: Store,
  query: Query,
  now: string | null,
  { olderThanMillis }: Driver.PruneRequest,
  limit: number,
): Promise<ReadonlyArray<Row>> => {
  const locked = [now, String(olderThanMillis), String(limit)]
  const rows = await query(statements.lockEnded, locked)
  if (rows.length === 0) return rows
  const pruned = await query(statements.deleteEnded, [idsOf(rows)])
  await query(statements.freeKeys, [idsOf(pruned)])
  await query(statements.trimClaims, [idsOf(pruned)])
  await query(statements.dropClaims, [idsOf(pruned)])
  const parents = new Set(pruned.flatMap((row) => row.parent === null ? [] : [String(row.parent)]))
  if (parents.size > 0) await query(statements.deleteSteps, [arrayLiteral([...parents])])
  return pruned
}

const progress = async (
  { statements }: Store,
  run: Query,
  ids: ReadonlyArray<Task.TaskId>,
): Promise<ReadonlyArray<Progress>> => {
  const asked = idsIn(ids)
  if (asked.length === 0) return []
  const rows = await run(statements.progress, [arrayLiteral(asked)])
  const found = new Map(rows.map((row) => [row.id as string, row]))
  return asked.flatMap((id) => found.has(id) ? [toProgress(found.get(id)!)] : [])
}

const toProgress = (row: Row): Progress => ({
  id: row.id as string,
  wakes: row.wakes as number,
  ending: row.kind === "unwinding"
    ? failureOf(row.reason as Reason | null, row.message as string | null, row.error as Text)
    : undefined,
  steps: row.steps === null
    ? []
    : (JSON.parse(row.steps as string) as ReadonlyArray<Counts>).map(toStep)
      .sort((a, b) => a.step < b.step ? -1 : 1),
})

type Text = string | null
type Reason = Outcome.FailureReason

type Counts = readonly [
  step: string,
  tasks: number,
  completed: number,
  failed: number,
  cancelled: number,
  skipped: number,
]

const toStep = ([step, tasks, completed, failed, cancelled, skipped]: Counts) => ({
  ...{ step, tasks, completed, failed, cancelled, skipped },
})

const find = async (
  { statements, queues }: Store,
  run: Query,
  query: Driver.FindQuery,
): Promise<ReadonlyArray<Record>> => {
  const queue = query.queue === undefined ? undefined : await queues.find(run, query.queue)
  if (query.queue !== undefined && queue === undefined) return []
  const { ids, runs, parents } = query
  const origin = ids ? "ids" : parents ? "parents" : runs ? "runs" : "all"
  const plain = [
    query.flow ?? null,
    queue === undefined ? null : String(queue),
    listOf(query.states),
    String(query.limit),
    listOf(query.steps),
    query.after ?? null,
    ...[ids, runs, parents].map((list) => listOf(list && idsIn(list))),
  ]
  const more = moreOf(query)
  const lists = query.descending === true ? statements.newest : statements.oldest
  const rows = more === undefined
    ? await run(statements.find[origin], plain)
    : await run(lists[origin === "all" ? startOf(query) : origin], [...plain, ...more])
  const nameOf = await queues.names(run, rows.map((row) => row.queue_id as number))
  return rows.map((row) => toRecord(row, nameOf))
}

// What only people ask for has statements of its own.
const moreOf = (query: Driver.FindQuery): ReadonlyArray<string | null> | undefined => {
  const { before, createdBefore, createdFrom, group, key, own } = query
  const more = [
    before ?? null,
    own === true ? "true" : null,
    group ?? null,
    // Nothing was stored before 1970, and the database may not know the year.
    createdFrom === undefined ? null : String(Math.max(0, createdFrom)),
    createdBefore === undefined ? null : String(Math.max(0, createdBefore)),
    key?.flow ?? null,
    key?.key ?? null,
  ]
  return query.descending === true || more.some((value) => value !== null) ? more : undefined
}

const startOf = ({ key, states }: Driver.FindQuery) =>
  key !== undefined
    ? "key"
    : states === undefined || states.some((state) => state === "completed" || state === "skipped")
    ? "all"
    : "states"

/** What can be an id, each once. */
const idsIn = (all: ReadonlyArray<string>) => [...new Set(all)].filter((id) => RunId.isRunId(id))

const listOf = (all: ReadonlyArray<string> | undefined) =>
  all === undefined ? null : arrayLiteral(all)

const idsOf = (rows: ReadonlyArray<Row>) => arrayLiteral(rows.map((row) => row.id as string))

const toRecord = (row: Row, nameOf: (id: number) => string): Record => ({
  id: row.id as string,
  runId: row.run_id as string,
  state: row.state as Task.State,
  lease: row.lease as number,
  failures: row.failures as number,
  crashes: row.crashes as number,
  maxAttempts: row.max_attempts as number,
  maxCrashes: row.max_crashes as number,
  awaited: row.awaited as boolean,
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
  history: historyOf(row.history as string | null),
  version: (row.version as string | null) ?? undefined,
  ...placeOf(row),
})

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

const failureOf = (
  reason: Reason | null,
  text: Text,
  error: Text,
): Outcome.Failure | undefined =>
  reason === null
    ? undefined
    : { reason, message: text ?? "", ...(error === null ? {} : { error }) }
