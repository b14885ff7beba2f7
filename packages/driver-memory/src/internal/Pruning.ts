/**
 * Removing tasks that ended long ago.
 *
 * @since 0.1.0
 */
import { type Driver, Task, Uniqueness } from "@millrace/core"
import type { Row } from "./Row.ts"
import type { Store } from "./Store.ts"

/** What of a store is touched. */
type Parts = Pick<Store, "rows" | "runs" | "keys" | "tree">

/** Removes what is asked for, and answers how many tasks that were. */
export const prune = (store: Parts, request: Driver.PruneRequest, now: number): number =>
  isOfRuns(request) ? pruneRuns(store, request, now) : pruneAll(store, request, now)

const isOfRuns = ({ flow, keep, states, youngerThanMillis }: Driver.PruneRequest): boolean =>
  flow !== undefined || states !== undefined || keep !== undefined ||
  youngerThanMillis !== undefined

const pruneAll = (store: Parts, request: Driver.PruneRequest, now: number): number => {
  const gone = [...store.rows.values()]
    .filter((row) => isOld(row, request, now) && !store.rows.has(row.task.parent ?? ""))
    .slice(0, request.limit)
  for (const row of gone) remove(store, row)
  const limit = request.limit - gone.length
  // What was stored before its run can go once the run has gone.
  return gone.length === 0 || limit === 0
    ? gone.length
    : gone.length + pruneAll(store, { ...request, limit }, now)
}

const pruneRuns = (store: Parts, request: Driver.PruneRequest, now: number): number => {
  const { flow, keep = 0, limit, states } = request
  const roots = [...store.rows.values()]
    .filter(({ task }) => task.parent === undefined && (flow === undefined || task.flow === flow))
    .filter(({ state }) => Task.isTerminal(state) && states?.includes(state) !== false)
    .sort((a, b) => a.task.id < b.task.id ? 1 : -1)
    .slice(keep)
    .filter((row) => isOld(row, request, now))
    .filter(({ task }) => [...store.tree.rowsOf(task.id)].every(hasEnded))
    .slice(0, limit)
  const gone = store.tree.below(roots).filter(hasEnded)
  for (const row of gone) remove(store, row)
  return gone.length
}

const hasEnded = ({ state }: Row): boolean => Task.isTerminal(state)

const isOld = (
  { history, state }: Row,
  { olderThanMillis, youngerThanMillis = Infinity }: Driver.PruneRequest,
  now: number,
): boolean => {
  const last = history.at(-1)
  return Task.isTerminal(state) && last !== undefined && last.at <= now - olderThanMillis &&
    last.at > now - youngerThanMillis
}

const remove = (store: Parts, row: Row): void => {
  const { flow, id, parent, runId, unique } = row.task
  if (parent !== undefined) store.tree.remove(parent, row)
  store.rows.delete(id)
  const name = unique && Uniqueness.nameOf(flow, unique.key)
  if (name !== undefined && store.keys.get(name) === id) store.keys.delete(name)
  const run = store.runs.get(runId)
  run?.delete(row)
  if (run?.size === 0) store.runs.delete(runId)
}
