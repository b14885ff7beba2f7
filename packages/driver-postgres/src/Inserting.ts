/**
 * The driver's `insert`: beside others, or inside the caller's transaction.
 *
 * @since 0.1.0
 */
import { Driver, type DriverError } from "@millrace/core"
import { Effect } from "effect"
import { attempt, type Query, type Row } from "./Connection.ts"
import { toDriverError } from "./DatabaseError.ts"
import { Grouping } from "./Grouping.ts"
import { assertOpen, CurrentJoined, join, type Joined } from "./Joined.ts"
import { queueIdsBeside, storeTasks } from "./Storing.ts"
import { repeatConflicts, type Store } from "./Store.ts"
import { asPart } from "./Transacting.ts"
import * as Unique from "./Unique.ts"

type Inserted = ReadonlyArray<Driver.Inserted>

/** Makes the operation.
 * @category constructors
 * @since 0.1.0 */
export const make = (store: Store) => {
  const grouping = new Grouping(
    (now, tasks) => repeatConflicts(() => send(store, now, tasks)),
    (error) => toDriverError("insert", error).isRetryable,
  )
  const uniques = new Grouping(
    (now, tasks) => sendUnique(store, now, tasks),
    (error) => toDriverError("insert", error).isRetryable,
  )
  return Effect.fnUntraced(function* (
    tasks: ReadonlyArray<Driver.NewTask>,
  ): Effect.fn.Return<Inserted, DriverError> {
    if (tasks.length === 0) return []
    const now = yield* store.now
    const joined = yield* CurrentJoined
    if (tasks.some(({ unique }) => unique !== undefined)) {
      const rows = joined === undefined
        ? yield* attempt("insert", () => uniques.insert(now, tasks))
        : yield* join(joined, "insert", (query) => uniqueWithin(store, now, tasks, joined, query))
      return answerUnique(tasks, rows)
    }
    const rows = joined === undefined
      ? yield* attempt("insert", () => grouping.insert(now, tasks))
      : yield* join(joined, "insert", (query) => insertWithin(store, now, tasks, joined, query))
    return answer(tasks, rows)
  })
}

const send = async (
  { connection: { query }, queues, statements }: Store,
  now: string | null,
  tasks: ReadonlyArray<Driver.NewTask>,
) => {
  const queueId = await queues.resolve(query, queuesOf(tasks))
  return storeTasks(query, statements, now, { always: false }, tasks, queueId)
}

const sendUnique = (store: Store, now: string | null, tasks: ReadonlyArray<Driver.NewTask>) => {
  const { connection, queues, statements } = store
  return repeatConflicts(async () => {
    const queueId = await queues.resolve(connection.query, queuesOf(tasks))
    const setting = { statements, now, queueId, transaction: undefined }
    return await connection.transaction((query) => Unique.store({ ...setting, query }, tasks))
  })
}

const uniqueWithin = async (
  store: Store,
  now: string | null,
  tasks: ReadonlyArray<Driver.NewTask>,
  joined: Joined,
  query: Query,
) => {
  await assertOpen(joined, "insert")
  const transaction = await joined.id?.()
  const queueId = await queueIdsBeside(store, query, queuesOf(tasks))
  const setting = { statements: store.statements, now, queueId, transaction }
  const run = (part: Query) => Unique.store({ ...setting, query: part }, tasks)
  return await (joined.begin === undefined ? run(query) : asPart(joined.begin, run))
}
// Other sessions see neither the tasks nor, in time, who began to wait meanwhile: the transaction
// wakes unasked. A caller's transaction may have ended, which its id tells: nothing is stored then.
const insertWithin = async (
  store: Store,
  now: string | null,
  tasks: ReadonlyArray<Driver.NewTask>,
  joined: Joined,
  query: Query,
) => {
  const { statements } = store
  const queueId = await queueIdsBeside(store, query, queuesOf(tasks))
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
  if (rows.length === 0) await assertOpen(joined, "insert")
  return rows
}

function* queuesOf(tasks: ReadonlyArray<Driver.NewTask>): Iterable<string> {
  for (const task of tasks) yield task.queue
}

// What shares its id with an earlier task of the group is told nothing of that one.
const answerUnique = (tasks: ReadonlyArray<Driver.NewTask>, rows: ReadonlyArray<Row>): Inserted => {
  const answers = new Map(rows.map((row) => [row.id, row as unknown as Driver.Inserted]))
  return rows.length === tasks.length
    ? rows as unknown as Inserted
    : tasks.map(({ id }) => answers.get(id) ?? { id, inserted: false })
}

// The first of two tasks with one id in a batch is the one that was stored.
const answer = (tasks: ReadonlyArray<Driver.NewTask>, rows: ReadonlyArray<Row>): Inserted => {
  if (rows.length === tasks.length) return tasks.map(({ id }) => ({ id, inserted: true }))
  const stored = new Set(rows.map((row) => row.id))
  return tasks.map(({ id }) => ({ id, inserted: stored.delete(id) }))
}
