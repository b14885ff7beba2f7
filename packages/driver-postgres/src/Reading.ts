/**
 * The driver's `find` and `prune`.
 *
 * @since 0.1.0
 */
import { type Driver, type DriverError, type Outcome, RunId, type Task } from "@millrace/core"
import { Effect } from "effect"
import { arrayLiteral } from "./ArrayLiteral.ts"
import type { Query, Row } from "./Connection.ts"
import { joining, once, type Store, transaction } from "./Store.ts"

type Record = Driver.TaskRecord

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
      const rows = await query(store.statements.lockEnded, [
        now,
        String(request.olderThanMillis),
        String(request.limit),
      ])
      if (rows.length === 0) return 0
      const { deleteEnded, dropClaims, freeKeys, trimClaims } = store.statements
      const pruned = await query(deleteEnded, [idsOf(rows)])
      await query(freeKeys, [idsOf(pruned)])
      await query(trimClaims, [idsOf(pruned)])
      await query(dropClaims, [idsOf(pruned)])
      return pruned.length
    })
  }),
})

const find = async (
  { statements, queues }: Store,
  run: Query,
  query: Driver.FindQuery,
): Promise<ReadonlyArray<Record>> => {
  const queue = query.queue === undefined ? undefined : await queues.find(run, query.queue)
  if (query.queue !== undefined && queue === undefined) return []
  const params = [
    query.flow ?? null,
    queue === undefined ? null : String(queue),
    query.states === undefined ? null : arrayLiteral(query.states),
    String(query.limit),
  ]
  const rows = query.runs === undefined
    ? await run(statements.find, params)
    : await run(statements.findOfRuns, [
      ...params,
      arrayLiteral(query.runs.filter((id) => RunId.isRunId(id))),
    ])
  const nameOf = await queues.names(run, rows.map((row) => row.queue_id as number))
  return rows.map((row) => toRecord(row, nameOf))
}

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
  enqueuedAt: row.created as number,
  dueAt: (row.due as number | null) ?? undefined,
  history: historyOf(row.history as string | null),
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
  failure: reason === null
    ? undefined
    : { reason, message: text ?? "", ...(error === null ? {} : { error }) },
})
