/**
 * Storing tasks that have keys: the keys are locked, core decides, and all of it is written, in one
 * transaction.
 *
 * @since 0.1.0
 */
import { type Driver, type Task, Uniqueness } from "@millrace/core"
import { arrayLiteral } from "./ArrayLiteral.ts"
import type { Query, Row } from "./Connection.ts"
import { follow, Moved } from "./Consequences.ts"
import { applyParams } from "./statements/Apply.ts"
import type { Statements } from "./Statements.ts"
import { storeTasks } from "./Storing.ts"
import { toTask } from "./Transacting.ts"

type Tasks = ReadonlyArray<Driver.NewTask>

/**
 * What the statements of one batch need.
 *
 * @category models
 * @since 0.1.0
 */
export interface Setting {
  readonly query: Query
  readonly statements: Statements
  /** The instant as a parameter; NULL asks the database. */
  readonly now: string | null
  readonly queueId: (queue: string) => number
  readonly transaction: string | undefined
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
  const { query, statements } = setting
  const owners = await lock(setting, tasks)
  const known = await read(setting, tasks, owners)
  const { taken, verdicts } = Uniqueness.decide(tasks, known, known.now)
  const stored = tasks.filter((_, index) => verdicts[index]!.stored)
  if (stored.length > 0) {
    const how = { always: true, transaction: setting.transaction }
    const rows = await storeTasks(query, statements, setting.now, how, stored, setting.queueId)
    if (rows.length < stored.length) throw new Moved()
  }
  const replaced = verdicts.flatMap((verdict) => verdict.replaced ?? [])
  if (replaced.length > 0) {
    const rows = await query(statements.apply, applyParams(setting.now, replaced))
    if (rows.length < replaced.length) throw new Moved()
    await follow(statements, query, setting.now, replaced, setting.queueId)
  }
  await give(setting, owners, taken)
  return tasks.map(({ id }, index) => ({ ...Uniqueness.answerOf(id, verdicts[index]!) }))
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
  { query, statements }: Setting,
  tasks: Tasks,
): Promise<ReadonlyMap<string, Owned>> => {
  const wanted = new Map<string, Omit<Owned, "owner">>()
  for (const { flow, id, unique } of tasks) {
    if (unique === undefined) continue
    const name = Uniqueness.nameOf(flow, unique.key)
    if (!wanted.has(name)) wanted.set(name, { flow, key: unique.key, id })
  }
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
  { query, statements, now }: Setting,
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
  { query, statements }: Setting,
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
