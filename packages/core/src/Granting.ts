/**
 * What a claim takes from a queue that has limits: how many in all, whose turn it is, and how many
 * of each key. The drivers lock the queue's limits, look, ask this, and write what it answers.
 *
 * @since 0.1.0
 */
import type { Place } from "./Claiming.ts"
import type { HistoryEntry } from "./Exchange.ts"
import type { Bucket, KeyLimits, QueueLimits } from "./Limiting.ts"
import { millisToToken, strictKeys, taken, tokensOf } from "./Limiting.ts"

/**
 * How a queue stands, under the lock of its limits.
 *
 * @category models
 * @since 0.1.0
 */
export interface Standing {
  readonly limits: QueueLimits
  /** How many tasks of each key are held; of those without a key under the empty one. */
  readonly held: ReadonlyMap<string, number>
  readonly bucket: Bucket | undefined
  /** The key whose turn was the last. */
  readonly turn: string
}

/**
 * A key that has ready tasks; the empty one stands for all tasks without a key.
 *
 * @category models
 * @since 0.1.0
 */
export interface Key {
  readonly key: string
  /** Whether a task of it that has begun waits for its next attempt. */
  readonly waits: boolean
  readonly bucket: Bucket | undefined
}

/**
 * A ready task of a queue with limits.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ready extends Place {
  readonly key: string
  /** Whether it has a key, and a line of its history gives it a place (`givesPlace`). */
  readonly begun: boolean
}

/**
 * What of a queue can be claimed, and by which keys in turn.
 *
 * @category models
 * @since 0.1.0
 */
export interface Offer {
  readonly keys: ReadonlyArray<{ readonly key: string; readonly limit: number }>
  /** The last key that was looked at. */
  readonly last: string | undefined
  /** How long until one of the keys that were looked at has a token, where it lacks no more. */
  readonly nextMillis: number
}

/**
 * How many tasks a claim may take from a queue, whatever their keys.
 *
 * @category rules
 * @since 0.1.0
 */
export const roomOf = (standing: Standing, asked: number, now: number): number => {
  const { concurrency, paused, rate } = standing.limits
  if (paused === true) return 0
  let held = 0
  for (const count of standing.held.values()) held += count
  return Math.max(
    0,
    Math.min(
      asked,
      concurrency === undefined ? asked : concurrency - held,
      rate === undefined ? asked : tokensOf(standing.bucket, rate, now),
    ),
  )
}

/** How long until a queue has a token again; `Infinity` where that is not what it lacks.
 * @category rules
 * @since 0.1.0 */
export const millisToRoom = ({ bucket, limits }: Standing, now: number): number => {
  if (limits.paused === true) return Infinity
  const millis = limits.rate === undefined ? 0 : millisToToken(bucket, limits.rate, now)
  return millis === 0 ? Infinity : millis
}

/**
 * How many tasks of a key can be claimed. Tasks without a key have no limits of their own.
 *
 * @category rules
 * @since 0.1.0
 */
export const allowanceOf = (
  { held, limits }: Standing,
  { bucket, key, waits }: Key,
  now: number,
): number => {
  if (key === "") return Infinity
  const { concurrency, onFailure, rate } = limits.keys ?? strictKeys
  if (waits && onFailure === "block") return 0
  const free = Math.max(0, concurrency - (held.get(key) ?? 0))
  return rate === undefined ? free : Math.min(free, tokensOf(bucket, rate, now))
}

/**
 * Gives keys their turns.
 *
 * **Details**
 *
 * `keys` come in the order of `turnOf`. Each of the first `room` keys that may give a task gives as
 * many as its weight says, or a multiple of that where there are fewer keys than `room`; the rest
 * come with the next claim, which begins after the last key that gave one.
 *
 * @category rules
 * @since 0.1.0
 */
export const offerOf = (
  standing: Standing,
  keys: ReadonlyArray<Key>,
  room: number,
  now: number,
): Offer => {
  const rules = standing.limits.keys ?? strictKeys
  const able: Array<{ readonly key: string; readonly limit: number }> = []
  let last: string | undefined
  let nextMillis = Infinity
  for (const one of keys) {
    if (able.length >= room) break
    last = one.key
    const limit = allowanceOf(standing, one, now)
    if (limit > 0) able.push({ key: one.key, limit })
    else nextMillis = Math.min(nextMillis, millisToKey(standing, one, rules, now))
  }
  const turns = able.length === 0 ? 0 : Math.max(1, Math.floor(room / able.length))
  return {
    keys: able.map(({ key, limit }) => ({
      key,
      limit: Math.min(limit, room, turns * weightOf(rules, key)),
    })),
    last,
    nextMillis,
  }
}

const weightOf = ({ weights }: KeyLimits, key: string): number =>
  weights !== undefined && Object.hasOwn(weights, key) ? weights[key]! : 1

const millisToKey = (
  { held }: Standing,
  { bucket, key, waits }: Key,
  { concurrency, onFailure, rate }: KeyLimits,
  now: number,
): number => {
  const otherwise = (waits && onFailure === "block") || (held.get(key) ?? 0) >= concurrency
  return rate === undefined || otherwise ? Infinity : millisToToken(bucket, rate, now)
}

/**
 * Whether a line of a task's history gives it its place before others of its key that nothing has
 * happened to: all does, but for being put off by hand.
 *
 * @category rules
 * @since 0.1.0
 */
export const givesPlace = ({ kind }: Pick<HistoryEntry, "kind">): boolean => kind !== "rescheduled"

/** The order of the tasks of one key: what has begun comes first, so that its place is kept.
 * @category rules
 * @since 0.1.0 */
export const byTurn = (a: Ready, b: Ready): number =>
  Number(b.begun) - Number(a.begun) || a.priority - b.priority || a.sequence - b.sequence

/** The order of keys: from the one after `turn` on, round to it.
 * @category rules
 * @since 0.1.0 */
export const turnOf = (turn: string) => (a: string, b: string): number =>
  Number(compare(a, turn) <= 0) - Number(compare(b, turn) <= 0) || compare(a, b)

/** Compares keys by their code points, as bytes of UTF-8 compare.
 * @category rules
 * @since 0.1.0 */
export const compare = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)]
    if (left === right) continue
    // Surrogates stand for code points beyond all others.
    const [one, other] = [isSurrogate(left), isSurrogate(right)]
    return one === other ? left - right : one ? 1 : -1
  }
  return a.length - b.length
}

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff

/**
 * How a queue stands once tasks were taken.
 *
 * @category models
 * @since 0.1.0
 */
export interface Granted {
  readonly bucket: Bucket | undefined
  readonly turn: string
  /** The buckets of keys that gave a token. */
  readonly keys: ReadonlyMap<string, Bucket>
}

/** What becomes of a queue's tokens and turns when tasks are taken, in that order.
 * @category rules
 * @since 0.1.0 */
export const grant = (
  standing: Standing,
  keys: ReadonlyArray<Key>,
  offer: Offer,
  tasks: ReadonlyArray<Ready>,
  now: number,
): Granted => {
  const { bucket, limits, turn } = standing
  const counts = new Map<string, number>()
  for (const { key } of tasks) if (key !== "") counts.set(key, (counts.get(key) ?? 0) + 1)
  const rate = limits.keys?.rate
  const buckets = new Map<string, Bucket>()
  if (rate !== undefined) {
    for (const { bucket: before, key } of keys) {
      const count = counts.get(key)
      if (count !== undefined) buckets.set(key, taken(before, rate, now, count))
    }
  }
  return {
    bucket: limits.rate === undefined || tasks.length === 0
      ? bucket
      : taken(bucket, limits.rate, now, tasks.length),
    // Where no key that was looked at can give a task, the next claim looks at those behind.
    turn: tasks.at(-1)?.key ?? (offer.keys.length === 0 ? offer.last : undefined) ?? turn,
    keys: buckets,
  }
}
