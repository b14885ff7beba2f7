/**
 * One run of a program against two drivers, compared after each command.
 *
 * @since 0.1.0
 */
import { type Driver, RunId, Task, Transition } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Cause, Clock, Effect, Exit } from "effect"
import { TestClock } from "effect/testing"
import { show } from "../conformance/expect.ts"
import { crashing, emptied, everything, settling, Stage } from "../conformance/fixtures.ts"
import * as Normal from "./Normal.ts"
import type { Command, Settle } from "./Program.ts"

type Service = Driver.Driver["Service"]

/**
 * Where two drivers went apart.
 *
 * @category models
 * @since 0.1.0
 */
export interface Difference {
  /** The index of the command. */
  readonly at: number
  readonly what: string
  readonly expected: string
  readonly actual: string
}

/** The names of one trial, and what it remembers: claims of tasks, and sessions of workers. */
interface Memory {
  readonly stage: Stage
  readonly claims: Map<number, Array<Driver.ClaimedTask>>
  readonly sessions: Map<number, { name: number; endsAt: number; forgotten: boolean }>
}

/** Runs a program; `undefined` where the drivers never differ.
 * @category running
 * @since 0.1.0 */
export const run = (
  program: ReadonlyArray<Command>,
  subject: Service,
): Effect.Effect<Difference | undefined> =>
  Effect.gen(function* () {
    const base = yield* RunId.make
    // What a broken driver cannot remove must not hide how it is broken.
    yield* Effect.ignore(emptied(subject))
    return yield* Effect.provide(compare(program, subject, base), TestClock.layer())
  })

const compare = Effect.fnUntraced(function* (
  program: ReadonlyArray<Command>,
  subject: Service,
  base: string,
) {
  const model = yield* MemoryDriver.make
  const memory: Memory = {
    stage: new Stage(model, base),
    claims: new Map(),
    sessions: new Map(),
  }
  for (const [at, command] of program.entries()) {
    const now = yield* Clock.currentTimeMillis
    const ask = asked(memory, command, now)
    if (ask === undefined) {
      if (command._tag === "Advance") yield* TestClock.adjust(command.millis)
      continue
    }
    const expected = yield* answer(ask(model))
    const actual = yield* answer(ask(subject))
    const told = difference(at, "the answers differ", expected, actual, memory)
    if (told !== undefined) return told
    const [left, right] = [
      yield* snapshot(model, memory.stage, now),
      yield* snapshot(subject, memory.stage, now),
    ]
    const found = difference(at, "the tasks differ afterwards", left, right, memory)
    if (found !== undefined) return found
  }
  return undefined
})

const snapshot = (driver: Service, stage: Stage, now: number) =>
  answer(Effect.map(
    driver.find({ flow: flowOf(stage), limit: everything }),
    (found) => found.map((one) => Normal.record(one, now)),
  ))

/** Of each trial its own, so that nothing else in the store is seen. */
const flowOf = (stage: Stage) => stage.queue.replace("q_", "flow_")

/** An answer, or what went wrong instead of it. */
const answer = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<ReadonlyArray<unknown>> =>
  Effect.map(
    Effect.exit(effect),
    Exit.match({
      onSuccess: (value) => Array.isArray(value) ? value : [value],
      onFailure: (cause) => [`it failed: ${Cause.pretty(cause).split("\n")[0]}`],
    }),
  )

const difference = (
  at: number,
  what: string,
  expected: ReadonlyArray<unknown>,
  actual: ReadonlyArray<unknown>,
  memory: Memory,
): Difference | undefined => {
  if (show(expected) === show(actual)) return undefined
  const [left, right] = [facts(expected), facts(actual)]
  const only = (some: ReadonlyArray<string>, others: ReadonlyArray<string>) => {
    const own = some.filter((fact) => !others.includes(fact))
    return named(memory.stage, own).join("\n         ") || "nothing of that"
  }
  return { at, what, expected: only(left, right), actual: only(right, left) }
}

/** The single facts of an answer, such as `task 3 history 0 kind: "failed"`. */
const facts = (value: unknown, path: ReadonlyArray<string> = []): ReadonlyArray<string> => {
  if (typeof value !== "object" || value === null) {
    return value === undefined ? [] : [`${path.join(" ")}: ${show(value)}`]
  }
  return Object.entries(value).flatMap(([key, member]) => {
    const { id = key } = typeof member === "object" && member !== null && "id" in member
      ? member
      : {}
    return facts(member, [...path, String(id)])
  })
}

/** Puts the numbers of a program in place of the names of its trial. */
const named = (stage: Stage, lines: ReadonlyArray<string>) =>
  lines.map((line) =>
    line
      .replaceAll(stage.queue, "queue 0")
      .replaceAll(stage.otherQueue, "queue 1")
      .replaceAll(flowOf(stage), "the flow")
      .replaceAll(
        new RegExp(`${stage.id(0).slice(0, -6)}([0-9a-f]{6})`, "g"),
        (_, digits: string) => `task ${Number.parseInt(digits, 16)}`,
      )
  )

type Ask = (driver: Service) => Effect.Effect<unknown, unknown>

/** What a command asks of each driver. */
const asked = (memory: Memory, command: Command, now: number): Ask | undefined => {
  const { stage } = memory
  const queue = (number: number) => number === 0 ? stage.queue : stage.otherQueue
  switch (command._tag) {
    case "Insert": {
      const tasks = command.tasks.map(({ task, delay, dueIn, ...rest }) =>
        stage.newTask({
          ...{ ...rest, id: stage.id(task), queue: queue(rest.queue) },
          flow: flowOf(stage),
          ...{ delayMillis: delay, dueAt: dueIn === undefined ? undefined : now + dueIn },
        })
      )
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
      const changes = command.changes.map((one) => changeOf(memory, one))
      return (driver) => Effect.map(driver.settle(changes), Normal.settled)
    }
    case "Cancel":
      return decided(memory, command.tasks, { _tag: "CancelRequested", reason: "not needed" })
    case "Retry":
      return decided(memory, command.tasks, { _tag: "RetryRequested" })
    case "Beat":
      return beaten(memory, command, now)
    case "Limit":
      return (driver) => driver.limit(queue(command.queue), command.limits)
    case "Advance":
      return undefined
    case "Recover":
      return recovered(memory, now)
    case "Prune":
      return (driver) => driver.prune({ olderThanMillis: command.age, limit: everything })
    case "Find": {
      const where = command.queue === undefined ? undefined : queue(command.queue)
      const { states, limit } = command
      return (driver) =>
        Effect.map(
          driver.find({ flow: flowOf(stage), queue: where, states, limit }),
          (found) => found.map((one) => Normal.record(one, now)),
        )
    }
  }
}

const remember = (memory: Memory, claim: Driver.Claim) => {
  for (const task of claim.tasks) {
    const number = Number.parseInt(task.id.slice(30), 16)
    const before = memory.claims.get(number) ?? []
    memory.claims.set(number, [...before, task])
  }
}

/** The change of a claim; of a task that was never claimed, one that nobody could have decided. */
const changeOf = (memory: Memory, { task, back, outcome, elapsed }: Settle): Task.Change => {
  const claims = memory.claims.get(task) ?? []
  const held = claims[Math.max(0, claims.length - 1 - back)]
  return settling(held ?? strange(memory.stage.id(task)), outcome, elapsed)
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
  awaited: task.awaited,
})

const decided = (
  { stage }: Memory,
  numbers: ReadonlyArray<number>,
  event: Transition.Event,
): Ask => {
  const ids = numbers.map((number) => stage.id(number))
  return (driver) =>
    decide(
      driver,
      { _tag: "Tasks", ids },
      (tasks) => tasks.flatMap((task) => Transition.transition(task, event) ?? []),
    )
}

const recovered = ({ sessions, stage }: Memory, now: number): Ask => {
  // From here on a driver may have forgotten the expired workers.
  for (const session of sessions.values()) if (session.endsAt <= now) session.forgotten = true
  return (driver) =>
    decide(driver, { _tag: "Expired", limit: everything }, crashing, ({ id }) => stage.owns(id))
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
