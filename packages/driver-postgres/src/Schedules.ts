/**
 * The driver's schedules: read, and written with their tasks in one statement.
 *
 * @since 0.1.0
 */
import { type Driver, type DriverError, ScheduleStore } from "@millrace/core"
import { Effect } from "effect"
import * as Deciding from "./Deciding.ts"
import { noteGroups } from "./Inserting.ts"
import { attempt, type Query, type Row } from "./Connection.ts"
import type { Joined } from "./Joined.ts"
import { hasLabels } from "./statements/Labels.ts"
import * as Statement from "./statements/Schedules.ts"
import { queueIdsBeside } from "./Storing.ts"
import { joining, once, repeatConflicts, type Store } from "./Store.ts"
import { asPart } from "./Transacting.ts"

/** Makes the service.
 * @category constructors
 * @since 0.1.0 */
export const make = (store: Store): ScheduleStore.ScheduleStore["Service"] =>
  ScheduleStore.ScheduleStore.of({
    find: Effect.fnUntraced(function* (
      query: ScheduleStore.Query,
    ): Effect.fn.Return<ScheduleStore.Found, DriverError> {
      const now = yield* store.now
      const run = (ask: Query) =>
        ask(store.statements.findSchedules, Statement.findParams(now, query))
      const rows = yield* joining(
        store,
        "find schedules",
        once(store, "find schedules", run),
        (_, ask) => run(ask),
      )
      return { now: Number(rows[0]?.now), rows: toRows(rows) }
    }),
    due: Effect.fnUntraced(function* (
      limit: number,
    ): Effect.fn.Return<ScheduleStore.Due, DriverError> {
      const now = yield* store.now
      const rows = yield* once(
        store,
        "find due schedules",
        (query) => query(store.statements.dueSchedules, [now, String(limit)]),
      )
      const nextDue = rows[0]?.next_due
      return {
        now: Number(rows[0]?.now),
        rows: toRows(rows),
        nextDueMillis: typeof nextDue === "number" ? nextDue : undefined,
      }
    }),
    write: Effect.fnUntraced(function* (
      write: ScheduleStore.Write,
    ): Effect.fn.Return<boolean, DriverError> {
      const now = yield* store.now
      const alone = attempt(operation, () => repeatConflicts(() => writeAlone(store, now, write)))
      return yield* joining(
        store,
        operation,
        alone,
        (inside, query, joined) => writeWithin(inside, now, write, joined, query),
      )
    }),
  })

const operation = "write a schedule"

const toRows = (rows: ReadonlyArray<Row>): ReadonlyArray<ScheduleStore.Row> =>
  rows.filter(({ name }) => typeof name === "string").map((row) => ({
    name: row.name as string,
    flow: row.flow as string,
    revision: row.revision as number,
    nextAt: (row.next_at as number | null) ?? undefined,
    body: row.body as string,
  }))

const writeAlone = async (
  store: Store,
  now: string | null,
  write: ScheduleStore.Write,
): Promise<boolean> => {
  const { connection, queues, statements } = store
  const { expects, row, tasks } = write
  if (tasks.length === 0) return await writeRow(store, connection.query, write)
  const queueId = await queues.resolve(connection.query, queuesOf(tasks))
  if (row !== undefined && expects !== undefined && tasks.every(isPlain)) {
    const params = Statement.fireParams(now, row, expects, tasks, queueId)
    return (await connection.query(statements.fireSchedule, params)).length > 0
  }
  await noteGroups(store, connection.query, tasks, queueId)
  const setting = { store, now, queueId, transaction: undefined }
  return await connection.transaction(async (query) =>
    await writeRow(store, query, write) &&
    await storeAll({ ...setting, query }, tasks)
  )
}

const writeWithin = async (
  store: Store,
  now: string | null,
  write: ScheduleStore.Write,
  joined: Joined,
  query: Query,
): Promise<boolean> => {
  const { tasks } = write
  const queueId = await queueIdsBeside(store, query, queuesOf(tasks))
  await noteGroups(store, query, tasks, queueId)
  const setting = { store, now, queueId, transaction: await joined.id?.() }
  const run = async (part: Query) =>
    await writeRow(store, part, write) &&
    (tasks.length === 0 || await storeAll({ ...setting, query: part }, tasks))
  return await (joined.begin === undefined ? run(query) : asPart(joined.begin, run))
}

const writeRow = async (
  { statements }: Store,
  query: Query,
  { expects, name, row }: ScheduleStore.Write,
): Promise<boolean> => {
  const rows = row === undefined
    ? await query(statements.removeSchedule, [name, expects === undefined ? null : String(expects)])
    : expects === undefined
    ? await query(statements.makeSchedule, Statement.rowParams(row))
    : await query(statements.changeSchedule, [...Statement.rowParams(row), String(expects)])
  return rows.length > 0
}

// What a schedule enqueues is not refused for a queue that is full: nobody would be told.
const storeAll = async (
  setting: Deciding.Setting,
  tasks: ReadonlyArray<Driver.NewTask>,
): Promise<true> => {
  await Deciding.store({ ...setting, refuses: false }, tasks)
  return true
}

const isPlain = (task: Driver.NewTask): boolean =>
  task.flowType === "job" && task.unique === undefined && task.group === undefined &&
  task.expiresMillis === undefined && !hasLabels([task])

const queuesOf = (tasks: ReadonlyArray<Driver.NewTask>): Iterable<string> =>
  tasks.map(({ queue }) => queue)
