/**
 * The limits of a queue, which hold for all workers together: how many at a time, how many in a
 * period, in all and for each key of a group. The rules of tokens.
 *
 * @since 0.1.0
 */
import type { Verdict } from "./Uniqueness.ts"

/**
 * So many in each period: a bucket that holds `burst` tokens and is filled with `count` in a
 * period. Within any time `t` no more than `burst + count * t / periodMillis` are handed out.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rate {
  readonly count: number
  readonly periodMillis: number
  readonly burst: number
}

/**
 * The limits of a queue, as they are stored.
 *
 * @category models
 * @since 0.1.0
 */
export interface QueueLimits {
  /** How many of its tasks are held at a time. */
  readonly concurrency?: number | undefined
  readonly rate?: Rate | undefined
  /** How many tasks may wait in it, due or not. */
  readonly maxDepth?: number | undefined
  /** What holds for the tasks of each key (default: one at a time, which blocks). */
  readonly keys?: KeyLimits | undefined
  /** Whether nothing is claimed from it at all. */
  readonly paused?: boolean | undefined
}

/**
 * The limits of each key of a queue.
 *
 * @category models
 * @since 0.1.0
 */
export interface KeyLimits {
  readonly concurrency: number
  readonly rate?: Rate | undefined
  /**
   * What a task that has begun and waits for its next attempt means for those of its key behind it:
   * with `block` they wait too, with `skip` they go on.
   */
  readonly onFailure: "block" | "skip"
  /** How many tasks a key gives in its turn (default 1). */
  readonly weights?: Readonly<Record<string, number>> | undefined
}

/**
 * The limits of a queue once some are said: whoever says limits leaves a paused queue paused, and
 * whoever says that it is paused or not leaves its other limits. `null` removes them.
 *
 * @category rules
 * @since 0.1.0
 */
export const said = (
  before: QueueLimits | undefined,
  given: QueueLimits | null,
): QueueLimits | undefined => {
  const { paused, ...kept } = before ?? {}
  if (given === null) return paused === true ? { paused } : undefined
  const { paused: pauses, ...own } = given
  const limits = pauses === undefined ? own : { ...kept, ...own }
  if (pauses ?? paused) return { ...limits, paused: true }
  const hasNone = Object.values(limits).every((limit) => limit === undefined)
  return pauses === false && hasNone ? undefined : limits
}

/** What holds for keys where nothing else was said: one at a time, in order, whatever fails.
 * @category constants
 * @since 0.1.0 */
export const strictKeys: KeyLimits = { concurrency: 1, onFailure: "block" }

/**
 * How full a bucket is with what was taken of late. A token weighs `periodMillis`, and `count` of
 * that weight goes each millisecond, so that all of it is whole numbers.
 *
 * @category models
 * @since 0.1.0
 */
export interface Bucket {
  readonly level: number
  readonly periodMillis: number
  readonly at: number
}

/** How many tokens a bucket has.
 * @category rules
 * @since 0.1.0 */
export const tokensOf = (bucket: Bucket | undefined, rate: Rate, now: number): number =>
  Math.max(0, Math.floor((full(rate) - levelAt(bucket, rate, now)) / rate.periodMillis))

/** A bucket when tokens were taken from it.
 * @category rules
 * @since 0.1.0 */
export const taken = (
  bucket: Bucket | undefined,
  rate: Rate,
  now: number,
  tokens: number,
): Bucket => ({
  level: levelAt(bucket, rate, now) + tokens * rate.periodMillis,
  periodMillis: rate.periodMillis,
  at: Math.max(now, bucket?.at ?? now),
})

/** How long until a bucket has a token; 0 where it has one.
 * @category rules
 * @since 0.1.0 */
export const millisToToken = (bucket: Bucket | undefined, rate: Rate, now: number): number => {
  const over = levelAt(bucket, rate, now) - (full(rate) - rate.periodMillis)
  return Math.max(0, Math.ceil(over / rate.count) + Math.max(0, (bucket?.at ?? now) - now))
}

/** How long until a bucket is as if nothing had ever been taken.
 * @category rules
 * @since 0.1.0 */
export const millisToFull = (bucket: Bucket, rate: Rate, now: number): number =>
  Math.ceil(levelAt(bucket, rate, now) / rate.count) + Math.max(0, bucket.at - now)

const full = (rate: Rate): number => rate.burst * rate.periodMillis

// A clock that is set back takes no token back. Where the period was changed, tokens weigh the same
// share of it as before.
const levelAt = (bucket: Bucket | undefined, rate: Rate, now: number): number => {
  if (bucket === undefined) return 0
  const { at, level, periodMillis } = bucket
  const weighed = periodMillis === rate.periodMillis
    ? level
    : Math.ceil(level / periodMillis * rate.periodMillis)
  return Math.max(0, weighed - Math.max(0, now - at) * rate.count)
}

/**
 * How many tasks wait in a queue, and how many may.
 *
 * @category models
 * @since 0.1.0
 */
export interface Depth {
  readonly depth: number
  readonly max: number
}

/**
 * The first queue that a batch would take beyond its maximum depth; `undefined` where it fits. What
 * is replaced while it waits makes room.
 *
 * @category rules
 * @since 0.1.0
 */
export const fullOf = (
  tasks: ReadonlyArray<{ readonly queue: string }>,
  verdicts: ReadonlyArray<Verdict>,
  depthOf: (queue: string) => Depth | undefined,
): string | undefined => {
  const added = new Map<string, number>()
  tasks.forEach(({ queue }, index) => {
    const { replaced, stored } = verdicts[index]!
    const count = Number(stored) - Number(replaced?.from === "ready")
    added.set(queue, (added.get(queue) ?? 0) + count)
  })
  for (const [queue, count] of added) {
    const depth = depthOf(queue)
    if (depth !== undefined && count > 0 && depth.depth + count > depth.max) return queue
  }
  return undefined
}
