/**
 * Which queues have limits, as far as this process knows, and saying what they are.
 *
 * @since 0.1.0
 */
import { type DriverError, Limiting } from "@millrace/core"
import { Effect } from "effect"
import type { Query } from "./Connection.ts"
import { type Store, transaction } from "./Store.ts"

/**
 * What is known of queues with limits. It is a hint: the statements ask the tables, and say where
 * it is out of date.
 *
 * @category models
 * @since 0.1.0
 */
export class LimitedQueues {
  readonly #limited = new Set<number>()
  readonly #grouped = new Set<number>()
  readonly #deep = new Set<number>()

  get limited(): ReadonlySet<number> {
    return this.#limited
  }

  /** Notes what a statement said of queues. */
  add(ids: Iterable<number>): void {
    for (const id of ids) this.#limited.add(id)
  }

  remove(ids: Iterable<number>): void {
    for (const id of ids) {
      this.#limited.delete(id)
      this.#grouped.delete(id)
    }
  }

  /** Of some queues those that are not known to have groups. */
  ungrouped(ids: Iterable<number>): ReadonlyArray<number> {
    return [...new Set(ids)].filter((id) => !this.#grouped.has(id))
  }

  group(ids: Iterable<number>): void {
    for (const id of ids) this.#grouped.add(id)
    this.add(ids)
  }

  isDeep(id: number): boolean {
    return this.#deep.has(id)
  }

  deepen(ids: Iterable<number>): void {
    for (const id of ids) this.#deep.add(id)
  }

  shallow(id: number): void {
    this.#deep.delete(id)
  }
}

/** Makes the driver's `limit`.
 * @category constructors
 * @since 0.1.0 */
export const make = (store: Store) =>
  Effect.fnUntraced(function* (
    queue: string,
    limits: Limiting.QueueLimits | null | undefined,
  ): Effect.fn.Return<Limiting.QueueLimits | undefined, DriverError> {
    return yield* transaction(store, "limit a queue", async (query) => {
      const { query: beside, concurrent } = store.connection
      const queueId = concurrent
        ? await store.queues.resolve(beside, [queue])
        : await store.queues.resolveOnce(query, [queue])
      return await say(store, query, queue, queueId(queue), limits)
    })
  })

const say = async (
  { limited, statements }: Store,
  query: Query,
  queue: string,
  id: number,
  limits: Limiting.QueueLimits | null | undefined,
): Promise<Limiting.QueueLimits | undefined> => {
  const texts = statements.limited
  // Who comes to a queue without limits at the same time waits for this.
  if (limits !== undefined) await query(texts.makeLimits, [String(id)])
  const [row] = await query(texts.readLimits, [String(id)])
  const declared = row?.declared as string | null | undefined
  const before = typeof declared === "string"
    ? JSON.parse(declared) as Limiting.QueueLimits
    : undefined
  if (limits === undefined) return before
  const after = Limiting.said(before, limits)
  if (after === undefined && row?.grouped !== true) {
    await query(texts.dropLimits, [String(id)])
  } else {
    const depth = after?.maxDepth
    await query(texts.sayLimits, [
      String(id),
      after === undefined ? null : JSON.stringify(after),
      depth === undefined ? null : String(depth),
    ])
    // In the order in which claims lock the two.
    await query(texts.lockClaims, [])
    await query(texts.countBefore, [String(id)])
    limited.add([id])
  }
  if (after?.maxDepth === undefined) limited.shallow(id)
  else limited.deepen([id])
  await query(texts.tell, [`ready ${queue}`])
  return before
}
