/**
 * Shrinking of programs: dropping commands, and parts of commands, for as long as the rest still
 * fails.
 *
 * @since 0.1.0
 */
import { Clock, Effect } from "effect"
import { show } from "../conformance/expect.ts"
import type { Command, List, NewTask, Plan, PrunedRuns, Settle } from "./Command.ts"
import type { Difference } from "./Trial.ts"

/**
 * A program that fails, and how.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failing {
  readonly program: ReadonlyArray<Command>
  readonly difference: Difference
}

type Try<E> = (
  program: ReadonlyArray<Command>,
) => Effect.Effect<Difference | undefined, E>

/**
 * How many programs are tried to shrink one, and for how long.
 *
 * @category constants
 * @since 0.1.0
 */
export const budget = { trials: 500, millis: 20_000 }

/** Makes a failing program smaller.
 * @category running
 * @since 0.1.0 */
export const shrink = Effect.fnUntraced(function* <E>(failing: Failing, attempt: Try<E>) {
  const start = yield* Clock.currentTimeMillis
  let trials = 0
  let best = cut(failing)
  const smaller = Effect.fnUntraced(function* (program: ReadonlyArray<Command>) {
    const spent = (yield* Clock.currentTimeMillis) - start
    if (++trials > budget.trials || spent > budget.millis) return false
    const difference = yield* attempt(program)
    if (difference === undefined) return false
    best = cut({ program, difference })
    return true
  })
  for (let size = Math.ceil(best.program.length / 2); size >= 1; size = Math.floor(size / 2)) {
    let from = 0
    while (from < best.program.length) {
      const rest = best.program.toSpliced(from, size)
      if (!(yield* smaller(rest))) from += size
    }
  }
  for (let at = 0; at + 1 < best.program.length; at++) {
    let both = together(best.program, at)
    while (both !== undefined && (yield* smaller(both))) both = together(best.program, at)
  }
  for (let at = 0; at < best.program.length; at++) {
    let parts = without(best.program[at]!)
    while (parts.length > 0) {
      const [part, ...others] = parts
      const program = best.program.with(at, part!)
      parts = (yield* smaller(program)) ? without(part!) : others
      if (at >= best.program.length) break
    }
  }
  return best
})

/** What comes after the difference does not matter. */
const cut = ({ program, difference }: Failing): Failing => ({
  program: program.slice(0, difference.at + 1),
  difference,
})

/** The program with one passing of time where there are two, one after the other. */
const together = (
  program: ReadonlyArray<Command>,
  at: number,
): ReadonlyArray<Command> | undefined => {
  const [first, second] = program.slice(at, at + 2)
  if (first?._tag !== "Advance" || second?._tag !== "Advance") return undefined
  return program.toSpliced(at, 2, { _tag: "Advance", millis: first.millis + second.millis })
}

/** The commands that do the same with one thing less, or with one thing plainer. */
const without = (command: Command): ReadonlyArray<Command> => {
  switch (command._tag) {
    case "Insert":
      return plainerTasks(command.tasks).map((tasks) => ({ ...command, tasks }))
    case "Claim":
      return less(command.lanes).map((lanes) => ({ ...command, lanes }))
    case "Settle":
      return [
        ...less(command.changes),
        ...each(command.changes, { back: 0 }),
        ...each(command.changes, { elapsed: undefined }),
        ...each(command.changes, { outcome: { _tag: "Completed", output: "null" } }),
        ...fewer(command.changes),
      ].map((changes) => ({ ...command, changes }))
    case "Limit": {
      const { limits } = command
      return limits === null ? [] : Object.keys(limits)
        .filter((name) => limits[name as keyof typeof limits] !== undefined)
        .map((name) => ({ ...command, limits: { ...limits, [name]: undefined } }))
    }
    case "Cancel":
    case "Retry":
    case "Discard":
      return [
        ...less(command.tasks).map((tasks) => ({ ...command, tasks })),
        ...(command.whole ? [{ ...command, whole: false }] : []),
      ]
    case "Signal":
    case "Reschedule":
      return less(command.tasks).map((tasks) => ({ ...command, tasks }))
    case "Find":
      return [{ queue: undefined }, { states: undefined }, { parents: undefined }, {
        steps: undefined,
      }, { after: undefined }]
        .map((plain) => ({ ...command, ...plain }))
        .filter((plain) => show(plain) !== show(command))
    case "List":
      return wider(command)
    case "Prune":
      return command.runs === undefined ? [] : [undefined, ...plainerRuns(command.runs)]
        .map((runs) => ({ ...command, runs }))
    case "Beat":
      return command.held.map((_, index) => ({
        ...command,
        held: command.held.toSpliced(index, 1),
      }))
    case "Upsert":
      return plainerPlans(command.plan).map((plan) => ({ ...command, plan }))
    case "Pause":
    case "Remove":
      return command.saw === undefined ? [] : [{ ...command, saw: undefined }]
    default:
      return []
  }
}

const wider = (list: List): ReadonlyArray<List> =>
  (["queue", "states", "group", "key", "tags", "meta", "since", "until", "from"] as const)
    .flatMap((name) => list[name] === undefined ? [] : [{ ...list, [name]: undefined }])
    .concat(list.own ? [{ ...list, own: false }] : [])

const plainerRuns = (runs: PrunedRuns): ReadonlyArray<PrunedRuns> =>
  each([runs], { states: undefined })
    .concat(each([runs], { keep: undefined }), each([runs], { within: undefined }))
    .flat()

const plainerTasks = (tasks: ReadonlyArray<NewTask>) => [
  ...less(tasks),
  ...each(tasks, { priority: 5, delay: 0, dueIn: undefined }),
  ...each(tasks, { dueIn: undefined }),
  ...each(tasks, { delay: 0 }),
  ...each(tasks, { priority: 5 }),
  ...each(tasks, { maxAttempts: 1 }),
  ...each(tasks, { maxCrashes: 0 }),
  ...each(tasks, { awaited: false }),
  ...each(tasks, { input: "null" }),
  ...each(tasks, { expires: undefined }),
  ...each(tasks, { unique: undefined }),
  ...each(tasks, { group: undefined }),
  ...each(tasks, { tags: undefined }),
  ...each(tasks, { meta: undefined }),
  ...each(tasks, { place: undefined }),
  ...plainer(tasks),
]

const plainerPlans = (plan: Plan): ReadonlyArray<Plan> =>
  [
    ...[{ misfires: 0 }, { jitter: 0 }].flatMap((plain) => each([plan], plain)),
    ...[{ unique: undefined }, { group: undefined }, { delay: 0 }]
      .flatMap((plain) => each([plan.task], plain)).map(([task]) => [{ ...plan, task: task! }]),
  ].map(([plan]) => plan!)

/** The lists with one place made plainer. */
const plainer = (tasks: ReadonlyArray<NewTask>): ReadonlyArray<ReadonlyArray<NewTask>> =>
  tasks.flatMap((task, index) =>
    task.place === undefined ? [] : each([task.place], { ended: undefined })
      .concat(each([task.place], { waits: false }))
      .concat(each([task.place], { undoes: false }))
      .concat(each([task.place], { onExhausted: "fail" }))
      .concat(each([task.place], { step: "a" }))
      .map(([place]) => tasks.with(index, { ...task, place }))
  )

/** The lists with one change that starts fewer or plainer tasks. */
const fewer = (changes: ReadonlyArray<Settle>): ReadonlyArray<ReadonlyArray<Settle>> =>
  changes.flatMap((change, index) => {
    const { outcome } = change
    if (outcome._tag !== "Advanced") return []
    const { starts } = outcome
    return [...starts.map((_, at) => starts.toSpliced(at, 1)), ...plainer(starts)]
      .map((some) => changes.with(index, { ...change, outcome: { ...outcome, starts: some } }))
  })

const less = <A>(all: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  all.length < 2 ? [] : all.map((_, index) => all.toSpliced(index, 1))

/** The lists with one element made plainer, where it is not plain already. */
const each = <A extends object>(
  all: ReadonlyArray<A>,
  plain: Partial<A>,
): ReadonlyArray<ReadonlyArray<A>> =>
  all.flatMap((one, index) => {
    const next = { ...one, ...plain }
    return show(next) === show(one) ? [] : [all.with(index, next)]
  })
