/**
 * Storing tasks that may be refused, for their keys or for a queue that is full: those are locked,
 * core decides, and all of it is written, in one transaction.
 *
 * @since 0.1.0
 */
import { type Driver, Limiting, type Task, Uniqueness } from "@millrace/core"
import { arrayLiteral } from "./ArrayLiteral.ts"
import type { Query, Row } from "./Connection.ts"
import { follow, Moved } from "./Consequences.ts"
import { applyParams } from "./statements/Apply.ts"
import type { Store } from "./Store.ts"
import { storeTasks } from "./Storing.ts"
import { toTask } from "./Records.ts"

type Tasks = ReadonlyArray<Driver.NewTask>

/**
 * What the statements of one batch need.
 *
 * @category models
 * @since 0.1.0
 */
export interface Setting {
  readonly store: Store
  readonly query: Query
  /** The instant as a parameter; NULL asks the database. */
  readonly now: string | null
  readonly queueId: (queue: string) => number
  readonly transaction: string | undefined
  /** Whether a queue that is full refuses (default `true`). */
  readonly refuses?: boolean
}

/**
 * Stores a batch, and answers a row for each of its tasks. Throws `Moved` where another session
 * changed or stored one of the tasks meanwhile: the transaction is then to be repeated.
 *
 * **Details**
 *
 * Keys are locked in one order, so that batches cannot deadlock over them, and until the end of the
 * transaction. Whoever comes to the same key waits for that, and then sees what was stored. Whether
 * the task that took a key last still has it is told by its state; so nothing has to free a key.
 *
 * @category running
 * @since 0.1.0
 */
export const store = async (setting: Setting, tasks: Tasks): Promise<ReadonlyArray<Row>> => {
  const { refuses = true } = setting
  const depths = refuses ? await lockDepths(setting, tasks) : undefined
  const owners = await lock(setting, tasks)
  const known = await read(setting, tasks, owners)
  const { taken, verdicts } = Uniqueness.decide(tasks, known, known.now)
  const full = Limiting.fullOf(tasks, verdicts, (queue) => depths?.get(queue))
  if (full !== undefined) {
    await give(setting, owners, new Map())
    return tasks.map(({ id }) => ({ id, inserted: false, full }))
  }
  await write(setting, tasks, verdicts, depths !== undefined || !refuses)
  await give(setting, owners, taken)
  return tasks.map(({ id }, index) => ({ ...Uniqueness.answerOf(id, verdicts[index]!) }))
}

const write = async (
  { now, query, queueId, store, transaction }: Setting,
  tasks: Tasks,
  verdicts: ReadonlyArray<Uniqueness.Verdict>,
  isCounted: boolean,
): Promise<void> => {
  const { statements } = store
  const stored = tasks.filter((_, index) => verdicts[index]!.stored)
  if (stored.length > 0) {
    const how = { always: true, transaction, counted: isCounted }
    const rows = await storeTasks(query, statements, now, how, stored, queueId)
    if (rows.length < stored.length) {
      // Perhaps a queue has a maximum depth since, which the next try is to know.
      const ids = arrayLiteral(stored.map(({ queue }) => queueId(queue)))
      const deep = await query(statements.limited.depths, [ids])
      store.limited.deepen(deep.map((row) => row.queue_id as number))
      throw new Moved()
    }
  }
  const replaced = verdicts.flatMap((verdict) => verdict.replaced ?? [])
  if (replaced.length > 0) {
    const rows = await query(statements.apply, applyParams(now, replaced))
    if (rows.length < replaced.length) throw new Moved()
    await follow(statements, query, now, replaced, queueId)
  }
}

// Queues are locked against each other's inserts, and not against claims.
const lockDepths = async (
  { query, queueId, store: { limited, statements } }: Setting,
  tasks: Tasks,
): Promise<ReadonlyMap<string, Limiting.Depth> | undefined> => {
  const queues = [...new Set(tasks.map(({ queue }) => queue))]
  const ids = new Map(queues.map((queue) => [queueId(queue), queue]))
  if (![...ids.keys()].some((id) => limited.isDeep(id))) return undefined
  const rows = await query(statements.limited.lockDepths, [arrayLiteral([...ids.keys()])])
  const depths = new Map<string, Limiting.Depth>()
  for (const { id, max_depth } of rows) {
    const [row] = await query(statements.limited.depth, [String(id), String(max_depth)])
    depths.set(ids.get(id as number)!, { depth: row!.depth as number, max: max_depth as number })
  }
  return depths
}

interface Owned {
  readonly flow: string
  readonly key: string
  /** The task that asks for the key, which stands in its row where it is new. */
  readonly id: Task.TaskId
  /** The task that took it last. */
  readonly owner: Task.TaskId | undefined
}

const lock = async (
  { query, store: { statements } }: Setting,
  tasks: Tasks,
): Promise<ReadonlyMap<string, Owned>> => {
  const wanted = new Map<string, Omit<Owned, "owner">>()
  for (const { flow, id, unique } of tasks) {
    if (unique === undefined) continue
    const name = Uniqueness.nameOf(flow, unique.key)
    if (!wanted.has(name)) wanted.set(name, { flow, key: unique.key, id })
  }
  if (wanted.size === 0) return new Map()
  const sorted = [...wanted].sort(([a], [b]) => a < b ? -1 : 1).map(([, one]) => one)
  const rows = await query(statements.lockKeys, [
    arrayLiteral(sorted.map(({ flow }) => flow)),
    arrayLiteral(sorted.map(({ key }) => key)),
    arrayLiteral(sorted.map(({ id }) => id)),
  ])
  return new Map(rows.map((row) => {
    const name = Uniqueness.nameOf(row.flow as string, row.key as string)
    return [name, { ...wanted.get(name)!, owner: (row.owner as string | null) ?? undefined }]
  }))
}

const read = async (
  { query, store: { statements }, now }: Setting,
  tasks: Tasks,
  owners: ReadonlyMap<string, Owned>,
): Promise<Uniqueness.Known & { readonly now: number }> => {
  const ids = [...owners.values()].flatMap(({ owner }) => owner ?? [])
  if (ids.length > 0) await query(statements.keepWaiting, [arrayLiteral(ids)])
  const rows = await query(statements.standing, [
    arrayLiteral([...new Set([...ids, ...tasks.map(({ id }) => id)])]),
  ])
  const found = new Map(rows.map((row) => [row.id as string, row]))
  // Only a period asks for the time, and then a holder was found.
  const instant = now === null ? Number(rows[0]?.now ?? 0) : Number(now)
  return {
    now: instant,
    exists: (id) => found.has(id),
    holderOf: (flow, key) => {
      const owned = owners.get(Uniqueness.nameOf(flow, key))
      const row = owned?.owner === undefined ? undefined : found.get(owned.owner)
      return row && { ...toTask(row), enqueuedAt: row.created as number }
    },
  }
}

/** Gives the keys to the tasks that took them; what was made for one that was not stored goes. */
const give = async (
  { query, store: { statements } }: Setting,
  owners: ReadonlyMap<string, Owned>,
  taken: ReadonlyMap<string, Driver.NewTask>,
): Promise<void> => {
  const moved = [...owners].flatMap(([name, owned]) => {
    const to = taken.get(name)?.id
    return to === undefined || to === (owned.owner ?? owned.id) ? [] : [{ ...owned, to }]
  })
  if (moved.length > 0) {
    await query(statements.takeKeys, [
      arrayLiteral(moved.map(({ flow }) => flow)),
      arrayLiteral(moved.map(({ key }) => key)),
      arrayLiteral(moved.map(({ to }) => to)),
    ])
  }
  const unused = [...owners].filter(([name, { owner }]) => owner === undefined && !taken.has(name))
  if (unused.length > 0) {
    await query(statements.dropKeys, [
      arrayLiteral(unused.map(([, { flow }]) => flow)),
      arrayLiteral(unused.map(([, { key }]) => key)),
    ])
  }
}
