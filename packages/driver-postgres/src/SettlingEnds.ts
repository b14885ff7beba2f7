/**
 * Settling what most batches are: tasks of known claims that end, and that concern nobody but the
 * runs that they are steps of.
 *
 * @since 0.1.0
 */
import { type Driver, Task } from "@millrace/core"
import type { Query } from "./Connection.ts"
import { isSimple, isTold } from "./Consequences.ts"
import { codeOf } from "./DatabaseError.ts"
import type { Holdings } from "./Holdings.ts"
import { answers, keyOf } from "./Settling.ts"
import { type KnownChange, settleParams } from "./statements/Settle.ts"
import { settleReportingParams } from "./statements/SettleReporting.ts"
import type { Store } from "./Store.ts"

/**
 * Settles such a batch, or answers `undefined` where it is another one, or one of its history rows
 * is there already. Then nothing is written.
 *
 * @category running
 * @since 0.1.0
 */
export const settleEnds = async (
  store: Store,
  query: Query,
  holdings: Holdings,
  now: string | null,
  changes: ReadonlyArray<Task.Change>,
): Promise<ReadonlyArray<Driver.Settled> | undefined> => {
  const known = knownEnds(holdings, changes)
  if (known === undefined) return undefined
  const ids = changes.map(({ taskId }) => taskId)
  const ended = holdings.endedWith(ids)
  try {
    const { settleEnds, settleReportingEnds } = store.statements
    const [row] = changes.some(isTold)
      ? await query(settleReportingEnds, settleReportingParams(now, ended, known))
      : await query(settleEnds, settleParams(now, ended, known))
    holdings.settled(ids, ended)
    const which = row?.which
    if (typeof which !== "string") return changes.map(applied)
    const written = new Set(which.split(","))
    return await answers(query, store, changes, changes.map(keyOf), written)
  } catch (error) {
    if (codeOf(error) === uniqueViolation) return undefined
    throw error
  }
}

const uniqueViolation = "23505"

const applied = ({ taskId, entry }: Task.Change): Driver.Settled => ({
  taskId,
  status: "applied",
  kind: entry.kind,
})

// What an attempt's own transaction has settled is in the history, if it was committed.
const knownEnds = (
  holdings: Holdings,
  changes: ReadonlyArray<Task.Change>,
): ReadonlyArray<KnownChange> | undefined => {
  const known: Array<KnownChange> = []
  const seen = new Set<Task.TaskId>()
  for (const change of changes) {
    const { taskId, from, entry, lease, to, awaited } = change
    if (!Task.isTerminal(to.state) || awaited || !isSimple(change)) return undefined
    if (from !== "running" || entry.lease !== lease) return undefined
    const claim = holdings.unsentClaimOf(taskId, lease)
    if (claim === undefined) return undefined
    known.push({ change, claim })
    seen.add(taskId)
  }
  return seen.size === changes.length ? known : undefined
}
