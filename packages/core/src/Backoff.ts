/**
 * How long to wait before the next attempt: a pure function from the number of the attempt that
 * failed to a delay.
 *
 * @since 0.1.0
 */
import { Cause, Duration, Effect, Exit, Pull, Random, Schedule } from "effect"
import * as Limits from "./Limits.ts"
import * as Problem from "./Problem.ts"

const TypeId = "~millrace/Backoff"

/**
 * Tells the delay after each failed attempt.
 *
 * @category models
 * @since 0.1.0
 */
export interface Backoff {
  readonly [TypeId]: typeof TypeId
  /** What it is, for people: `exponential(5s, factor 2, cap 1d)`. */
  readonly description: string
  /**
   * Gives the delay in milliseconds between attempt `attempt` (1-based) and the next one, or
   * `undefined` when there is to be no next one. `random` is a number in [0, 1) that the jitter
   * uses.
   */
  readonly delayMillis: (attempt: number, random: number) => number | undefined
}

/** Tells whether a value is a `Backoff`.
 * @category guards
 * @since 0.1.0 */
export const isBackoff = (u: unknown): u is Backoff =>
  typeof u === "object" && u !== null && TypeId in u

const make = (description: string, delayMillis: Backoff["delayMillis"]): Backoff => ({
  [TypeId]: TypeId,
  description,
  delayMillis,
})

const subject = (name: string) => `backoff "${name}"`

const millisOf = (name: string, option: string, value: Duration.Input): number => {
  Problem.throwFirst(Problem.ofDuration(subject(name), option, value, 0, Limits.delayMillis))
  return Duration.toMillis(value)
}

const numberOf = (name: string, option: string, value: unknown, min: number, max: number) => {
  if (!(typeof value === "number" && value >= min && value <= max)) {
    const accepted = `a number from ${min} to ${max}`
    Problem.throwFirst([Problem.mustBe(subject(name), option, accepted, value)])
  }
  return value as number
}

// Jitter only shortens, so a cap stays a cap.
const jittered = (millis: number, jitter: number, random: number): number =>
  Math.round(millis * (1 - jitter * random))

/**
 * Doubles the delay (or multiplies it by `factor`) after each failed attempt.
 *
 * **Details**
 *
 * The delay after attempt n is `base * factor^(n - 1)`, never above `cap` (default 1 day),
 * shortened by a random part of at most the fraction `jitter` (default 0). A huge n gives the cap.
 *
 * **Example** (The first delays)
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict"
 * import { Backoff } from "@millrace/core"
 *
 * const backoff = Backoff.exponential({ base: "5 seconds", cap: "1 minute" })
 * deepStrictEqual(Backoff.preview(backoff, 5), [5_000, 10_000, 20_000, 40_000, 60_000])
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const exponential = (options: {
  readonly base: Duration.Input
  readonly factor?: number
  readonly cap?: Duration.Input
  readonly jitter?: number
}): Backoff => {
  const base = millisOf("exponential", "base", options.base)
  const cap = millisOf("exponential", "cap", options.cap ?? Math.max(base, defaultCapMillis))
  const factor = numberOf("exponential", "factor", options.factor ?? 2, 1, 1000)
  const jitter = numberOf("exponential", "jitter", options.jitter ?? 0, 0, 1)
  return make(
    `exponential(${Duration.format(Duration.millis(base))}, factor ${factor}, cap ${
      Duration.format(Duration.millis(cap))
    })`,
    (attempt, random) => {
      // `0 * Infinity` is not a number, and no delay stays no delay.
      const raw = base === 0 ? 0 : base * factor ** (attempt - 1)
      return jittered(Math.min(cap, raw), jitter, random)
    },
  )
}

/** The cap of an exponential backoff that names none: 1 day.
 * @category limits
 * @since 0.1.0 */
export const defaultCapMillis = 24 * 60 * 60 * 1000

/** Waits the same time after each failed attempt, shortened by at most the fraction `jitter`.
 * @category constructors
 * @since 0.1.0 */
export const fixed = (
  delay: Duration.Input,
  options?: { readonly jitter?: number },
): Backoff => {
  const millis = millisOf("fixed", "delay", delay)
  const jitter = numberOf("fixed", "jitter", options?.jitter ?? 0, 0, 1)
  return make(
    `fixed(${Duration.format(Duration.millis(millis))})`,
    (_, random) => jittered(millis, jitter, random),
  )
}

/** Waits `base + step * (n - 1)` after attempt n, never above `cap` (default 1 day).
 * @category constructors
 * @since 0.1.0 */
export const linear = (options: {
  readonly base: Duration.Input
  readonly step: Duration.Input
  readonly cap?: Duration.Input
  readonly jitter?: number
}): Backoff => {
  const base = millisOf("linear", "base", options.base)
  const step = millisOf("linear", "step", options.step)
  const cap = millisOf("linear", "cap", options.cap ?? Math.max(base, defaultCapMillis))
  const jitter = numberOf("linear", "jitter", options.jitter ?? 0, 0, 1)
  return make(
    `linear(${Duration.format(Duration.millis(base))}, step ${
      Duration.format(Duration.millis(step))
    })`,
    (attempt, random) => jittered(Math.min(cap, base + step * (attempt - 1)), jitter, random),
  )
}

/**
 * Makes a backoff of a pure function from the failed attempt (1-based) to a delay, or to
 * `undefined` for no further attempt. What is negative counts as 0, and what is over 10 years as
 * 10 years.
 *
 * @category constructors
 * @since 0.1.0
 */
export const custom = (delay: (attempt: number) => Duration.Input | undefined): Backoff =>
  make("custom", (attempt) => {
    const value = delay(attempt)
    if (value === undefined) return undefined
    const millis = Problem.toMillis(value) ?? 0
    return Math.min(Limits.delayMillis, Math.round(millis))
  })

/**
 * Turns an Effect `Schedule` into a backoff: the delay after attempt n is the schedule's n-th step.
 *
 * **Details**
 *
 * The schedule is replayed from its start on a virtual time that begins at 0 and advances by its
 * own delays, with a fixed random seed, so the same n always has the same delay. When the schedule
 * ends, there is no further attempt. From step 1,000 on, the delay of step 1,000 is used. A
 * schedule whose first step waits or fails, such as a malformed cron, throws a `DefinitionError`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromSchedule = (schedule: PureSchedule): Backoff => {
  try {
    // A schedule that cannot be replayed is refused here, and not at the first failure.
    replay(schedule, 1)
  } catch {
    const accepted = "a Schedule whose steps neither wait nor fail"
    Problem.throwFirst([Problem.mustBe(subject("schedule"), "schedule", accepted, schedule)])
  }
  let delays: ReadonlyArray<number> | undefined
  return make("schedule", (attempt) => {
    delays ??= replay(schedule, scheduleSteps)
    return delays[Math.min(attempt, scheduleSteps) - 1]
  })
}

type PureSchedule = Schedule.Schedule<unknown, unknown, unknown, never>

const scheduleSteps = 1000

const replay = (schedule: PureSchedule, steps: number) =>
  Effect.runSync(
    Effect.gen(function* () {
      const step = yield* Schedule.toStep(schedule)
      const delays: Array<number> = []
      let now = 0
      while (delays.length < steps) {
        const exit = yield* Effect.exit(step(now, undefined))
        if (Exit.isFailure(exit)) {
          if (Pull.isDoneCause(exit.cause)) return delays
          return yield* Effect.die(Cause.squash(exit.cause))
        }
        const exact = Math.round(Duration.toMillis(exit.value[1]))
        const millis = Math.max(0, Math.min(Limits.delayMillis, exact))
        delays.push(millis)
        now += millis
      }
      return delays
    }).pipe(Random.withSeed("millrace/Backoff")),
  )

/**
 * Lists the delays in milliseconds after the first `count` failed attempts (default 10, at most
 * 100,000), without jitter. The list is shorter where the backoff ends.
 *
 * @category destructors
 * @since 0.1.0
 */
export const preview = (backoff: Backoff, count = 10): ReadonlyArray<number> => {
  const delays: Array<number> = []
  for (let attempt = 1; attempt <= Math.min(count, Limits.maxAttempts); attempt++) {
    const delay = backoff.delayMillis(attempt, 0)
    if (delay === undefined) break
    delays.push(delay)
  }
  return delays
}
