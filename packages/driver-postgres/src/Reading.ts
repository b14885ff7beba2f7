/**
 * The driver's `find`, `queues`, `progress` and `prune`.
 *
 * @since 0.1.0
 */
import type { Driver, DriverError, Limiting, Outcome, Task } from "@millrace/core"
import { Effect } from "effect"
import { arrayLiteral } from "./ArrayLiteral.ts"
import type { Query, Row } from "./Connection.ts"
import { find, idsIn } from "./Finding.ts"
import { failureOf, type Text } from "./Records.ts"
import * as Pruning from "./Pruning.ts"
import { joining, once, type Store } from "./Store.ts"

type Progress = Driver.RunProgress

/** Makes the operations.
 * @category constructors
 * @since 0.1.0 */
export const make = (store: Store) => ({
  find: (query: Driver.FindQuery): Effect.Effect<ReadonlyArray<Driver.TaskRecord>, DriverError> =>
    joining(
      store,
      "find tasks",
      once(store, "find tasks", (run) => find(store, run, query)),
      (inside, run) => find(inside, run, query),
    ),

  prune: Pruning.make(store),

  queues: Effect.flatMap(store.now, (now) =>
    joining(
      store,
      "read queues",
      once(store, "read queues", (run) => queues(store, run, now)),
      (inside, run) => queues(inside, run, now),
    )),

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

const queues = async (
  { statements }: Store,
  run: Query,
  now: string | null,
): Promise<ReadonlyArray<Driver.QueueState>> => {
  const rows = await run(statements.queueStates, [now])
  return rows.map(toQueue).sort((a, b) => a.queue < b.queue ? -1 : 1)
}

const toQueue = (row: Row): Driver.QueueState => ({
  queue: row.name as string,
  ready: row.ready as number,
  scheduled: row.scheduled as number,
  running: row.running as number,
  limits: row.declared === null
    ? undefined
    : JSON.parse(row.declared as string) as Limiting.QueueLimits,
  eldestMillis: (row.eldest as number | null) ?? undefined,
})

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
    ? failureOf(row.reason as Outcome.FailureReason | null, row.message as Text, row.error as Text)
    : undefined,
  steps: row.steps === null
    ? []
    : (JSON.parse(row.steps as string) as ReadonlyArray<Counts>).map(toStep)
      .sort((a, b) => a.step < b.step ? -1 : 1),
})

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
