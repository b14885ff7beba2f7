/**
 * Settling what most batches are: tasks of known claims that end, and that concern nobody but the
 * runs that they are steps of.
 *
 * @since 0.1.0
 */
import { type Driver, Task } from "@millrace/core"
import type { Query } from "./Connection.ts"
import { isSimple, isTold } from "./Consequences.ts"
import { codeOf, uniqueViolation } from "./DatabaseError.ts"
import type { Holdings } from "./Holdings.ts"
import { answers, keyOf } from "./Settling.ts"
import { settleParams } from "./statements/Settle.ts"
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
  if (!changes.every(isEnd)) return undefined
  // What an attempt's own transaction has settled is in the history, if it was committed.
  const tickets = holdings.openTicketsOf(changes)
  if (tickets === undefined) return undefined
  const known = changes.map((change, index) => ({ change, claim: tickets[index]!.claim.id }))
  const ended = holdings.endedWith(tickets)
  try {
    const { settleEnds, settleReportingEnds } = store.statements
    const [row] = changes.some(isTold)
      ? await query(settleReportingEnds, settleReportingParams(now, ended, known))
      : await query(settleEnds, settleParams(now, ended, known))
    holdings.settled(tickets, ended)
    const which = row?.which
    if (typeof which !== "string") return changes.map(applied)
    const written = new Set(which.split(","))
    return await answers(query, store, changes, changes.map(keyOf), written)
  } catch (error) {
    if (codeOf(error) === uniqueViolation) return undefined
    throw error
  }
}

const applied = ({ taskId, entry }: Task.Change): Driver.Settled => ({
  taskId,
  status: "applied",
  kind: entry.kind,
})

const isEnd = (change: Task.Change): boolean =>
  change.from === "running" && change.entry.lease === change.lease && !change.awaited &&
  Task.isTerminal(change.to.state) && isSimple(change)
