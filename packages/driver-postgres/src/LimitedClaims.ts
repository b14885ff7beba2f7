/**
 * Claims from queues of which some have limits: lock those, look, let core decide, write. One
 * transaction, under the lock of each limited queue, so that no two claims count the same room.
 *
 * @since 0.1.0
 */
import { Claiming, type Driver, Granting, Limiting } from "@millrace/core"
import { arrayLiteral } from "./ArrayLiteral.ts"
import type { Query, Row } from "./Connection.ts"
import { type Asked, keysOf, type Look, type Standing, standingsOf } from "./LimitedLook.ts"
import type { Statements } from "./Statements.ts"

/**
 * A claim that was made, and its rows as `Claim.ts` writes them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Taken {
  readonly claim: number
  readonly rows: ReadonlyArray<Row>
  readonly limited: Driver.ClaimedTask["limited"]
}

/**
 * What a claim took, and how long until there is more where it took nothing.
 *
 * @category models
 * @since 0.1.0
 */
export interface Answer {
  readonly taken: ReadonlyArray<Taken>
  readonly nextMillis: number
  /** Queues that were asked for as limited, and are not. */
  readonly unlimited: ReadonlyArray<number>
}

interface Candidate extends Granting.Ready {
  readonly id: string
  readonly lease: number
  readonly failures: number
}

interface Offered {
  readonly lane: Asked
  readonly tasks: ReadonlyArray<Candidate>
  readonly nextMillis: number
  readonly standing?: Standing
  readonly keys?: ReadonlyArray<Granting.Key>
  readonly offer?: Granting.Offer
}

/**
 * Claims in a transaction. `instant` is that of the clock, or NULL for the database's; `limited`
 * are the queues that are known to have limits.
 *
 * @category running
 * @since 0.1.0
 */
export const claim = async (
  query: Query,
  statements: Statements,
  instant: string | null,
  worker: string,
  lanes: ReadonlyArray<Asked>,
  { eldest, limited }: { readonly eldest: boolean; readonly limited: ReadonlySet<number> },
): Promise<Answer> => {
  const asked = lanes.map(({ queueId }) => queueId).filter((id) => limited.has(id))
  const locked = await query(statements.limited.lockLimits, [arrayLiteral(asked)])
  const ids = locked.map((row) => row.queue_id as number)
  const unlimited = asked.filter((id) => !ids.includes(id))
  const queues = arrayLiteral(lanes.map(({ queueId }) => queueId))
  const [seen] = await query(statements.limited.look, [
    instant,
    worker,
    queues,
    arrayLiteral(ids),
  ])
  if (seen?.live !== true) return { taken: [], nextMillis: Infinity, unlimited }
  const now = seen.now as number
  const look = { query, statements, now, eldest, standings: standingsOf(locked, seen) }
  const offers = await offersOf(look, lanes)
  const batches = Claiming.batchesOf(offers.map(({ tasks }) => tasks))
  const taken: Array<Taken> = []
  for (const [index, offered] of offers.entries()) {
    const tasks = batches[index]!
    if (offered.standing !== undefined) await write(look, offered, tasks)
    if (tasks.length > 0) taken.push(await take(look, instant, worker, offered, tasks))
  }
  const due = Number(seen.moved) === 0
    ? seen.next_due
    : (await query(statements.limited.nextDue, [queues]))[0]?.next_due
  const waits = taken.length > 0 ? [] : offers.map(({ nextMillis }) => nextMillis)
  const dueMillis = typeof due === "number" ? Math.max(0, due - now) : Infinity
  return { taken, nextMillis: Math.min(dueMillis, ...waits), unlimited }
}

// What has no groups is looked at in one statement, and each queue that has by itself.
const offersOf = async (
  look: Look,
  lanes: ReadonlyArray<Asked>,
): Promise<ReadonlyArray<Offered>> => {
  const rooms = lanes.map((lane) => {
    const standing = look.standings.get(lane.queueId)
    const room = standing === undefined
      ? lane.limit
      : Granting.roomOf(standing, lane.limit, look.now)
    return { lane, standing, room }
  })
  const { eldestOf, firstOf } = look.statements.limited
  const plain = rooms.filter(({ room, standing }) => room > 0 && standing?.grouped !== true)
  const first = plain.length === 0 ? [] : await look.query(look.eldest ? eldestOf : firstOf, [
    arrayLiteral(plain.map(({ lane }) => lane.queueId)),
    arrayLiteral(plain.map(({ room }) => room)),
  ])
  const offers: Array<Offered> = []
  for (const one of rooms) {
    const { lane, room, standing } = one
    if (standing === undefined || !standing.grouped || room === 0) {
      const nth = plain.indexOf(one) + 1
      const tasks = first.filter((row) => row.nth === nth).map(toCandidate)
      const nextMillis = room > 0 || standing === undefined
        ? Infinity
        : Granting.millisToRoom(standing, look.now)
      offers.push({ lane, tasks, nextMillis, ...(standing === undefined ? {} : { standing }) })
    } else {
      offers.push(await offerOf(look, lane, standing, room))
    }
  }
  return offers
}

const offerOf = async (
  look: Look,
  lane: Asked,
  standing: Standing,
  room: number,
): Promise<Offered> => {
  const { query, statements } = look
  const { keys, offer } = await keysOf(look, lane, standing, room)
  if (offer.keys.length === 0) {
    return { lane, tasks: [], nextMillis: offer.nextMillis, standing, keys, offer }
  }
  const rows = await query(statements.limited.ofKeys, [
    String(lane.queueId),
    arrayLiteral(offer.keys.map(({ key }) => key)),
    arrayLiteral(offer.keys.map(({ limit }) => limit)),
  ])
  // Behind a task that another session is changing its key has to wait.
  const closed = new Set<string>()
  const free = rows.filter((row) => {
    const key = row.key as string
    if (row.locked !== true && key !== "") closed.add(key)
    return row.locked === true && !closed.has(key)
  })
  const tasks = free.slice(0, room).map(toCandidate)
  return { lane, tasks, nextMillis: offer.nextMillis, standing, keys, offer }
}

const toCandidate = (row: Row, index: number): Candidate => ({
  id: row.task_id as string,
  key: row.key as string,
  begun: row.begun === true,
  priority: row.priority as number,
  sequence: index,
  lease: row.lease as number,
  failures: row.failures as number,
  crashes: row.crashes as number,
})

const take = async (
  { query, statements }: Look,
  instant: string | null,
  worker: string,
  { lane, standing }: Offered,
  tasks: ReadonlyArray<Candidate>,
): Promise<Taken> => {
  const rows = await query(statements.limited.take, [
    instant,
    worker,
    arrayLiteral(tasks.map(({ id }) => id)),
    standing === undefined ? null : String(lane.queueId),
    arrayLiteral(tasks.map(({ key }) => key)),
    arrayLiteral(tasks.map(({ lease }) => lease)),
    arrayLiteral(tasks.map(({ failures }) => failures)),
    arrayLiteral(tasks.map(({ crashes }) => crashes)),
    String(lane.queueId),
  ])
  const rates = [standing?.limits.rate, standing?.limits.keys?.rate]
  const isPaced = rates.some((rate) => rate !== undefined)
  return {
    claim: Number(rows[0]?.claim ?? 0),
    rows: rows.slice(1),
    limited: standing === undefined ? undefined : isPaced ? "paced" : "held",
  }
}

const write = async (
  { now, query, statements }: Look,
  { keys = [], lane, offer, standing }: Offered,
  tasks: ReadonlyArray<Candidate>,
): Promise<void> => {
  const none: Granting.Offer = { keys: [], last: undefined, nextMillis: Infinity }
  const before = standing!
  const granted = Granting.grant(before, keys, offer ?? none, tasks, now)
  if (granted.turn === before.turn && granted.bucket === before.bucket && granted.keys.size === 0) {
    return
  }
  const rate = before.limits.keys?.rate
  const buckets = [...granted.keys].map(([key, bucket]) => ({
    ...{ key, bucket },
    fullAt: now + Limiting.millisToFull(bucket, rate!, now),
  }))
  await query(statements.limited.granted, [
    String(lane.queueId),
    granted.turn,
    ...[granted.bucket?.level, granted.bucket?.periodMillis, granted.bucket?.at].map((number) =>
      number === undefined ? null : String(number)
    ),
    arrayLiteral(buckets.map(({ key }) => key)),
    arrayLiteral(buckets.map(({ bucket }) => bucket.level)),
    arrayLiteral(buckets.map(({ bucket }) => bucket.periodMillis)),
    arrayLiteral(buckets.map(({ bucket }) => bucket.at)),
    arrayLiteral(buckets.map(({ fullAt }) => fullAt)),
    String(now),
  ])
}
