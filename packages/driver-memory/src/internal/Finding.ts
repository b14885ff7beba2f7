/**
 * Reading what is stored.
 *
 * @since 0.1.0
 */
import { type Driver, type Task, Uniqueness } from "@millrace/core"
import type { Lane } from "./Lane.ts"
import type { LimitedQueues } from "./LimitedQueues.ts"
import * as Row from "./Row.ts"
import type { Tree } from "./Tree.ts"

/** What of a store is read. */
interface Stored {
  readonly rows: ReadonlyMap<Task.TaskId, Row.Row>
  readonly runs: ReadonlyMap<string, ReadonlySet<Row.Row>>
  readonly keys: ReadonlyMap<string, Task.TaskId>
  readonly tree: Tree
}

/** Finds tasks, in the order that is asked for. */
export const find = (
  stored: Stored,
  query: Driver.FindQuery,
): ReadonlyArray<Driver.TaskRecord> => {
  const sign = query.descending === true ? -1 : 1
  return candidates(stored, query)
    .filter((row) => Row.matches(row, query) && hasKey(stored, row, query))
    .sort((a, b) => a.task.id < b.task.id ? -sign : sign)
    .slice(0, query.limit)
    .map(Row.recordOf)
}

/** What is known of queues. */
interface Queues {
  readonly lanes: ReadonlyMap<string, Lane>
  readonly running: Iterable<Row.Row>
  readonly limited: LimitedQueues
}

/** Reads what waits and runs in each queue. */
export const queuesOf = (
  { lanes, limited, running }: Queues,
  now: number,
): ReadonlyArray<Driver.QueueState> => {
  const held = Map.groupBy(running, ({ task }) => task.queue)
  return [...new Set([...lanes.keys(), ...limited.names()])].sort().flatMap((queue) => {
    const { due, eldest, later } = lanes.get(queue)?.look(now) ?? nothing
    const limits = limited.say(queue, undefined)
    const count = held.get(queue)?.length ?? 0
    if (due + later + count === 0 && limits === undefined) return []
    const eldestMillis = eldest === undefined ? undefined : now - eldest
    return [{ queue, ready: due, scheduled: later, running: count, limits, eldestMillis }]
  })
}

const nothing = { due: 0, later: 0, eldest: undefined }

const hasKey = ({ keys }: Stored, { task }: Row.Row, { key }: Driver.FindQuery) =>
  key === undefined || keys.get(Uniqueness.nameOf(key.flow, key.key)) === task.id

const candidates = (
  stored: Stored,
  { ids, runs, parents }: Driver.FindQuery,
): ReadonlyArray<Row.Row> => {
  const rows = ids !== undefined
    ? [...new Set(ids)].flatMap((id) => stored.rows.get(id) ?? [])
    : parents !== undefined
    ? [...new Set(parents)].flatMap((id) => [...stored.tree.rowsOf(id)])
    : runs !== undefined
    ? [...new Set(runs)].flatMap((id) => [...stored.runs.get(id) ?? []])
    : [...stored.rows.values()]
  return rows
    .filter(({ task }) => parents === undefined || parents.includes(task.parent ?? ""))
    .filter(({ task }) => runs === undefined || runs.includes(task.runId))
}
