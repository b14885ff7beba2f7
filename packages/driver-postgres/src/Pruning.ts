/**
 * The driver's `prune`.
 *
 * @since 0.1.0
 */
import { type Driver, type DriverError, Limits } from "@millrace/core"
import { Effect } from "effect"
import { arrayLiteral } from "./ArrayLiteral.ts"
import type { Query, Row } from "./Connection.ts"
import { type Store, transaction } from "./Store.ts"

type Rows = ReadonlyArray<Row>

/** Makes the operation.
 * @category constructors
 * @since 0.1.0 */
export const make = (store: Store) =>
  Effect.fnUntraced(function* (
    request: Driver.PruneRequest,
  ): Effect.fn.Return<number, DriverError> {
    const now = yield* store.now
    return yield* transaction(store, "prune", async (query) => {
      await query(store.statements.allowScans, [])
      return isOfRuns(request)
        ? await pruneRuns(store, query, now, request)
        : await pruneAll(store, query, now, request)
    })
  })

const isOfRuns = ({ flow, keep, states, youngerThanMillis }: Driver.PruneRequest): boolean =>
  flow !== undefined || states !== undefined || keep !== undefined ||
  youngerThanMillis !== undefined

const pruneAll = async (
  store: Store,
  query: Query,
  now: string | null,
  { limit, olderThanMillis }: Driver.PruneRequest,
): Promise<number> => {
  let pruned = 0
  let again = true
  while (again && pruned < limit) {
    const locked = [now, String(olderThanMillis), String(limit - pruned)]
    const rows = await remove(store, query, await query(store.statements.lockEnded, locked))
    pruned += rows.length
    // The tasks of a run can go once the run has gone.
    again = rows[0]?.has_steps === true
  }
  return pruned
}

const pruneRuns = async (
  store: Store,
  query: Query,
  now: string | null,
  request: Driver.PruneRequest,
): Promise<number> => {
  const { flow, keep, limit, olderThanMillis, states, youngerThanMillis } = request
  const { lockBelow, lockRunsBeyond, lockRunsEnded } = store.statements
  const params = [
    now,
    String(olderThanMillis),
    String(limit),
    flow ?? null,
    states === undefined ? null : arrayLiteral(states),
    youngerThanMillis === undefined ? null : String(youngerThanMillis),
  ]
  const locked = keep === undefined
    ? await query(lockRunsEnded, params)
    : await query(lockRunsBeyond, [...params, String(keep)])
  let rows = await remove(store, query, locked)
  const above = new Set<string>()
  let pruned = rows.length
  while (rows.length > 0) {
    if (rows[0]!.has_steps === true) { for (const { id } of rows) above.add(id as string) }
    if (above.size === 0) break
    const below = [arrayLiteral([...above]), String(Limits.batchSize)]
    rows = await remove(store, query, await query(lockBelow, below))
    pruned += rows.length
  }
  return pruned
}

const remove = async ({ statements }: Store, query: Query, rows: Rows): Promise<Rows> => {
  if (rows.length === 0) return rows
  const pruned = await query(statements.deleteEnded, [idsOf(rows)])
  const ids = idsOf(pruned)
  await query(statements.freeKeys, [ids])
  await query(statements.dropLabels, [ids])
  await query(statements.trimClaims, [ids])
  await query(statements.dropClaims, [ids])
  const parents = new Set(pruned.flatMap((row) => row.parent === null ? [] : [String(row.parent)]))
  if (parents.size > 0) await query(statements.deleteSteps, [arrayLiteral([...parents])])
  return pruned
}

const idsOf = (rows: Rows) => arrayLiteral(rows.map((row) => row.id as string))
