/**
 * Programs in words.
 *
 * @since 0.1.0
 */
import type {
  Command,
  List,
  NewTask,
  Place,
  PrunedRuns,
  ScheduleCommand,
  Settle,
} from "./Command.ts"

/** Writes a program, one numbered line per command.
 * @category conversions
 * @since 0.1.0 */
export const program = (commands: ReadonlyArray<Command>): string =>
  commands
    .map((one, index) => `${String(index + 1).padStart(4)}. ${command(one)}`)
    .join("\n")

/** Writes a command.
 * @category conversions
 * @since 0.1.0 */
export const command = (one: Command): string => {
  switch (one._tag) {
    case "Insert":
      return `insert ${one.tasks.map(newTask).join("; ")}`
    case "Claim": {
      const lanes = one.lanes.map(({ queue, limit }) => `${limit} of queue ${queue}`)
      return `worker ${one.worker} claims at most ${lanes.join(" and ")}${
        one.eldest ? ", the eldest" : ""
      }`
    }
    case "Settle":
      return `settle ${one.changes.map(settle).join("; ")}`
    case "Cancel":
      return `cancel ${tasks(one.tasks)}${one.whole ? ", and all below" : ""}`
    case "Retry":
      return `retry ${tasks(one.tasks)}${one.whole ? ", and all below" : ""}`
    case "Discard":
      return `discard ${tasks(one.tasks)}${one.whole ? ", and all below" : ""}`
    case "Reschedule":
      return `reschedule ${tasks(one.tasks)} ${
        one.dueIn === undefined
          ? `by ${one.delay} ms`
          : `to now ${one.dueIn < 0 ? "-" : "+"} ${Math.abs(one.dueIn)} ms`
      }`
    case "Signal":
      return `signal ${one.output} to ${tasks(one.tasks)}`
    case "Beat":
      return one.lease === 0
        ? `worker ${one.worker} ends its session, holding ${tasks(one.held)}`
        : `worker ${one.worker} beats for ${one.lease} ms, holding ${tasks(one.held)}`
    case "Limit":
      return `limit queue ${one.queue} to ${JSON.stringify(one.limits)}`
    case "Advance":
      return `${one.millis} ms pass`
    case "Queues":
      return "look at the queues"
    case "Recover":
      return "recover what expired"
    case "Expire":
      return `end ${one.limit} of what is too late to begin`
    case "Prune":
      return `prune what ended ${one.age} ms ago${one.runs === undefined ? "" : pruned(one.runs)}`
    case "Find":
      return `find ${one.limit} of ${
        one.queue === undefined ? "all queues" : `queue ${one.queue}`
      }, ${one.states === undefined ? "in any state" : one.states.join(" or ")}` +
        (one.parents === undefined ? "" : `, below ${tasks(one.parents)}`) +
        (one.steps === undefined ? "" : `, of step ${one.steps.join(" or ")}`) +
        (one.after === undefined ? "" : `, after task ${one.after}`)
    case "List":
      return list(one)
    default:
      return scheduling(one)
  }
}

const scheduling = (one: ScheduleCommand): string => {
  const seen = "saw" in one && one.saw !== undefined ? `, as worker ${one.saw} saw it` : ""
  switch (one._tag) {
    case "Look":
      return `worker ${one.worker} looks at ${one.limit} ${one.due ? "due " : ""}schedules`
    case "Fire":
      return `worker ${one.worker} enqueues what it saw due`
    case "Upsert": {
      const { jitter, misfires, recurrence, task } = one.plan
      const when = recurrence._tag === "Cron"
        ? recurrence.expression
        : `every ${recurrence.everyMillis} ms + ${recurrence.offsetMillis} ms`
      return `make schedule ${one.schedule} ${when}${seen}, making up for ${misfires}, ` +
        `jitter ${jitter} ms: ${newTask(task)}`
    }
    case "Pause":
      return `${one.paused ? "pause" : "resume"} schedule ${one.schedule}${seen}`
    case "Remove":
      return `remove schedule ${one.schedule}${seen}`
  }
}

const labels = ({ tags, meta }: Pick<List, "tags" | "meta">): ReadonlyArray<string> => [
  ...(tags === undefined ? [] : [`tagged ${tags.join(" and ")}`]),
  ...(meta === undefined ? [] : [`with ${JSON.stringify(meta)}`]),
]

const list = ({ own, descending, limit, from, ...one }: List): string =>
  [
    `list ${limit} ${own ? "own tasks" : "tasks"}`,
    ...(one.queue === undefined ? [] : [`of queue ${one.queue}`]),
    ...(one.states === undefined ? [] : [`in ${one.states.join(" or ")}`]),
    ...(one.group === undefined ? [] : [`of group ${one.group}`]),
    ...(one.key === undefined ? [] : [`with key ${one.key}`]),
    ...labels(one),
    ...(one.since === undefined ? [] : [`stored in the last ${one.since} ms`]),
    ...(one.until === undefined ? [] : [`stored before the last ${one.until} ms`]),
    ...(descending ? ["the last first"] : []),
    ...(from === undefined ? [] : [`from task ${from}`]),
  ].join(", ")

const pruned = ({ states, keep, within }: PrunedRuns): string =>
  [
    ", of runs",
    ...(states === undefined ? [] : [` that are ${states.join(" or ")}`]),
    ...(keep === undefined ? [] : [`, all but the newest ${keep}`]),
    ...(within === undefined ? [] : [`, within ${within} ms before that`]),
  ].join("")

const tasks = (numbers: ReadonlyArray<number>): string =>
  numbers.length === 0 ? "nothing" : numbers.map((number) => `task ${number}`).join(", ")

const newTask = (one: NewTask): string =>
  [
    `task ${one.task} into queue ${one.queue}`,
    `priority ${one.priority}`,
    ...(one.dueIn === undefined
      ? []
      : [`due at now ${one.dueIn < 0 ? "-" : "+"} ${Math.abs(one.dueIn)} ms`]),
    ...(one.delay === 0 ? [] : [`delay ${one.delay} ms`]),
    ...(one.expires === undefined ? [] : [`expires after ${one.expires} ms`]),
    `${one.maxAttempts} attempts`,
    `${one.maxCrashes} crashes`,
    ...(one.awaited ? ["awaited"] : []),
    `input ${one.input}`,
    ...(one.unique === undefined ? [] : [unique(one.unique)]),
    ...(one.group === undefined ? [] : [`group ${one.group}`]),
    ...labels(one),
    ...(one.place === undefined ? [] : [place(one.place)]),
  ].join(", ")

const place = ({ parent, step, onExhausted, undoes, waits, ended }: Place): string =>
  [
    parent === undefined ? "a run" : `step ${step} of task ${parent}, else ${onExhausted}`,
    ...(undoes ? ["to be undone"] : []),
    ...(waits ? ["waiting"] : []),
    ...(ended === undefined ? [] : [`ended as ${JSON.stringify(ended)}`]),
  ].join(", ")

const unique = ({ key, onClash, periodMillis, states }: NonNullable<NewTask["unique"]>): string =>
  `key ${key} while ${states.join(" or ")}` +
  `${periodMillis === undefined ? "" : ` for ${periodMillis} ms`}, else ${onClash}`

const settle = ({ task, back, outcome, elapsed }: Settle): string => {
  const claim = back === 0 ? "" : ` (${back} claims before the last)`
  const ran = elapsed === undefined ? "" : `, after ${elapsed} ms`
  return `task ${task}${claim} as ${outcome._tag}${factsOf(outcome)}${ran}`
}

const factsOf = (outcome: Settle["outcome"]): string => {
  const { _tag, ...rest } = outcome
  if (outcome._tag !== "Advanced") {
    return Object.keys(rest).length === 0 ? "" : ` ${JSON.stringify(rest)}`
  }
  const seen = outcome.missed === 0 ? "" : ` all but ${outcome.missed} wakes seen`
  const starts = outcome.starts.map((one) => `(${newTask(one)})`).join(" and ")
  return `${seen}${starts === "" ? "" : ` starting ${starts}`}`
}
