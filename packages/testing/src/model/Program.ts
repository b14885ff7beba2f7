/**
 * Random programs: commands that a seed makes.
 *
 * @since 0.1.0
 */
import type { Command, ScheduleCommand } from "./Command.ts"
import * as Drawn from "./Drawn.ts"
import { pool, some } from "./Drawn.ts"
import * as Seeded from "./Seeded.ts"

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

const different = (random: Seeded.Seeded, most: number): ReadonlyArray<number> => [
  ...new Set(some(random, most, () => Drawn.anyTask(random))),
]

const kinds: ReadonlyArray<Command["_tag"]> = [
  ...["Insert", "Insert", "Insert", "Claim", "Claim", "Claim", "Claim"] as const,
  ...["Settle", "Settle", "Settle", "Settle", "Settle", "Advance", "Advance"] as const,
  ...["Beat", "Beat", "Beat", "Cancel", "Retry", "Retry", "Signal"] as const,
  ...["Insert", "Claim", "Settle", "Settle"] as const,
  ...[
    "Recover",
    "Expire",
    "Prune",
    "Find",
    "List",
    "Limit",
    "Discard",
    "Reschedule",
    "Queues",
  ] as const,
  ...["Look", "Look", "Fire", "Fire", "Upsert", "Pause", "Remove"] as const,
]

const command = (random: Seeded.Seeded): Command => {
  const _tag = random.pick(kinds)
  switch (_tag) {
    case "Insert":
      return { _tag, tasks: some(random, 4, () => Drawn.newTask(random)) }
    case "Claim":
      return {
        _tag,
        worker: random.below(pool.workers),
        lanes: Drawn.lanes(random),
        eldest: random.oneIn(5),
      }
    case "Settle":
      return { _tag, changes: some(random, 3, () => Drawn.settle(random)) }
    case "Cancel":
    case "Retry":
    case "Discard":
      return { _tag, tasks: different(random, 3), whole: random.oneIn(2) }
    case "Reschedule":
      return { _tag, tasks: different(random, 3), ...Drawn.when(random) }
    case "Signal":
      return { _tag, tasks: different(random, 2), output: random.pick(Drawn.inputs) }
    case "Beat":
      return beat(random)
    case "Limit":
      return {
        _tag,
        queue: random.below(pool.queues),
        limits: random.oneIn(4) ? null : Drawn.limits(random),
      }
    case "Advance":
      return { _tag, millis: random.oneIn(20) ? 90_000 : random.pick([1, 499, 500, 1000, 5000]) }
    case "Recover":
    case "Queues":
      return { _tag }
    case "Expire":
      return { _tag, limit: random.pick([1, 3, 100]) }
    case "Prune":
      return {
        _tag,
        age: random.pick([0, 500, 1000, 5000, 20_000]),
        runs: Drawn.prunedRuns(random),
      }
    case "Find":
      return find(random)
    case "List":
      return Drawn.list(random)
    default:
      return scheduling(random, _tag)
  }
}

const find = (random: Seeded.Seeded): Command => ({
  _tag: "Find",
  queue: random.oneIn(2) ? undefined : random.below(pool.queues),
  states: random.oneIn(2) ? undefined : [random.pick(Drawn.states), random.pick(Drawn.states)],
  parents: random.oneIn(3) ? different(random, 3) : undefined,
  steps: random.oneIn(3) ? some(random, 2, () => random.pick(Drawn.steps)) : undefined,
  after: random.oneIn(3) ? random.below(pool.tasks) : undefined,
  limit: random.pick([0, 1, 3, 100]),
})

const beat = (random: Seeded.Seeded): Command => ({
  _tag: "Beat",
  worker: random.below(pool.workers),
  lease: random.oneIn(8) ? 0 : random.pick([1000, 5000, 10_000]),
  held: different(random, 4),
})

const scheduling = (random: Seeded.Seeded, _tag: ScheduleCommand["_tag"]): ScheduleCommand => {
  const worker = random.below(pool.workers)
  const schedule = random.below(pool.schedules)
  const saw = random.oneIn(3) ? worker : undefined
  switch (_tag) {
    case "Look":
      return { _tag, worker, due: !random.oneIn(4), limit: random.pick([1, 2, 9]) }
    case "Fire":
      return { _tag, worker }
    case "Upsert":
      return { _tag, schedule, saw, plan: Drawn.plan(random) }
    case "Pause":
      return { _tag, schedule, saw, paused: random.oneIn(2) }
    case "Remove":
      return { _tag, schedule, saw }
  }
}
