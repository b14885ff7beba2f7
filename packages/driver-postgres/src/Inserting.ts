/**
 * The driver's `insert`: beside others, or inside the caller's transaction.
 *
 * @since 0.1.0
 */
import { Driver, type DriverError } from "@millrace/core"
import { Effect } from "effect"
import { arrayLiteral } from "./ArrayLiteral.ts"
import { attempt, type Query, type Row } from "./Connection.ts"
import { toDriverError } from "./DatabaseError.ts"
import * as Deciding from "./Deciding.ts"
import { Grouping } from "./Grouping.ts"
import { assertOpen, CurrentJoined, join, type Joined } from "./Joined.ts"
import { queueIdsBeside, storeNew, storeTasks } from "./Storing.ts"
import { hasGroups } from "./statements/Insert.ts"
import { repeatConflicts, type Store } from "./Store.ts"
import { asPart } from "./Transacting.ts"

type Inserted = ReadonlyArray<Driver.Inserted>
type Tasks = ReadonlyArray<Driver.NewTask>

/** Makes the operation.
 * @category constructors
 * @since 0.1.0 */
export const make = (store: Store) => {
  const isRetryable = (error: unknown) => toDriverError("insert", error).isRetryable
  const plain = new Grouping(
    (now, tasks) => repeatConflicts(() => send(store, now, tasks)),
    isRetryable,
  )
  const uniques = new Grouping((now, tasks) => sendDecided(store, now, tasks), isRetryable)
  const alone = async (now: string | null, tasks: Tasks): Promise<Inserted> => {
    if (tasks.some(({ unique }) => unique !== undefined)) {
      return answerDecided(tasks, await uniques.insert(now, tasks))
    }
    try {
      if (!isDeep(store, tasks)) return answer(tasks, await plain.insert(now, tasks))
    } catch (error) {
      if (!(error instanceof Deep)) throw error
    }
    // Whether a queue is full is asked for each caller: nobody is refused for another's tasks.
    return answerDecided(tasks, await sendDecided(store, now, tasks))
  }
  return Effect.fnUntraced(function* (
    tasks: Tasks,
  ): Effect.fn.Return<Inserted, DriverError> {
    if (tasks.length === 0) return []
    const now = yield* store.now
    const joined = yield* CurrentJoined
    return joined === undefined
      ? yield* attempt("insert", () => alone(now, tasks))
      : yield* join(joined, "insert", (query) => insertWithin(store, now, tasks, joined, query))
  })
}

/** A queue of the batch has a maximum depth, which has to be looked at. */
class Deep extends Error {}

const isDeep = ({ limited, queues }: Store, tasks: Tasks): boolean =>
  tasks.some(({ queue }) => {
    const id = queues.known(queue)
    return id !== undefined && limited.isDeep(id)
  })

const send = async (store: Store, now: string | null, tasks: Tasks) => {
  const { connection: { query }, queues } = store
  const queueId = await queues.resolve(query, queuesOf(tasks))
  await noteGroups(store, query, tasks, queueId)
  const rows = await storeNew(query, store.statements, now, tasks, queueId) ??
    await storeTasks(query, store.statements, now, beside, tasks, queueId)
  if (rows.length === 0) await assertShallow(store, query, tasks, queueId)
  return rows
}

const beside = { always: false }

// Where nothing was stored, either all of it was there, or a queue has a maximum depth.
const assertShallow = async (
  { limited, statements }: Store,
  query: Query,
  tasks: Tasks,
  queueId: (queue: string) => number,
): Promise<void> => {
  const ids = [...new Set(tasks.map(({ queue }) => queueId(queue)))]
  const rows = await query(statements.limited.depths, [arrayLiteral(ids)])
  if (rows.length === 0) return
  limited.deepen(rows.map((row) => row.queue_id as number))
  throw new Deep()
}

/** A queue with groups has limits, and is claimed from as such, from its first group on.
 * @category running
 * @since 0.1.0 */
export const noteGroups = async (
  { connection, limited, statements }: Store,
  query: Query,
  tasks: Tasks,
  queueId: (queue: string) => number,
): Promise<void> => {
  if (!hasGroups(tasks)) return
  const ids = tasks.flatMap(({ group, queue }) => group === undefined ? [] : [queueId(queue)])
  const fresh = limited.ungrouped(ids)
  if (fresh.length === 0) return
  await (connection.concurrent ? connection.query : query)(statements.limited.group, [
    arrayLiteral(fresh),
  ])
  // What was noted in a transaction may be rolled back.
  if (connection.concurrent || query === connection.query) limited.group(fresh)
  else limited.add(fresh)
}

const sendDecided = (store: Store, now: string | null, tasks: Tasks) => {
  const { connection, queues } = store
  return repeatConflicts(async () => {
    const queueId = await queues.resolve(connection.query, queuesOf(tasks))
    await noteGroups(store, connection.query, tasks, queueId)
    return await connection.transaction((query) =>
      Deciding.store({ store, query, now, queueId, transaction: undefined }, tasks)
    )
  })
}

// Other sessions see neither the tasks nor, in time, who began to wait meanwhile: the transaction
// wakes unasked. A caller's transaction may have ended, which its id tells: nothing is stored then.
const insertWithin = async (
  store: Store,
  now: string | null,
  tasks: Tasks,
  joined: Joined,
  query: Query,
) => {
  const queueId = await queueIdsBeside(store, query, queuesOf(tasks))
  await noteGroups(store, query, tasks, queueId)
  if (!isDeep(store, tasks) && !tasks.some(({ unique }) => unique !== undefined)) {
    try {
      return answer(tasks, await plainWithin(store, now, tasks, joined, query, queueId))
    } catch (error) {
      if (!(error instanceof Deep)) throw error
    }
  }
  await assertOpen(joined, "insert")
  const transaction = await joined.id?.()
  const run = (part: Query) =>
    Deciding.store({ store, query: part, now, queueId, transaction }, tasks)
  const rows = await (joined.begin === undefined ? run(query) : asPart(joined.begin, run))
  return answerDecided(tasks, rows)
}

const plainWithin = async (
  store: Store,
  now: string | null,
  tasks: Tasks,
  joined: Joined,
  query: Query,
  queueId: (queue: string) => number,
) => {
  const { statements } = store
  if (joined.id !== undefined && joined.knownId === undefined) {
    // Most have written something before, and then their id need not be asked for.
    const how = { always: true, transaction: "open" }
    const rows = await storeTasks(query, statements, now, how, tasks, queueId)
    if (rows.length > 0) {
      joined.knownId = rows[0]!.transaction as string
      return rows
    }
  }
  const how = { always: true, transaction: await joined.id?.() }
  const rows = await storeTasks(query, statements, now, how, tasks, queueId)
  if (rows.length > 0) return rows
  await assertOpen(joined, "insert")
  await assertShallow(store, query, tasks, queueId)
  return rows
}

function* queuesOf(tasks: Tasks): Iterable<string> {
  for (const task of tasks) yield task.queue
}

// What shares its id with an earlier task of the group is told nothing of that one.
const answerDecided = (tasks: Tasks, rows: ReadonlyArray<Row>): Inserted => {
  if (rows.length === tasks.length) return rows as unknown as Inserted
  const answers = new Map(rows.map((row) => [row.id, row as unknown as Driver.Inserted]))
  return tasks.map(({ id }) => answers.get(id) ?? { id, inserted: false })
}

// The first of two tasks with one id in a batch is the one that was stored.
const answer = (tasks: Tasks, rows: ReadonlyArray<Row>): Inserted => {
  if (rows.length === tasks.length) return tasks.map(({ id }) => ({ id, inserted: true }))
  const stored = new Set(rows.map((row) => row.id))
  return tasks.map(({ id }) => ({ id, inserted: stored.delete(id) }))
}
