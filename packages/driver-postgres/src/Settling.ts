/**
 * The driver's `settle`.
 *
 * @since 0.1.0
 */
import type { Driver, DriverError, Task } from "@millrace/core"
import { Effect } from "effect"
import { arrayLiteral } from "./ArrayLiteral.ts"
import type { Query } from "./Connection.ts"
import { follow, isSimple, isTold, queuesOf } from "./Consequences.ts"
import type { Holdings, Ticket } from "./Holdings.ts"
import { applyParams } from "./statements/Apply.ts"
import { type KnownChange, settleParams } from "./statements/Settle.ts"
import { settleReportingParams } from "./statements/SettleReporting.ts"
import { settleEnds } from "./SettlingEnds.ts"
import { queueIdsBeside } from "./Storing.ts"
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
    return yield* joining(
      store,
      "settle",
      once(store, "settle", (query) => settleAlone(store, query, holdings, now, changes)),
      (inside, query) => settleInside(inside, query, holdings, now, changes),
    )
  })

const settleAlone = async (
  store: Store,
  query: Query,
  holdings: Holdings,
  now: string | null,
  changes: ReadonlyArray<Change>,
): Promise<ReadonlyArray<Settled>> => {
  const ends = await settleEnds(store, query, holdings, now, changes)
  if (ends !== undefined) return ends
  const batch = sorted(holdings, changes)
  const ended = batch.known.length > 0 ? holdings.endedWith(batch.closing) : []
  const told = changes.some(isTold)
  let settled: ReadonlyArray<Settled>
  if (told && !(batch.known.length > 0 && changes.every(isSimple))) {
    const queueId = await store.queues.resolve(query, queuesOf(changes))
    settled = await store.connection.transaction(async (query) => {
      const written = await write(store, query, now, batch, ended, "settle")
      await follow(store.statements, query, now, writtenOf(batch, written), queueId)
      return answers(query, store, changes, batch.keys, written)
    })
    holdings.settled(batch.closing, ended)
    return settled
  }
  const written = await write(store, query, now, batch, ended, told ? "settleReporting" : "settle")
  holdings.settled(batch.closing, ended)
  return answers(query, store, changes, batch.keys, written)
}

// What is rolled back was never settled. So the claims stay as they are, and it is the worker's own
// settle, which follows when the handler has ended, that learns what is stored and closes them.
const settleInside = async (
  store: Store,
  query: Query,
  holdings: Holdings,
  now: string | null,
  changes: ReadonlyArray<Change>,
): Promise<ReadonlyArray<Settled>> => {
  const batch = sorted(holdings, changes)
  holdings.send(batch.closing)
  const written = await write(store, query, now, batch, [], "settle")
  const queueId = await queueIdsBeside(store, query, queuesOf(changes))
  await follow(store.statements, query, now, writtenOf(batch, written), queueId)
  return answers(query, store, changes, batch.keys, written)
}

/** Changes that were sorted, each with its key; the known ones come with their claims. */
interface Batch {
  readonly known: ReadonlyArray<KnownChange>
  readonly unknown: ReadonlyArray<Change>
  /** What this process held. */
  readonly closing: ReadonlyArray<Ticket>
  readonly keys: ReadonlyArray<string>
}

/** Writes a batch in one statement, and answers which of its changes applied. */
const write = async (
  { statements }: Store,
  query: Query,
  now: string | null,
  { known, unknown }: Batch,
  ended: ReadonlyArray<number>,
  how: "settle" | "settleReporting",
): Promise<Set<string>> => {
  if (known.length === 0) {
    const rows = await query(statements.apply, applyParams(now, unknown))
    return new Set(rows.map((row) => `${row.task_id} ${row.lease}`))
  }
  const params = how === "settleReporting" ? settleReportingParams : settleParams
  const rows = await query(statements[how], params(now, ended, known))
  const which = rows[0]?.which
  return new Set(
    typeof which === "string" ? which.split(",") : known.map(({ change }) => keyOf(change)),
  )
}

const writtenOf = ({ known, unknown }: Batch, written: ReadonlySet<string>) =>
  [...known.map(({ change }) => change), ...unknown].filter((change) => written.has(keyOf(change)))

// Of two changes with one lease the first is sent. Where the claims of some are not known, all go
// the slower way: in two statements they would not become ready in the order of the batch.
const sorted = (holdings: Holdings, changes: ReadonlyArray<Change>): Batch => {
  const known: Array<KnownChange> = []
  const closing: Array<Ticket> = []
  const all: Array<Change> = []
  const keys = changes.map(keyOf)
  const seen = new Set<string>()
  changes.forEach((change, index) => {
    if (seen.has(keys[index]!)) return
    seen.add(keys[index]!)
    const ticket = change.from === "running" && change.entry.lease === change.lease
      ? holdings.ticketOf(change)
      : undefined
    all.push(change)
    if (ticket === undefined) return
    known.push({ change, claim: ticket.claim.id })
    closing.push(ticket)
  })
  return known.length === all.length
    ? { known, unknown: [], closing, keys }
    : { known: [], unknown: all, closing, keys }
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
