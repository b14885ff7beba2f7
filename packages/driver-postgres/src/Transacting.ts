/**
 * The driver's `transact`: lock, decide, apply, all or nothing.
 *
 * @since 0.1.0
 */
import { type Driver, type DriverError, RunId, type Task } from "@millrace/core"
import { Effect } from "effect"
import { arrayLiteral } from "./ArrayLiteral.ts"
import type { Begin } from "./Begin.ts"
import type { Query } from "./Connection.ts"
import { follow, Moved, queuesOf } from "./Consequences.ts"
import { toTask } from "./Records.ts"
import { answers, keyOf } from "./Settling.ts"
import { applyParams } from "./statements/Apply.ts"
import { forgottenAtOnce } from "./statements/Overdue.ts"
import { joining, type Store, transaction } from "./Store.ts"

type Decide = (tasks: ReadonlyArray<Task.Task>) => ReadonlyArray<Task.Change>

/** What a transaction came to: answers, or what the decision itself threw. */
type Decided =
  | { readonly settled: ReadonlyArray<Driver.Settled> }
  | { readonly thrown: unknown }

/** Makes the operation.
 * @category constructors
 * @since 0.1.0 */
export const make = (store: Store) =>
  Effect.fnUntraced(function* (
    target: Driver.Target,
    decide: Decide,
  ): Effect.fn.Return<ReadonlyArray<Driver.Settled>, DriverError> {
    const now = yield* store.now
    const run = (query: Query) =>
      target._tag === "Tasks"
        ? ofTasks(store, query, now, target.ids, decide)
        : target._tag === "Runs"
        ? ofRuns(store, query, now, target.ids, decide)
        : target._tag === "Expired"
        ? ofExpired(store, query, now, target.limit, decide)
        : ofOverdue(store, query, now, target.limit, decide)
    const decided = yield* joining(
      store,
      operation,
      transaction(store, operation, run),
      (_, query, joined) => joined.begin === undefined ? run(query) : asPart(joined.begin, run),
    )
    if ("thrown" in decided) return yield* Effect.die(decided.thrown)
    return decided.settled
  })

const operation = "change tasks"

// Another worker may move a task between its being read and its being changed: then the part is
// undone and repeated, and the transaction around it is none the wiser.
/** Runs what may have to be repeated as a part of a transaction.
 * @category running
 * @since 0.1.0 */
export const asPart = async <A>(
  begin: Begin,
  run: (query: Query) => Promise<A>,
): Promise<A> => {
  for (let tries = 1;; tries++) {
    const part = await begin()
    try {
      const answer = await run(part.query)
      await part.commit()
      return answer
    } catch (error) {
      await part.rollback()
      if (tries === movedTries || !(error instanceof Moved)) throw error
    }
  }
}

const movedTries = 20

const ofTasks = async (
  store: Store,
  query: Query,
  now: string | null,
  targets: ReadonlyArray<Task.TaskId>,
  decide: Decide,
): Promise<Decided> => {
  const ids = [...new Set(targets)].filter((id) => RunId.isRunId(id))
  await query(store.statements.lockTasks, [arrayLiteral(ids)])
  const rows = await query(store.statements.standing, [arrayLiteral(ids)])
  const found = new Map(rows.map((row) => [row.id as string, toTask(row)]))
  return decideAndApply(store, query, now, ids.flatMap((id) => found.get(id) ?? []), decide)
}

const ofRuns = async (
  store: Store,
  query: Query,
  now: string | null,
  targets: ReadonlyArray<Task.TaskId>,
  decide: Decide,
): Promise<Decided> => {
  const ids = arrayLiteral(targets.filter((id) => RunId.isRunId(id)))
  await query(store.statements.lockRuns, [ids])
  const rows = await query(store.statements.standingOfRuns, [ids])
  return decideAndApply(store, query, now, rows.map(toTask), decide)
}

const ofExpired = async (
  store: Store,
  query: Query,
  now: string | null,
  limit: number,
  decide: Decide,
): Promise<Decided> => {
  const { statements } = store
  const locked = await query(statements.lockWorkers, [now])
  const workers = arrayLiteral(locked.map((row) => row.id as string))
  const held = await query(statements.lockClaims, [workers])
  if (held.length === 0 && locked.length === 0) return { settled: [] }
  const claims = arrayLiteral(held.map((row) => row.id as number))
  const rows = await query(statements.unsettled, [claims, String(limit)])
  const decided = await decideAndApply(store, query, now, rows.map(toTask), decide)
  if ("settled" in decided) {
    await query(statements.deleteClaims, [claims])
    const forgotten = locked.flatMap((row) => row.forgotten === true ? [row.id as string] : [])
    if (forgotten.length > 0) await query(statements.deleteWorkers, [arrayLiteral(forgotten)])
  }
  return decided
}

// Whoever claims one of them meanwhile raises its lease, and the change does not apply.
const ofOverdue = async (
  store: Store,
  query: Query,
  now: string | null,
  limit: number,
  decide: Decide,
): Promise<Decided> => {
  const { statements } = store
  let forgotten = forgottenAtOnce
  for (let tries = 0; forgotten === forgottenAtOnce && tries < forgettingTries; tries++) {
    const [row] = await query(statements.forgetBegun, [now])
    forgotten = row!.forgotten as number
  }
  const rows = await query(statements.overdue, [now, String(limit)])
  return rows.length === 0
    ? { settled: [] }
    : decideAndApply(store, query, now, rows.map(toTask), decide)
}

const forgettingTries = 5

const decideAndApply = async (
  store: Store,
  query: Query,
  now: string | null,
  tasks: ReadonlyArray<Task.Task>,
  decide: Decide,
): Promise<Decided> => {
  let changes: ReadonlyArray<Task.Change>
  try {
    changes = decide(tasks)
  } catch (thrown) {
    return { thrown }
  }
  const fitting = fittingOf(tasks, changes)
  const written = new Set<string>()
  for (let from = 0; from < fitting.length; from += batch) {
    const some = fitting.slice(from, from + batch)
    const rows = await query(store.statements.apply, applyParams(now, some))
    if (rows.length < some.length) throw new Moved()
    for (const row of rows) written.add(`${row.task_id} ${row.lease}`)
  }
  const queueId = await store.queues.resolveOnce(query, queuesOf(fitting))
  await follow(store.statements, query, now, fitting, queueId)
  return { settled: await answers(query, store, changes, changes.map(keyOf), written) }
}

/** How many changes one statement applies: it looks for each among all of them. */
const batch = 500

// A change that does not fit the task as it was read is stale, whatever happens meanwhile.
const fittingOf = (tasks: ReadonlyArray<Task.Task>, changes: ReadonlyArray<Task.Change>) => {
  const open = new Map(tasks.map((task) => [task.id, task]))
  return changes.filter((change) => {
    const task = open.get(change.taskId)
    if (task?.state !== change.from || task.lease !== change.lease) return false
    open.delete(change.taskId)
    return true
  })
}
