/**
 * What commands are about, drawn at random: tasks and where they belong, lanes, outcomes.
 *
 * @since 0.1.0
 */
import type { Driver, Limiting, Outcome, Task, Uniqueness } from "@millrace/core"
import type { Advanced, List, NewTask, Place, Plan, PrunedRuns, Settle } from "./Command.ts"
import type * as Seeded from "./Seeded.ts"

/** How many of each there are, so few that they meet often.
 * @category constants
 * @since 0.1.0 */
export const pool = { tasks: 12, occurred: 4, workers: 3, queues: 2, schedules: 3 }

// Few and round, so that instants meet at their very edges.
const delays = [0, 0, 0, 1, 500, 1000, 5000]

/** JSON texts.
 * @category constants
 * @since 0.1.0 */
export const inputs = [
  ...["1", `""`, "null", `{"a":[1,{"b":"c,d"}]}`, `"it's {NULL} $1 \\\\ 漢字"`, `"x"`],
]

/** The states of tasks.
 * @category constants
 * @since 0.1.0 */
export const states: ReadonlyArray<Task.State> = [
  ...["waiting", "ready", "running", "completed", "failed", "cancelled", "skipped"] as const,
]

/** The names of steps.
 * @category constants
 * @since 0.1.0 */
export const steps = ["a", "b"]

const keyStates: ReadonlyArray<ReadonlyArray<Task.State>> = [
  ["waiting", "ready"],
  ["waiting", "ready", "running"],
  ["ready", "running", "completed", "failed", "cancelled"],
]

/** Draws the number of a task that was inserted, or is one of the latest runs of schedules.
 * @category constructors
 * @since 0.1.0 */
export const anyTask = (random: Seeded.Seeded): number => random.below(pool.tasks + pool.occurred)

/** Draws one or some.
 * @category constructors
 * @since 0.1.0 */
export const some = <A>(random: Seeded.Seeded, most: number, one: () => A): ReadonlyArray<A> =>
  Array.from({ length: 1 + random.below(most) }, one)

/** Draws a task, mostly one of a flow.
 * @category constructors
 * @since 0.1.0 */
export const newTask = (random: Seeded.Seeded): NewTask => {
  const task = random.below(pool.tasks)
  const drawn = placed(random, task, random.oneIn(3) ? undefined : place(random, task))
  const { parent, ended, waits } = drawn.place ?? {}
  // Only whole runs have keys, and those of flows begin with their own task alone.
  return parent === undefined && ended === undefined && waits !== true && random.oneIn(3)
    ? { ...drawn, unique: unique(random) }
    : drawn
}

const placed = (random: Seeded.Seeded, task: number, place: Place | undefined): NewTask => ({
  task,
  queue: random.below(pool.queues),
  priority: random.pick([0, 5, 5, 9]),
  ...when(random),
  expires: random.oneIn(4) ? random.pick([1, 500, 1000, 5000]) : undefined,
  maxAttempts: 1 + random.below(3),
  maxCrashes: random.below(3),
  awaited: random.oneIn(2),
  input: random.pick(inputs),
  unique: undefined,
  // Steps have no groups.
  group: place?.parent === undefined && random.oneIn(3) ? random.pick(["a", "b", "c"]) : undefined,
  ...labels(random, 5),
  place,
})

/** Draws when a task is due.
 * @category constructors
 * @since 0.1.0 */
export const when = (random: Seeded.Seeded) => ({
  delay: random.pick(delays),
  dueIn: random.oneIn(6) ? random.pick([-1000, -1, 0, 1, 1000]) : undefined,
})

const labels = (random: Seeded.Seeded, rarity: number) => ({
  tags: random.oneIn(rarity) ? some(random, 2, () => random.pick(["x", "y"])) : undefined,
  meta: random.oneIn(rarity) ? { [random.pick(["x", "y"])]: random.pick(["", "x"]) } : undefined,
})

/** A place in a flow: the smallest numbers are mostly runs, and no run is below itself. */
const place = (random: Seeded.Seeded, task: number): Place => ({
  parent: task === 0 || random.oneIn(5)
    ? undefined
    : random.below(random.oneIn(3) ? task : Math.min(task, 3)),
  step: random.pick(steps),
  onExhausted: random.pick(["fail", "fail", "skip", "collect"]),
  undoes: random.oneIn(4),
  waits: random.oneIn(3),
  ended: random.oneIn(5) ? ended(random) : undefined,
})

const ended = (random: Seeded.Seeded): Driver.Ended =>
  random.oneIn(2) ? { state: "completed", output: random.pick(inputs) } : {
    state: "skipped",
    failure: { reason: "ConditionUnmet", message: "it's {NULL}" },
  }

const unique = (random: Seeded.Seeded): Uniqueness.Unique => ({
  key: random.pick(["a", "b"]),
  states: random.pick(keyStates),
  periodMillis: random.oneIn(3) ? random.pick([500, 5000]) : undefined,
  onClash: random.oneIn(2) ? "ignore" : "replace",
})

/** Draws the limits of a queue.
 * @category constructors
 * @since 0.1.0 */
export const limits = (random: Seeded.Seeded): Limiting.QueueLimits => {
  const some = <A>(value: () => A): A | undefined => random.oneIn(2) ? value() : undefined
  return {
    paused: random.oneIn(8) ? random.oneIn(3) : undefined,
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

/** Draws what a schedule is to be. Times are a few seconds apart, as those that pass are.
 * @category constructors
 * @since 0.1.0 */
export const plan = (random: Seeded.Seeded): Plan => ({
  recurrence: random.oneIn(3)
    ? {
      ...{ _tag: "Cron", expression: random.pick(["*/4 * * * * *", "* * * * *"]) },
      ...{ timeZone: "UTC", gap: "move", overlap: "both" },
    }
    : {
      ...{ _tag: "Every", everyMillis: random.pick([3000, 5000, 60_000]) },
      offsetMillis: random.pick([0, 1, 500]),
    },
  misfires: random.below(4),
  jitter: random.oneIn(3) ? 2000 : 0,
  task: {
    ...placed(random, 0, undefined),
    ...{ dueIn: undefined, awaited: false },
    unique: random.oneIn(3) ? unique(random) : undefined,
  },
})

/** Draws what a claim asks for.
 * @category constructors
 * @since 0.1.0 */
export const lanes = (random: Seeded.Seeded) => {
  const first = random.below(pool.queues)
  const queues = random.oneIn(2) ? [first] : [first, (first + 1) % pool.queues]
  return queues.map((queue) => ({ queue, limit: 1 + random.below(4) }))
}

/** Draws which runs are pruned; mostly all that is old enough.
 * @category constructors
 * @since 0.1.0 */
export const prunedRuns = (random: Seeded.Seeded): PrunedRuns | undefined =>
  random.oneIn(2) ? undefined : {
    states: random.oneIn(2) ? undefined : [random.pick(states), random.pick(states)],
    keep: random.oneIn(2) ? undefined : random.below(4),
    within: random.oneIn(3) ? random.pick([1, 1000, 20_000]) : undefined,
  }

/** Draws how an attempt ended.
 * @category constructors
 * @since 0.1.0 */
export const settle = (random: Seeded.Seeded): Settle => ({
  task: anyTask(random),
  back: random.oneIn(3) ? random.below(3) : 0,
  outcome: outcome(random),
  elapsed: random.oneIn(2) ? undefined : random.pick([0, 1, 250]),
})

const outcome = (random: Seeded.Seeded): Settle["outcome"] => {
  const failure: Outcome.Failure = {
    reason: "Error",
    message: random.pick(["no luck", "", "it's {NULL}"]),
    error: random.oneIn(2) ? undefined : random.pick(inputs),
  }
  const retryDelayMillis = random.oneIn(5) ? undefined : random.pick(delays)
  switch (random.below(12)) {
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
    case 6:
    case 7:
      return advanced(random)
    case 8:
      return random.oneIn(2) ? { _tag: "Unwinding", failure } : { _tag: "Cancelled", failure }
    case 9:
      return { _tag: "Expired" }
    default:
      return { _tag: "Completed", output: random.pick(inputs) }
  }
}

const advanced = (random: Seeded.Seeded): Advanced => ({
  _tag: "Advanced",
  starts: Array.from({ length: random.below(4) }, () => {
    const task = random.below(pool.tasks)
    return placed(random, task, place(random, task))
  }),
  missed: random.pick([0, 0, 0, 1, 2]),
})

/** Draws what is looked for.
 * @category constructors
 * @since 0.1.0 */
export const list = (random: Seeded.Seeded): List => {
  const maybe = <A>(one: number, value: () => A) => random.oneIn(one) ? value() : undefined
  return {
    _tag: "List",
    queue: maybe(3, () => random.below(pool.queues)),
    states: maybe(2, () => some(random, 3, () => random.pick(states))),
    own: random.oneIn(2),
    group: maybe(6, () => random.pick(["a", "b", "c"])),
    key: maybe(6, () => random.pick(["a", "b"])),
    ...labels(random, 4),
    since: maybe(6, () => random.pick([0, 500, 5000])),
    until: maybe(6, () => random.pick([0, 500, 5000])),
    descending: random.oneIn(2),
    from: maybe(3, () => random.below(pool.tasks)),
    limit: random.pick([1, 3, 100]),
  }
}
