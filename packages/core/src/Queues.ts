/**
 * Limits of queues, which hold for all workers at once and are stored.
 *
 * @since 0.1.0
 */
import type { Duration } from "effect"
import { Effect } from "effect"
import { Driver } from "./Driver.ts"
import type { DriverError } from "./DriverError.ts"
import type { KeyLimits, QueueLimits, Rate } from "./Limiting.ts"
import * as Limits from "./Limits.ts"
import * as Problem from "./Problem.ts"

/**
 * So many in each period, evenly: a token is there `per / count` after another, and up to `burst`
 * of them are kept. Within any time `t` at most `burst + count * t / per` attempts begin.
 *
 * @category models
 * @since 0.1.0
 */
export interface RateOptions {
  /** 1 to 1,000,000. */
  readonly count: number
  /** From 1 millisecond to 31 days. */
  readonly per: Duration.Input
  /** 1 to 1,000,000 (default: `count`). */
  readonly burst?: number
}

/**
 * The limits of each key of a queue, that is of each group.
 *
 * @category models
 * @since 0.1.0
 */
export interface KeyOptions {
  /** Attempts at a time of one key: 1 to 1,000,000 (default 1: one after the other). */
  readonly concurrency?: number
  readonly rate?: RateOptions
  /**
   * Whether a task that is to be tried again holds up those of its key behind it: `block` (the
   * default) keeps the order; with `skip` they go on.
   */
  readonly onFailure?: "block" | "skip"
  /** How many tasks single keys give in their turn: 1 to 100 (default 1 each). */
  readonly weights?: { readonly [key: string]: number }
}

/**
 * The limits of a queue, for all workers together. What is left out has no limit.
 *
 * @category models
 * @since 0.1.0
 */
export interface LimitOptions {
  /** Attempts at a time over all workers: 1 to 1,000,000. */
  readonly concurrency?: number
  readonly rate?: RateOptions
  /** How many runs may wait, due or not: 1 to 100,000. */
  readonly maxDepth?: number
  readonly perKey?: KeyOptions
}

/**
 * Says the limits of a queue: they hold at once, for all workers, until others are said. Answers
 * those that held before. Throws a `DefinitionError` for limits out of bounds.
 *
 * **Example** (Ten at a time, wherever they run)
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict"
 * import { Queues } from "@millrace/core"
 * import { MemoryDriver } from "@millrace/driver-memory"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   yield* Queues.limit("mail", { concurrency: 10, rate: { count: 100, per: "1 minute" } })
 *   return yield* Queues.limits("mail")
 * })
 * const limits = await Effect.runPromise(Effect.provide(program, MemoryDriver.layer))
 * deepStrictEqual(limits?.concurrency, 10)
 * ```
 *
 * @category managing
 * @since 0.1.0
 */
export const limit = (
  queue: string,
  options: LimitOptions,
): Effect.Effect<QueueLimits | undefined, DriverError, Driver> => {
  Problem.throwFirst(problemsOf(`limits of queue ${Problem.show(queue)}`, queue, options))
  return Driver.use((driver) => driver.limit(queue, limitsOf(options)))
}

/** Removes the limits of a queue; its groups go on one at a time. Answers those that held.
 * @category managing
 * @since 0.1.0 */
export const unlimit = (
  queue: string,
): Effect.Effect<QueueLimits | undefined, DriverError, Driver> =>
  Driver.use((driver) => driver.limit(queue, null))

/** Reads the limits of a queue; `undefined` where none were said.
 * @category reading
 * @since 0.1.0 */
export const limits = (
  queue: string,
): Effect.Effect<QueueLimits | undefined, DriverError, Driver> =>
  Driver.use((driver) => driver.limit(queue, undefined))

/**
 * Pauses a queue: from now on no worker begins a run of it, wherever it is, until it is resumed. It
 * is stored, and stays so whoever restarts or says limits. What has been claimed goes on. Answers
 * whether it was paused before.
 *
 * @category managing
 * @since 0.1.0
 */
export const pause = (queue: string): Effect.Effect<boolean, DriverError, Driver> =>
  pausing(queue, true)

/** Lets a paused queue go on, at once. Answers whether it was paused before.
 * @category managing
 * @since 0.1.0 */
export const resume = (queue: string): Effect.Effect<boolean, DriverError, Driver> =>
  pausing(queue, false)

const pausing = (queue: string, paused: boolean) => {
  Problem.throwFirst(Problem.ofSlug(`queue ${Problem.show(queue)}`, "queue", queue))
  return Driver.use((driver) =>
    Effect.map(driver.limit(queue, { paused }), (before) => before?.paused === true)
  )
}

/**
 * What waits and runs in a queue.
 *
 * @category models
 * @since 0.1.0
 */
export interface Queue {
  readonly queue: string
  /** How many runs are due. */
  readonly ready: number
  /** How many are due later. */
  readonly scheduled: number
  readonly running: number
  readonly paused: boolean
  /** The limits that were said last. */
  readonly limits: QueueLimits | undefined
  /**
   * For how long the run has been due that is claimed first: of all priorities the longest. Runs of
   * flows that waited are not looked at, since it is not known when they were woken.
   */
  readonly eldestMillis: number | undefined
}

/**
 * Lists the queues that have runs which have not ended, or limits, in the order of their names.
 *
 * **Details**
 *
 * It counts what waits and runs, and nothing that has ended: it costs the same whatever history
 * there is. The steps of flows wait in the queues of their flows, each of them one run here; the
 * flows themselves are in a queue while they have something to do, and in none while they wait.
 *
 * @category reading
 * @since 0.1.0
 */
export const list: Effect.Effect<ReadonlyArray<Queue>, DriverError, Driver> = Effect.map(
  Driver.use((driver) => driver.queues),
  (queues) =>
    queues.map(({ limits, queue, ready, running, scheduled, eldestMillis }) => ({
      ...{ queue, ready, scheduled, running },
      paused: limits?.paused === true,
      ...{ limits, eldestMillis },
    })),
).pipe(Effect.withSpan("Queues.list"))

/** The limits as they are stored, of options that are known to be right.
 * @category conversions
 * @since 0.1.0 */
export const limitsOf = ({ concurrency, maxDepth, perKey, rate }: LimitOptions): QueueLimits => ({
  ...(concurrency === undefined ? {} : { concurrency }),
  ...(rate === undefined ? {} : { rate: rateOf(rate) }),
  ...(maxDepth === undefined ? {} : { maxDepth }),
  ...(perKey === undefined ? {} : { keys: keysOf(perKey) }),
})

const rateOf = ({ burst, count, per }: RateOptions): Rate => ({
  count,
  periodMillis: Math.round(Problem.toMillis(per)!),
  burst: burst ?? count,
})

const keysOf = ({ concurrency, onFailure, rate, weights }: KeyOptions): KeyLimits => ({
  concurrency: concurrency ?? 1,
  onFailure: onFailure ?? "block",
  ...(rate === undefined ? {} : { rate: rateOf(rate) }),
  ...(weights === undefined ? {} : { weights }),
})

/** Lists everything that is wrong with the limits of a queue.
 * @category guards
 * @since 0.1.0 */
export const problemsOf = (
  subject: string,
  queue: unknown,
  value: unknown,
): ReadonlyArray<Problem.Problem> => [
  ...Problem.ofSlug(subject, "queue", queue),
  ...ofObject(subject, "limits", value, {
    concurrency: count(Limits.queueConcurrency),
    rate: ofRate,
    maxDepth: count(Limits.maxDepth),
    perKey: ofKeys,
  }),
]

type Check = (subject: string, option: string, value: unknown) => ReadonlyArray<Problem.Problem>

const count = (max: number): Check => (subject, option, value) =>
  Problem.ofInteger(subject, option, value, 1, max)

const ofRate: Check = (subject, option, value) =>
  ofObject(subject, option, value, {
    count: count(Limits.queueConcurrency),
    per: (subject, option, value) =>
      Problem.ofDuration(subject, option, value, 1, Limits.ratePeriodMillis),
    burst: count(Limits.queueConcurrency),
  }, ["count", "per"])

const ofKeys: Check = (subject, option, value) =>
  ofObject(subject, option, value, {
    concurrency: count(Limits.queueConcurrency),
    rate: ofRate,
    onFailure: (subject, option, value) =>
      value === "block" || value === "skip"
        ? []
        : [Problem.mustBe(subject, option, `"block" or "skip"`, value)],
    weights: ofWeights,
  })

const ofWeights: Check = (subject, option, value) => {
  if (Object.prototype.toString.call(value) !== "[object Object]") {
    return [Problem.mustBe(subject, option, "an object of weights", value)]
  }
  const weights = Object.entries(value as object)
  return weights.length > Limits.weights
    ? [Problem.mustBe(subject, option, `at most ${Limits.weights} weights`, weights.length)]
    : weights.flatMap(([key, weight]) =>
      count(Limits.weights)(subject, `${option} of ${Problem.show(key)}`, weight)
    )
}

const ofObject = (
  subject: string,
  option: string,
  value: unknown,
  checks: Readonly<Record<string, Check>>,
  needed: ReadonlyArray<string> = [],
): ReadonlyArray<Problem.Problem> => {
  if (Object.prototype.toString.call(value) !== "[object Object]") {
    return [Problem.mustBe(subject, option, "an object", value)]
  }
  const given = value as Readonly<Record<string, unknown>>
  const path = (name: string) => option === "limits" ? name : `${option}.${name}`
  return [
    ...Object.keys(given).filter((name) => !Object.hasOwn(checks, name)).map((name) => ({
      subject,
      option: path(name),
      message: `Cannot define ${subject}: there is no option ${Problem.show(path(name))}`,
    })),
    ...Object.entries(checks).flatMap(([name, check]) =>
      given[name] === undefined && !needed.includes(name)
        ? []
        : check(subject, path(name), given[name])
    ),
  ]
}
