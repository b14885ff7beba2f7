/**
 * What the commands of a program ask of a driver, and what has to be remembered for that.
 *
 * @since 0.1.0
 */
import { type Driver, type Outcome, type ScheduleStore, Task, Transition } from "@millrace/core"
import { Effect } from "effect"
import { crashing, everything, settling, type Stage } from "../conformance/fixtures.ts"
import type { Command, Settle } from "./Command.ts"
import { pool } from "./Drawn.ts"
import { looking } from "./Looking.ts"
import { newTask, pruneOf, queueOf } from "./Naming.ts"
import * as Normal from "./Normal.ts"
import * as Planning from "./Planning.ts"

type Service = Driver.Driver["Service"]

/**
 * The names of one trial, and what it remembers: the claims of each task, the sessions of the
 * workers, how often each task was woken, and what is known of schedules.
 *
 * @category models
 * @since 0.1.0
 */
export interface Memory {
  readonly stage: Stage
  readonly claims: Map<number, Array<Driver.ClaimedTask>>
  readonly sessions: Map<number, { name: number; endsAt: number; forgotten: boolean }>
  readonly wakes: Map<Task.TaskId, number>
  readonly plans: Planning.Memory
}

/** What is remembered at first.
 * @category constructors
 * @since 0.1.0 */
export const begin = (stage: Stage): Memory => ({
  ...{ stage, claims: new Map(), sessions: new Map(), wakes: new Map() },
  plans: Planning.begin(),
})

/** The ids of all tasks that have a number.
 * @category conversions
 * @since 0.1.0 */
export const idsOf = (memory: Memory): ReadonlyArray<Task.TaskId> =>
  Array.from({ length: pool.tasks + pool.occurred }, (_, number) => idOf(memory, number))

/** The id of the task that has a number now. */
const idOf = ({ plans, stage }: Memory, number: number): Task.TaskId =>
  plans.latest.get(number) ?? stage.id(number)

const numberOf = ({ plans, stage }: Memory, id: Task.TaskId): number | undefined =>
  stage.owns(id) ? Number.parseInt(id.slice(30), 16) : Planning.numberOf(plans, id)

/**
 * What is asked.
 *
 * @category models
 * @since 0.1.0
 */
export type Ask = (
  driver: Service,
  schedules: ScheduleStore.ScheduleStore["Service"],
) => Effect.Effect<unknown, unknown>

/** What a command asks of each driver; `undefined` where it asks nothing.
 * @category conversions
 * @since 0.1.0 */
export const asked = (memory: Memory, command: Command, now: number): Ask | undefined => {
  const { stage } = memory
  const queue = (number: number) => queueOf(stage, number)
  switch (command._tag) {
    case "Insert": {
      const tasks = command.tasks.map((task) => newTask(stage, task, now))
      return (driver) => driver.insert(tasks)
    }
    case "Claim": {
      const { eldest } = command
      const worker = workerOf(memory, command.worker)
      const lanes = command.lanes.map((lane) => ({ ...lane, queue: queue(lane.queue) }))
      return (driver) =>
        Effect.map(driver.claim({ worker, lanes, waits: false, eldest }), (claim) => {
          if (driver === stage.driver) remember(memory, claim)
          return Normal.claim(claim)
        })
    }
    case "Settle": {
      const changes = command.changes.map((one) => changeOf(memory, apart(one, command), now))
      return (driver) => Effect.map(driver.settle(changes), Normal.settled)
    }
    case "Cancel":
    case "Retry":
    case "Discard":
    case "Reschedule":
    case "Signal":
      return decided(memory, command, eventOf(command, now))
    case "Beat":
      return beaten(memory, command, now)
    case "Limit":
      return (driver) => driver.limit(queue(command.queue), command.limits)
    case "Advance":
      return undefined
    case "Recover":
      return recovered(memory, now)
    case "Expire":
      return expired(memory, command.limit)
    case "Prune":
      return (driver) => driver.prune(pruneOf(stage, command))
    case "Find":
    case "List":
    case "Queues":
      return looking(stage, command, now)
    default: {
      const task = command._tag === "Upsert" ? newTask(stage, command.plan.task, now) : undefined
      const ask = Planning.asked(memory.plans, command, now, task, (number) => {
        memory.claims.delete(number)
      })
      return (driver, schedules) => ask(schedules, driver === stage.driver)
    }
  }
}

type ByHand = Extract<Command, { _tag: "Cancel" | "Retry" | "Discard" | "Reschedule" | "Signal" }>

const eventOf = (command: ByHand, now: number): Transition.Event => {
  switch (command._tag) {
    case "Cancel":
      return { _tag: "CancelRequested", reason: "not needed" }
    case "Retry":
      return { _tag: "RetryRequested" }
    case "Discard":
      return { _tag: "DiscardRequested", reason: "no use" }
    case "Reschedule": {
      const dueAt = command.dueIn === undefined ? undefined : now + command.dueIn
      return { _tag: "RescheduleRequested", delayMillis: command.delay, dueAt }
    }
    case "Signal":
      return { _tag: "SignalReceived", output: command.output }
  }
}

const remember = (memory: Memory, claim: Driver.Claim) => {
  for (const task of claim.tasks) {
    const number = numberOf(memory, task.id)
    if (number === undefined) continue
    const before = memory.claims.get(number) ?? []
    memory.claims.set(number, [...before, task])
  }
}

/** What is settled in a batch is not started by it: nobody can hold what is not there. */
const apart = (
  one: Settle,
  { changes }: { readonly changes: ReadonlyArray<Settle> },
): Settle => {
  const { outcome } = one
  if (outcome._tag !== "Advanced") return one
  const starts = outcome.starts.filter(({ task }) => changes.every((other) => other.task !== task))
  return { ...one, outcome: { ...outcome, starts } }
}

/** The change of a claim; of a task that was never claimed, one that nobody could have decided. */
const changeOf = (
  memory: Memory,
  { task, back, outcome, elapsed }: Settle,
  now: number,
): Task.Change => {
  const claims = memory.claims.get(task) ?? []
  const held = claims[Math.max(0, claims.length - 1 - back)] ?? strange(idOf(memory, task))
  return settling(held, outcomeOf(memory, held.id, outcome, now), elapsed)
}

const outcomeOf = (
  { stage, wakes }: Memory,
  id: Task.TaskId,
  outcome: Settle["outcome"],
  now: number,
): Outcome.Outcome => {
  if (outcome._tag !== "Advanced") return outcome
  // None of a schedule is a run that waits.
  if (!stage.owns(id)) return { _tag: "Interrupted" }
  return {
    _tag: "Advanced",
    starts: outcome.starts.map((task) => newTask(stage, task, now)),
    seen: (wakes.get(id) ?? 0) - outcome.missed,
  }
}

/** Takes note of what is stored: a task that was removed may come again, and was never claimed.
 * @category reading
 * @since 0.1.0 */
export const note = (
  memory: Memory,
  runs: ReadonlyArray<Driver.RunProgress>,
): void => {
  const ids = new Set(runs.map(({ id }) => id))
  for (const { id, wakes } of runs) memory.wakes.set(id, wakes)
  for (const number of [...memory.claims.keys()]) {
    if (!ids.has(idOf(memory, number))) memory.claims.delete(number)
  }
}

const strange = (id: Task.TaskId): Task.Task => ({
  ...{ id, state: "running", lease: 1, failures: 0, crashes: 0 },
  ...{ maxAttempts: 2, maxCrashes: 0, awaited: false },
})

/**
 * A decision, with what it saw. Changes are in the order of ids, because the order of locking is
 * the driver's.
 */
const decide = (
  driver: Service,
  target: Driver.Target,
  change: (tasks: ReadonlyArray<Task.Task>) => ReadonlyArray<Task.Change>,
  concerns: (task: Task.Task) => boolean = () => true,
) => {
  let seen: ReadonlyArray<Task.Task> = []
  const answers = driver.transact(target, (tasks) => {
    seen = tasks.filter(concerns).sort((a, b) => (a.id < b.id ? -1 : 1))
    return change(seen)
  })
  return Effect.map(answers, (all) => [...seen.map(plain), ...Normal.settled(all)])
}

const plain = (task: Task.Task): Task.Task => ({
  ...{ id: task.id, state: task.state, lease: task.lease, failures: task.failures },
  ...{ crashes: task.crashes, maxAttempts: task.maxAttempts, maxCrashes: task.maxCrashes },
  ...{ awaited: task.awaited, branch: task.branch, undoes: task.undoes === true },
})

const decided = (
  memory: Memory,
  { tasks, whole = false }: { readonly tasks: ReadonlyArray<number>; readonly whole?: boolean },
  event: Transition.Event,
): Ask => {
  const ids = tasks.map((number) => idOf(memory, number))
  return (driver) =>
    decide(
      driver,
      { _tag: whole ? "Runs" : "Tasks", ids },
      (tasks) => tasks.flatMap((task) => Transition.transition(task, event) ?? []),
    )
}

const expired = ({ stage }: Memory, limit: number): Ask => (driver) =>
  decide(
    driver,
    { _tag: "Overdue", limit: everything },
    (tasks) =>
      tasks.slice(0, limit).flatMap((task) =>
        Transition.transition(task, { _tag: "Expired" }) ?? []
      ),
    ({ id }) => stage.owns(id),
  )

const recovered = ({ plans, sessions, stage }: Memory, now: number): Ask => {
  // From here on a driver may have forgotten the expired workers.
  for (const session of sessions.values()) if (session.endsAt <= now) session.forgotten = true
  const concerns = ({ id }: Task.Task) => stage.owns(id) || plans.occurred.has(id)
  return (driver) => decide(driver, { _tag: "Expired", limit: everything }, crashing, concerns)
}

const beaten = (
  memory: Memory,
  { worker, lease, held }: Extract<Command, { _tag: "Beat" }>,
  now: number,
): Ask => {
  const before = memory.sessions.get(worker)
  if (before?.forgotten) renew(memory, worker)
  const name = workerOf(memory, worker)
  const expired = !before?.forgotten && before !== undefined && before.endsAt <= now
  if (expired) renew(memory, worker)
  else session(memory, worker).endsAt = lease === 0 ? Infinity : now + lease
  const leases = held.flatMap((number) => {
    const last = memory.claims.get(number)?.at(-1)
    return last === undefined ? [] : [{ id: last.id, lease: last.lease }]
  })
  return (driver) =>
    Effect.map(driver.heartbeat({ worker: name, leaseMillis: lease, held: leases }), Normal.pulse)
}

const session = (memory: Memory, worker: number) => {
  const found = memory.sessions.get(worker) ?? { name: 0, endsAt: Infinity, forgotten: false }
  memory.sessions.set(worker, found)
  return found
}

/** A worker whose lease expired takes a new name, as the port asks of it. */
const renew = (memory: Memory, worker: number) => {
  const { name } = session(memory, worker)
  memory.sessions.set(worker, { name: name + 1, endsAt: Infinity, forgotten: false })
}

const workerOf = (memory: Memory, worker: number) =>
  memory.stage.name(`worker${worker}_${session(memory, worker).name}`)
