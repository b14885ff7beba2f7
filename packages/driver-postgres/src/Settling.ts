/**
 * The driver's `settle`.
 *
 * @since 0.1.0
 */
import type { Driver, DriverError, Task } from "@millrace/core"
import { Effect } from "effect"
import { arrayLiteral } from "./ArrayLiteral.ts"
import type { Query, Row } from "./Connection.ts"
import { codeOf } from "./DatabaseError.ts"
import type { Holdings } from "./Holdings.ts"
import { applyParams } from "./statements/Apply.ts"
import { isEnds, type KnownChange, settleParams } from "./statements/Settle.ts"
import { joining, once, type Store } from "./Store.ts"

type Change = Task.Change
type Settled = Driver.Settled

/** Makes the operation.
 * @category constructors
 * @since 0.1.0 */
export const make = (store: Store, holdings: Holdings) =>
  Effect.fnUntraced(function* (
    changes: ReadonlyArray<Change>,
  ): Effect.fn.Return<ReadonlyArray<Settled>, DriverError> {
    if (changes.length === 0) return []
    const now = yield* store.now
    const alone = once(store, "settle", async (query) => {
      const written = new Set<string>()
      const { known, unknown, closing, keys } = sorted(holdings, changes)
      if (known.length > 0) {
        await settleKnown(store, query, holdings, now, known, written)
      }
      if (unknown.length > 0) {
        const rows = await query(store.statements.apply, applyParams(now, unknown))
        holdings.settled(closing, [])
        for (const row of rows) written.add(`${row.task_id} ${row.lease}`)
      }
      return answers(query, store, changes, keys, written)
    })
    return yield* joining(
      store,
      "settle",
      alone,
      (inside, query) => settleInside(inside, query, holdings, now, changes),
    )
  })

// What is rolled back was never settled. So the claims stay as they are, and it is the worker's own
// settle, which follows when the handler has ended, that learns what is stored and closes them.
const settleInside = async (
  store: Store,
  query: Query,
  holdings: Holdings,
  now: string | null,
  changes: ReadonlyArray<Change>,
): Promise<ReadonlyArray<Settled>> => {
  const written = new Set<string>()
  const { known, unknown, keys } = sorted(holdings, changes)
  holdings.send(known.map(({ change }) => change.taskId))
  if (known.length > 0) {
    const rows = await query(store.statements.settle, settleParams(now, [], known))
    for (const key of writtenOf(rows, known)) written.add(key)
  }
  if (unknown.length > 0) {
    const rows = await query(store.statements.apply, applyParams(now, unknown))
    for (const row of rows) written.add(`${row.task_id} ${row.lease}`)
  }
  return answers(query, store, changes, keys, written)
}

// Of two changes with one lease the first is sent. Where the claims of some are not known, all go
// the slower way: in two statements they would not become ready in the order of the batch.
const sorted = (holdings: Holdings, changes: ReadonlyArray<Change>) => {
  const known: Array<KnownChange> = []
  const all: Array<Change> = []
  const keys = changes.map(keyOf)
  const seen = new Set<string>()
  changes.forEach((change, index) => {
    if (seen.has(keys[index]!)) return
    seen.add(keys[index]!)
    const claim = change.from === "running" && change.entry.lease === change.lease
      ? holdings.claimOf(change.taskId, change.lease)
      : undefined
    all.push(change)
    if (claim !== undefined) known.push({ change, claim })
  })
  return known.length === all.length
    ? { known, unknown: [], closing: [], keys }
    : { known: [], unknown: all, closing: known.map(({ change }) => change.taskId), keys }
}

const settleKnown = async (
  store: Store,
  query: Query,
  holdings: Holdings,
  now: string | null,
  known: ReadonlyArray<KnownChange>,
  written: Set<string>,
): Promise<void> => {
  const ids = known.map(({ change }) => change.taskId)
  const ended = holdings.endedWith(ids)
  const rows = await writeKnown(store, query, holdings, settleParams(now, ended, known), known)
  holdings.settled(ids, ended)
  for (const key of writtenOf(rows, known)) written.add(key)
}

// What an attempt's own transaction has settled is in the history, if it was committed.
const writeKnown = async (
  { statements }: Store,
  query: Query,
  holdings: Holdings,
  params: ReadonlyArray<string | null>,
  known: ReadonlyArray<KnownChange>,
): Promise<ReadonlyArray<Row>> => {
  if (!isEnds(known) || known.some(({ change }) => holdings.isSent(change.taskId))) {
    return await query(statements.settle, params)
  }
  try {
    return await query(statements.settleEnds, params)
  } catch (error) {
    if (codeOf(error) !== uniqueViolation) throw error
    return await query(statements.settle, params)
  }
}

const uniqueViolation = "23505"

const writtenOf = (rows: ReadonlyArray<Row>, known: ReadonlyArray<KnownChange>) => {
  const which = rows[0]?.which
  return typeof which === "string" ? which.split(",") : known.map(({ change }) => keyOf(change))
}

/** What became of changes, of which some were written just now.
 * @category conversions
 * @since 0.1.0 */
export const answers = async (
  query: Query,
  store: Store,
  changes: ReadonlyArray<Change>,
  keys: ReadonlyArray<string>,
  written: Set<string>,
): Promise<ReadonlyArray<Settled>> => {
  const first = new Set<string>()
  const settled: Array<Settled | undefined> = changes.map(({ taskId, entry }, index) => {
    const key = keys[index]!
    if (!written.has(key) || first.has(key)) return undefined
    first.add(key)
    return { taskId, status: "applied", kind: entry.kind }
  })
  const open = changes.filter((_, index) => settled[index] === undefined)
  if (open.length === 0) return settled as ReadonlyArray<Settled>
  const rows = await query(store.statements.entries, [
    arrayLiteral(open.map(({ taskId }) => taskId)),
    arrayLiteral(open.map(({ entry }) => entry.lease)),
  ])
  const kinds = new Map(rows.map((row) => [`${row.task_id} ${row.lease}`, row.kind]))
  return changes.map(({ taskId }, index) => {
    const kind = kinds.get(keys[index]!) as Task.EntryKind | undefined
    return settled[index] ??
      (kind === undefined ? { taskId, status: "stale" } : { taskId, status: "already", kind })
  })
}

/** Names the history row of a change.
 * @category conversions
 * @since 0.1.0 */
export const keyOf = (change: Change): string => `${change.taskId} ${change.entry.lease}`
