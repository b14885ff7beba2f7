/**
 * The driver's `claim` and `heartbeat`.
 *
 * @since 0.1.0
 */
import type { Driver, DriverError } from "@millrace/core"
import { Effect } from "effect"
import { arrayLiteral } from "./ArrayLiteral.ts"
import type { Query, Row } from "./Connection.ts"
import type { Holdings } from "./Holdings.ts"
import { tasksOf } from "./ClaimedTasks.ts"
import * as LimitedClaims from "./LimitedClaims.ts"
import type { Asked } from "./LimitedLook.ts"
import { Marks, parseFronts } from "./Marks.ts"
import type { Statements } from "./Statements.ts"
import { once, type Store } from "./Store.ts"

interface Lanes {
  readonly queueIds: ReadonlyArray<number>
  readonly eldest: boolean
  readonly asked: number
  readonly ids: string
  readonly limits: string
  readonly wanted: ReadonlyArray<Asked>
  readonly nameOf: (id: number) => string
}

/** Makes the operations; `holdings` learns what was claimed.
 * @category constructors
 * @since 0.1.0 */
export const make = (store: Store, holdings: Holdings) => {
  const waiting = new Waiting()
  const marks = new Marks(() => performance.now())
  const claimLanes = claimer(store, holdings, marks)
  const claim = Effect.fnUntraced(function* (
    request: Driver.ClaimRequest,
  ): Effect.fn.Return<Driver.Claim, DriverError> {
    const now = yield* store.now
    return yield* once(store, "claim", async (query) => {
      const lanes = await lanesOf(store, query, request)
      const first = await claimLanes(query, now, request.worker, lanes)
      if (first.tasks.length > 0) {
        if (waiting.found(request.worker)) {
          await query(store.statements.disarm, [request.worker])
        }
        return first
      }
      if (!request.waits || waiting.isArmed(request.worker, lanes.ids)) return first
      // What is stored between the look and the announcement wakes nobody: hence a second look.
      await query(store.statements.arm, [now, request.worker, lanes.ids])
      waiting.arm(request.worker, lanes.ids)
      const second = await claimLanes(query, now, request.worker, lanes)
      return second.tasks.length === 0 ? soonAgain(second) : second
    })
  })
  const heartbeat = Effect.fnUntraced(function* (
    beat: Driver.Heartbeat,
  ): Effect.fn.Return<Driver.Pulse, DriverError> {
    const now = yield* store.now
    const ends = beat.leaseMillis === 0
    const rows = yield* once(
      store,
      "send a heartbeat",
      (query) => query(...beatOf(store.statements, now, beat)),
    )
    const live = rows[0]?.live === true
    const lost = lostOf(String(rows[0]?.lost ?? ""))
    if (ends || !live) {
      holdings.forget(beat.worker)
      waiting.forget(beat.worker)
    } else if (lost.length > 0) {
      holdings.lost(beat.worker, lost)
    }
    return { live, lost }
  })
  return { claim, heartbeat }
}

const lostOf = (text: string): ReadonlyArray<Driver.HeldTask> =>
  text === "" ? [] : text.split(",").map((one) => {
    const [id, lease] = one.split(" ")
    return { id: id!, lease: Number(lease) }
  })

const beatOf = (
  { beat, beatReporting, end }: Statements,
  now: string | null,
  { held, leaseMillis, progress = [], worker }: Driver.Heartbeat,
): readonly [text: string, params: ReadonlyArray<string | null>] => {
  const own = [
    now,
    worker,
    arrayLiteral(held.map(({ id }) => id)),
    arrayLiteral(held.map(({ lease }) => lease)),
  ]
  if (leaseMillis === 0) return [end, own]
  const params = [...own, String(leaseMillis)]
  if (progress.length === 0) return [beat, params]
  // Of what one attempt has said the last counts.
  const said = [...new Map(progress.map((one) => [`${one.id} ${one.lease}`, one])).values()]
  return [beatReporting, [
    ...params,
    arrayLiteral(said.map(({ id }) => id)),
    arrayLiteral(said.map(({ lease }) => lease)),
    arrayLiteral(said.map(({ fraction }) => fraction)),
    arrayLiteral(said.map(({ note }) => note)),
  ]]
}

/** What began to be stored before the announcement, and ended after the second look, wakes nobody
 * either: hence a third one. */
const soonAgain = (claim: Driver.Claim): Driver.Claim => ({
  ...claim,
  nextDueMillis: Math.min(claim.nextDueMillis ?? Infinity, thirdLookMillis),
})

const thirdLookMillis = 100

/** Which workers have announced that they wait, and how many claims found something since. */
class Waiting {
  readonly #armed = new Map<string, { readonly queues: string; found: number }>()

  isArmed(worker: string, queues: string): boolean {
    const armed = this.#armed.get(worker)
    if (armed?.queues !== queues) return false
    armed.found = 0
    return true
  }

  arm(worker: string, queues: string): void {
    this.#armed.set(worker, { queues, found: 0 })
  }

  /** Whether a worker that finds work again and again should take its announcement back. */
  found(worker: string): boolean {
    const armed = this.#armed.get(worker)
    if (armed === undefined || ++armed.found < busyClaims) return false
    this.#armed.delete(worker)
    return true
  }

  forget(worker: string): void {
    this.#armed.delete(worker)
  }
}

const busyClaims = 3

const lanesOf = async (
  store: Store,
  query: Query,
  request: Driver.ClaimRequest,
): Promise<Lanes> => {
  const limits = new Map<string, number>()
  for (const { queue, limit } of request.lanes) {
    limits.set(queue, (limits.get(queue) ?? 0) + limit)
  }
  const queueId = await store.queues.resolve(query, limits.keys())
  const wanted = Array.from(limits, ([queue, limit]) => ({ queueId: queueId(queue), limit }))
  const ids = wanted.map(({ queueId }) => queueId)
  return {
    queueIds: ids,
    eldest: request.eldest === true,
    asked: [...limits.values()].reduce((sum, limit) => sum + limit, 0),
    ids: arrayLiteral(ids),
    limits: arrayLiteral([...limits.values()]),
    wanted,
    nameOf: await store.queues.names(query, ids),
  }
}

const claimer = (store: Store, holdings: Holdings, marks: Marks) =>
async (
  query: Query,
  now: string | null,
  worker: string,
  lanes: Lanes,
): Promise<Driver.Claim> => {
  const { limited } = store.limited
  if (lanes.queueIds.some((id) => limited.has(id))) {
    return await claimLimited(store, holdings, now, worker, lanes)
  }
  const ask = async (moves: boolean) => {
    const from = lanes.eldest ? undefined : marks.of(lanes.queueIds)
    const params = [now, worker, lanes.ids, lanes.limits, String(moves), ...(from ?? [])]
    const { claim, claimEldest, claimFrom } = store.statements
    const text = lanes.eldest ? claimEldest : from === undefined ? claim : claimFrom
    const [head, ...packed] = await query(text, params)
    const tasks = packed.length === 0
      ? []
      : tasksOf(packed, lanes.nameOf, holdings.begin(worker, Number(head?.claim ?? 0)))
    const moved = Number(head?.moved) > 0
    if (!moved && !lanes.eldest) noteFronts(marks, lanes, head, tasks.length)
    return { head, tasks, again: moved || (from !== undefined && tasks.length === 0) }
  }
  let answer = await ask(true)
  // Due tasks were moved, and can be taken now; or there was nothing beyond the marks.
  for (let times = 0; answer.again && times < 2; times++) answer = await ask(false)
  const { head, tasks } = answer
  if (typeof head?.limited === "string") {
    store.limited.add(head.limited.split(",").map(Number))
    if (tasks.length === 0) return await claimLimited(store, holdings, now, worker, lanes)
  }
  const nextDue = head?.next_due
  return {
    tasks,
    nextDueMillis: typeof nextDue === "number" ? Math.max(0, nextDue) : undefined,
  }
}

const noteFronts = (marks: Marks, lanes: Lanes, head: Row | undefined, found: number): void => {
  if (found < lanes.asked || typeof head?.fronts !== "string") marks.forget(lanes.queueIds)
  else marks.learn(parseFronts(head.fronts, head.horizon as string))
}

const claimLimited = async (
  store: Store,
  holdings: Holdings,
  now: string | null,
  worker: string,
  lanes: Lanes,
): Promise<Driver.Claim> => {
  const { connection, limited, statements } = store
  const answer = await connection.transaction((query) =>
    LimitedClaims.claim(query, statements, now, worker, lanes.wanted, {
      eldest: lanes.eldest,
      limited: limited.limited,
    })
  )
  limited.remove(answer.unlimited)
  return {
    tasks: answer.taken.flatMap(({ claim, limited, rows }) =>
      rows.length === 0 ? [] : tasksOf(rows, lanes.nameOf, holdings.begin(worker, claim), limited)
    ),
    nextDueMillis: answer.nextMillis === Infinity ? undefined : answer.nextMillis,
  }
}
