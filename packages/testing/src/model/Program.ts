/**
 * Random programs: commands to a driver as data, which a seed makes and a person can read.
 *
 * @since 0.1.0
 */
import type { Limiting, Outcome, Task, Uniqueness } from "@millrace/core"
import * as Seeded from "./Seeded.ts"

/**
 * A command. Tasks, workers and queues are numbers, so that a program means the same in every store
 * and still means something when other commands are dropped.
 *
 * @category models
 * @since 0.1.0
 */
export type Command =
  | { readonly _tag: "Insert"; readonly tasks: ReadonlyArray<NewTask> }
  | {
    readonly _tag: "Claim"
    readonly worker: number
    readonly lanes: ReadonlyArray<{ readonly queue: number; readonly limit: number }>
    readonly eldest: boolean
  }
  | { readonly _tag: "Settle"; readonly changes: ReadonlyArray<Settle> }
  | { readonly _tag: "Cancel"; readonly tasks: ReadonlyArray<number> }
  | { readonly _tag: "Retry"; readonly tasks: ReadonlyArray<number> }
  /** A lease of 0 ends the session. */
  | {
    readonly _tag: "Beat"
    readonly worker: number
    readonly lease: number
    readonly held: ReadonlyArray<number>
  }
  | {
    readonly _tag: "Limit"
    readonly queue: number
    readonly limits: Limiting.QueueLimits | null
  }
  | { readonly _tag: "Advance"; readonly millis: number }
  | { readonly _tag: "Recover" }
  | { readonly _tag: "Prune"; readonly age: number }
  | {
    readonly _tag: "Find"
    readonly queue: number | undefined
    readonly states: ReadonlyArray<Task.State> | undefined
    readonly limit: number
  }

/**
 * A task to insert.
 *
 * @category models
 * @since 0.1.0
 */
export interface NewTask {
  readonly task: number
  readonly queue: number
  readonly priority: number
  readonly delay: number
  /** This long after the present instant, or before; given as an instant. */
  readonly dueIn: number | undefined
  readonly maxAttempts: number
  readonly maxCrashes: number
  readonly awaited: boolean
  readonly input: string
  readonly unique: Uniqueness.Unique | undefined
  readonly group: string | undefined
}

/**
 * An outcome of the last claim of a task, or of one of those before it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Settle {
  readonly task: number
  /** How many claims ago; 0 is the last. */
  readonly back: number
  readonly outcome: Outcome.Outcome
  readonly elapsed: number | undefined
}

/** How many of each there are, so few that they meet often.
 * @category constants
 * @since 0.1.0 */
export const pool = { tasks: 12, workers: 3, queues: 2 }

// Few and round, so that instants meet at their very edges.
const delays = [0, 0, 0, 1, 500, 1000, 5000]
const inputs = ["1", `""`, "null", `{"a":[1,{"b":"c,d"}]}`, `"it's {NULL} $1 \\\\ 漢字"`, `"x"`]
const states: ReadonlyArray<Task.State> = ["ready", "running", "completed", "failed", "cancelled"]

const keyStates: ReadonlyArray<ReadonlyArray<Task.State>> = [
  ["waiting", "ready"],
  ["waiting", "ready", "running"],
  states,
]

/** Makes the program of a seed.
 * @category constructors
 * @since 0.1.0 */
export const make = (seed: number, length: number): ReadonlyArray<Command> => {
  const random = Seeded.make(seed)
  // Nothing can be claimed without a session.
  const begin = Array.from({ length: pool.workers }, (_, worker): Command => ({
    _tag: "Beat",
    worker,
    lease: 5000,
    held: [],
  }))
  return [...begin, ...Array.from({ length }, () => command(random))].slice(0, length)
}

const some = <A>(random: Seeded.Seeded, most: number, one: () => A): ReadonlyArray<A> =>
  Array.from({ length: 1 + random.below(most) }, one)

const different = (random: Seeded.Seeded, most: number): ReadonlyArray<number> => [
  ...new Set(some(random, most, () => random.below(pool.tasks))),
]

const kinds: ReadonlyArray<Command["_tag"]> = [
  ...["Insert", "Insert", "Insert", "Claim", "Claim", "Claim", "Claim"] as const,
  ...["Settle", "Settle", "Settle", "Settle", "Advance", "Advance", "Advance"] as const,
  ...[
    "Beat",
    "Beat",
    "Beat",
    "Cancel",
    "Retry",
    "Retry",
    "Recover",
    "Prune",
    "Find",
    "Limit",
  ] as const,
]

const command = (random: Seeded.Seeded): Command => {
  const _tag = random.pick(kinds)
  switch (_tag) {
    case "Insert":
      return { _tag, tasks: some(random, 4, () => newTask(random)) }
    case "Claim":
      return {
        _tag,
        worker: random.below(pool.workers),
        lanes: lanes(random),
        eldest: random.oneIn(5),
      }
    case "Settle":
      return { _tag, changes: some(random, 3, () => settle(random)) }
    case "Cancel":
    case "Retry":
      return { _tag, tasks: different(random, 3) }
    case "Beat":
      return {
        _tag,
        worker: random.below(pool.workers),
        lease: random.oneIn(8) ? 0 : random.pick([1000, 5000, 10_000]),
        held: different(random, 4),
      }
    case "Limit":
      return {
        _tag,
        queue: random.below(pool.queues),
        limits: random.oneIn(4) ? null : limits(random),
      }
    case "Advance":
      return { _tag, millis: random.pick([1, 499, 500, 1000, 5000]) }
    case "Recover":
      return { _tag }
    case "Prune":
      return { _tag, age: random.pick([0, 500, 1000, 5000, 20_000]) }
    case "Find":
      return {
        _tag,
        queue: random.oneIn(2) ? undefined : random.below(pool.queues),
        states: random.oneIn(2) ? undefined : [random.pick(states), random.pick(states)],
        limit: random.pick([0, 1, 3, 100]),
      }
  }
}

const newTask = (random: Seeded.Seeded): NewTask => ({
  task: random.below(pool.tasks),
  queue: random.below(pool.queues),
  priority: random.pick([0, 5, 5, 9]),
  delay: random.pick(delays),
  dueIn: random.oneIn(6) ? random.pick([-1000, -1, 0, 1, 1000]) : undefined,
  maxAttempts: 1 + random.below(3),
  maxCrashes: random.below(3),
  awaited: random.oneIn(2),
  input: random.pick(inputs),
  unique: random.oneIn(3) ? unique(random) : undefined,
  group: random.oneIn(3) ? random.pick(["a", "b", "c"]) : undefined,
})

const limits = (random: Seeded.Seeded): Limiting.QueueLimits => {
  const some = <A>(value: () => A): A | undefined => random.oneIn(2) ? value() : undefined
  return {
    concurrency: some(() => 1 + random.below(4)),
    rate: random.oneIn(4) ? rate(random) : undefined,
    maxDepth: random.oneIn(4) ? random.pick([3, 6]) : undefined,
    keys: some(() => ({
      concurrency: 1 + random.below(3),
      rate: random.oneIn(3) ? rate(random) : undefined,
      onFailure: random.oneIn(2) ? "block" : "skip",
      weights: random.oneIn(3) ? { [random.pick(["a", "b"])]: 2 } : undefined,
    })),
  }
}

const rate = (random: Seeded.Seeded): Limiting.Rate => ({
  count: 1 + random.below(3),
  periodMillis: random.pick([500, 1000, 7000]),
  burst: 1 + random.below(3),
})

const unique = (random: Seeded.Seeded): Uniqueness.Unique => ({
  key: random.pick(["a", "b"]),
  states: random.pick(keyStates),
  periodMillis: random.oneIn(3) ? random.pick([500, 5000]) : undefined,
  onClash: random.oneIn(2) ? "ignore" : "replace",
})

const lanes = (random: Seeded.Seeded) => {
  const first = random.below(pool.queues)
  const queues = random.oneIn(2) ? [first] : [first, (first + 1) % pool.queues]
  return queues.map((queue) => ({ queue, limit: 1 + random.below(4) }))
}

const settle = (random: Seeded.Seeded): Settle => ({
  task: random.below(pool.tasks),
  back: random.oneIn(3) ? random.below(3) : 0,
  outcome: outcome(random),
  elapsed: random.oneIn(2) ? undefined : random.pick([0, 1, 250]),
})

const outcome = (random: Seeded.Seeded): Outcome.Outcome => {
  const failure = {
    reason: "Error" as const,
    message: random.pick(["no luck", "", "it's {NULL}"]),
    error: random.oneIn(2) ? undefined : random.pick(inputs),
  }
  const retryDelayMillis = random.oneIn(5) ? undefined : random.pick(delays)
  switch (random.below(7)) {
    case 0:
    case 1:
      return { _tag: "Failed", failure, retryDelayMillis }
    case 2:
      return { _tag: "TimedOut", failure: { ...failure, reason: "TimedOut" }, retryDelayMillis }
    case 3:
      return { _tag: "Snoozed", delayMillis: random.pick(delays) }
    case 4:
      return { _tag: "Discarded", failure: { ...failure, reason: "Discarded" } }
    case 5:
      return { _tag: "Interrupted" }
    default:
      return { _tag: "Completed", output: random.pick(inputs) }
  }
}
