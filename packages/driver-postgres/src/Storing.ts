/**
 * Storing tasks: which statement a batch needs, and the numbers of its queues.
 *
 * @since 0.1.0
 */
import type { Driver } from "@millrace/core"
import type { Query, Row } from "./Connection.ts"
import { codeOf, uniqueViolation } from "./DatabaseError.ts"
import type { Statements } from "./Statements.ts"
import { hasExpiry, hasGroups, type How, insertParams } from "./statements/Insert.ts"
import { insertFlowParams, moreOf } from "./statements/InsertFlow.ts"
import { hasLabels } from "./statements/Labels.ts"
import { areNew, insertNewParams } from "./statements/InsertNew.ts"
import { insertOneParams, isDue } from "./statements/InsertOne.ts"
import type { Store } from "./Store.ts"

type Tasks = ReadonlyArray<Driver.NewTask>

/** Stores tasks, and answers a row for each of those that were not there.
 * @category running
 * @since 0.1.0 */
export const storeTasks = (
  query: Query,
  statements: Statements,
  now: string | null,
  how: How,
  tasks: Tasks,
  queueId: (queue: string) => number,
): Promise<ReadonlyArray<Row>> => {
  const isCounted = how.counted === true
  if (isOfMore(tasks)) {
    const once = distinct(tasks)
    const texts = isCounted ? statements.insertFlowCounted : statements.insertFlow
    return query(texts[moreOf(once)], insertFlowParams(now, how, once, queueId))
  }
  const isGrouped = hasGroups(tasks)
  const expires = hasExpiry(tasks)
  if (tasks.length === 1 && isDue(tasks[0]!) && !isGrouped && !isCounted && !expires) {
    return query(statements.insertOne, insertOneParams(now, how, tasks[0]!, queueId))
  }
  const texts = isCounted
    ? [statements.insertCounted, statements.insertCountedGroups, statements.insertCountedExpiring]
    : [statements.insert, statements.insertGroups, statements.insertExpiring]
  return query(texts[expires ? 2 : isGrouped ? 1 : 0]!, insertParams(now, how, tasks, queueId))
    .then(([row]) => storedOf(tasks, row!))
}

/**
 * Stores new runs of one job, or answers `undefined` where the batch is another one, or one of its
 * ids is there already. Then nothing is stored.
 *
 * @category running
 * @since 0.1.0
 */
export const storeNew = async (
  query: Query,
  statements: Statements,
  now: string | null,
  tasks: Tasks,
  queueId: (queue: string) => number,
): Promise<ReadonlyArray<Row> | undefined> => {
  if (!areNew(tasks) || isOfMore(tasks) || hasGroups(tasks) || hasExpiry(tasks)) return undefined
  try {
    const [row] = await query(statements.insertNew, insertNewParams(now, tasks, queueId))
    return storedOf(tasks, row!)
  } catch (error) {
    if (codeOf(error) === uniqueViolation) return undefined
    throw error
  }
}

// Mostly it is all of them, and then nobody need be told which.
const storedOf = (tasks: Tasks, { stored, which, transaction }: Row): ReadonlyArray<Row> =>
  stored === 0
    ? []
    : stored === tasks.length
    ? tasks.map(({ id }) => ({ id, transaction }))
    : (which as string).split(",").map((id) => ({ id, transaction }))

const isOfMore = (tasks: Tasks): boolean => hasLabels(tasks) || tasks.some(isOfFlow)

// Jobs have a statement of their own, which knows nothing of runs.
const isOfFlow = (task: Driver.NewTask) =>
  task.parent !== undefined || task.version !== undefined || task.ended !== undefined ||
  task.state === "waiting" || task.undoes !== undefined || task.onExhausted !== undefined

/** The first of tasks with one id.
 * @category conversions
 * @since 0.1.0 */
export const distinct = (tasks: Tasks): Tasks => {
  const ids = new Set<string>()
  return tasks.filter(({ id }) => !ids.has(id) && ids.add(id))
}

/**
 * Numbers queues for a caller's transaction. A new one is made beside it where that is possible:
 * inside, its name would stay locked.
 *
 * @category running
 * @since 0.1.0
 */
export const queueIdsBeside = (store: Store, query: Query, queues: Iterable<string>) =>
  store.connection.concurrent
    ? store.queues.resolve(store.connection.query, queues)
    : store.queues.resolveOnce(query, queues)
