import type { Driver, Outcome, Task } from "@millrace/core"
import { Transition } from "@millrace/core"
import { assert, assertEquals } from "@std/assert"
import { describe, it } from "node:test"

const { transition } = Transition

/*
 * The oracle: what each event makes of a task, as data. A row reads
 *
 *   state | event | lease | budget | entry | destination | counts | by
 *
 * The entry of an attempt has the task's lease and the attempt's number; what is done by hand
 * to a task that does not run has the next lease and no number; what nobody has begun has no number
 * either. Where the destination is "spent",
 * the task's policy says which state that is. An event "of one that undoes" is the same event for
 * the own task of a run whose flow has steps to undo. Where no row fits, nothing happens.
 */
const oracle = `
  running   | Completed       | held | any        | completed   | completed   | kept    | attempt
  running   | Failed, retry   | held | more tries | failed      | ready, 7000 | failure | attempt
  running   | Failed, retry   | held | last try   | failed      | spent       | failure | attempt
  running   | Failed, final   | held | any        | failed      | spent       | failure | attempt
  running   | TimedOut, retry | held | more tries | timed_out   | ready, 7000 | failure | attempt
  running   | TimedOut, retry | held | last try   | timed_out   | spent       | failure | attempt
  running   | TimedOut, final | held | any        | timed_out   | spent       | failure | attempt
  running   | Snoozed         | held | any        | snoozed     | ready, 9000 | kept    | attempt
  running   | Discarded       | held | any        | discarded   | spent       | kept    | attempt
  running   | Interrupted     | held | any        | interrupted | ready, 0    | kept    | attempt
  running   | Advanced        | held | any        | advanced    | waiting, 4  | cleared | attempt
  running   | Unwinding       | held | any        | unwinding   | ready, 0    | kept    | attempt
  running   | Cancelled       | held | any        | cancelled   | cancelled   | kept    | attempt
  running   | ran out         | held | any        | cancelled   | cancelled   | kept    | nobody
  ready     | Expired         | none | any        | cancelled   | cancelled   | kept    | hand
  running   | LeaseExpired    | held | crash left | crashed     | ready, 0    | crash   | attempt
  running   | LeaseExpired    | held | last crash | crashed     | spent       | crash   | attempt
  waiting   | CancelRequested | none | any        | cancelled   | cancelled   | kept    | hand
  ready     | CancelRequested | none | any        | cancelled   | cancelled   | kept    | hand
  running   | CancelRequested | none | any        | cancelled   | cancelled   | kept    | attempt
  waiting   | CancelRequested, of one that undoes | none | any | unwinding | ready, 0 | kept | hand
  ready     | CancelRequested, of one that undoes | none | any | unwinding | ready, 0 | kept | hand
  running   | CancelRequested, of one that undoes | none | any | unwinding | ready, 0 | kept | attempt
  waiting   | DiscardRequested | none | any       | discarded   | spent       | kept    | hand
  ready     | DiscardRequested | none | any       | discarded   | spent       | kept    | hand
  running   | DiscardRequested | none | any       | discarded   | spent       | kept    | attempt
  waiting   | DiscardRequested, of one that undoes | none | any | unwinding | ready, 0 | kept | hand
  ready     | DiscardRequested, of one that undoes | none | any | unwinding | ready, 0 | kept | hand
  running   | DiscardRequested, of one that undoes | none | any | unwinding | ready, 0 | kept | attempt
  ready     | RescheduleRequested     | none | any | rescheduled | ready, 3000 | kept | hand
  ready     | RescheduleRequested, at | none | any | rescheduled | ready, 0, 8 | kept | hand
  failed    | RetryRequested  | none | any        | retried     | ready, 0    | cleared | hand
  cancelled | RetryRequested  | none | any        | retried     | ready, 0    | cleared | hand
  ready     | SignalReceived  | none | any        | completed   | completed   | kept    | hand
`.trim().split("\n").map((line) => {
  const [state, event, lease, budget, kind, to, counts, by] = line.split("|")
    .map((cell) => cell.trim())
  return { state, event, lease, budget, kind, to, counts, by }
})

/** What the run of a step is told, by the task's policy and the state that it comes to. */
const told = `
  policy  | spent is | completed | failed  | cancelled | skipped
  none    | failed   | -         | -       | -         | -
  fail    | failed   | at last   | at once | at once   | -
  skip    | skipped  | at last   | -       | at once   | at last
  collect | failed   | at last   | at last | at once   | -
`.trim().split("\n").map((line) => line.split("|").map((cell) => cell.trim()))

const toldOf = (policy: string, state: string): string => {
  const row = told.find(([name]) => name === policy)!
  return row[told[0]!.indexOf(state)]!
}

const states: ReadonlyArray<Task.State> = [
  "waiting",
  "ready",
  "running",
  "completed",
  "failed",
  "cancelled",
  "skipped",
]

const newTask = (more: Partial<Driver.NewTask>): Driver.NewTask => ({
  ...{ id: "a task", runId: "a run", flowType: "flow", flow: "order", step: "pack", index: 0 },
  ...{ queue: "order", priority: 5, input: "{}", maxAttempts: 1, maxCrashes: 3, delayMillis: 0 },
  ...{ awaited: false, ...more },
})

const broken: Outcome.Failure = { reason: "Error", message: "broken", error: `"oops"` }
const late: Outcome.Failure = { reason: "TimedOut", message: "late" }

const outcomes: Readonly<Record<string, Outcome.Outcome>> = {
  "Completed": { _tag: "Completed", output: "0" },
  "Failed, retry": { _tag: "Failed", failure: broken, retryDelayMillis: 7000 },
  "Failed, final": { _tag: "Failed", failure: broken, retryDelayMillis: undefined },
  "TimedOut, retry": { _tag: "TimedOut", failure: late, retryDelayMillis: 7000 },
  "TimedOut, final": { _tag: "TimedOut", failure: late, retryDelayMillis: undefined },
  "Snoozed": { _tag: "Snoozed", delayMillis: 9000 },
  "Discarded": { _tag: "Discarded", failure: broken },
  "Interrupted": { _tag: "Interrupted" },
  "Advanced": { _tag: "Advanced", starts: [newTask({ id: "started" })], seen: 4 },
  "Unwinding": { _tag: "Unwinding", failure: broken },
  "Cancelled": { _tag: "Cancelled", failure: broken },
  "ran out": { _tag: "Expired" },
}

const tooLate = { reason: "Expired", message: "It could not begin before it expired" } as const

/** What the entry of an event carries besides its kind, lease and attempt. */
const payloads: Readonly<Record<string, Partial<Task.Entry>>> = {
  "Completed": { output: "0" },
  "Failed, retry": { failure: broken },
  "Failed, final": { failure: broken },
  "TimedOut, retry": { failure: late },
  "TimedOut, final": { failure: late },
  "Discarded": { failure: broken },
  "Unwinding": { failure: broken },
  "Cancelled": { failure: broken },
  "CancelRequested": { failure: { reason: "Cancelled", message: "not wanted" } },
  "CancelRequested, of one that undoes": {
    failure: { reason: "Cancelled", message: "not wanted" },
  },
  "DiscardRequested": { failure: { reason: "Discarded", message: "no use" } },
  "DiscardRequested, of one that undoes": {
    failure: { reason: "Discarded", message: "no use" },
  },
  "SignalReceived": { output: "[1]" },
  "Expired": { failure: tooLate },
  "ran out": { failure: tooLate },
}

const held = 7
const leases = { held, older: 6, newer: 8 }

const events: ReadonlyArray<{ name: string; lease: string; event: Transition.Event }> = [
  ...Object.entries(leases).flatMap(([lease, number]) => [
    ...Object.entries(outcomes).map(([name, outcome]) => ({
      name,
      lease,
      event: { _tag: "AttemptEnded" as const, lease: number, outcome, elapsedMillis: 12 },
    })),
    { name: "LeaseExpired", lease, event: { _tag: "LeaseExpired" as const, lease: number } },
  ]),
  {
    name: "CancelRequested",
    lease: "none",
    event: { _tag: "CancelRequested", reason: "not wanted" },
  },
  {
    name: "DiscardRequested",
    lease: "none",
    event: { _tag: "DiscardRequested", reason: "no use" },
  },
  {
    name: "RescheduleRequested",
    lease: "none",
    event: { _tag: "RescheduleRequested", delayMillis: 3000 },
  },
  {
    name: "RescheduleRequested, at",
    lease: "none",
    event: { _tag: "RescheduleRequested", delayMillis: 0, dueAt: 8 },
  },
  { name: "Expired", lease: "none", event: { _tag: "Expired" } },
  { name: "RetryRequested", lease: "none", event: { _tag: "RetryRequested" } },
  { name: "SignalReceived", lease: "none", event: { _tag: "SignalReceived", output: "[1]" } },
]

const attemptBudgets = [
  { failures: 0, maxAttempts: 1, budget: "last try" },
  { failures: 0, maxAttempts: 2, budget: "more tries" },
  { failures: 1, maxAttempts: 3, budget: "more tries" },
  { failures: 2, maxAttempts: 3, budget: "last try" },
  // As where a newer definition allows fewer.
  { failures: 5, maxAttempts: 3, budget: "last try" },
]

const crashBudgets = [
  { crashes: 0, maxCrashes: 0, budget: "last crash" },
  { crashes: 0, maxCrashes: 1, budget: "crash left" },
  { crashes: 1, maxCrashes: 1, budget: "last crash" },
  { crashes: 2, maxCrashes: 3, budget: "crash left" },
]

/** The places that a task can have: that of a job, and of a step with each policy. */
const places = (["none", "fail", "skip", "collect"] as const).flatMap((policy) =>
  [undefined, true].map((undoes) => ({
    policy,
    place: {
      ...(policy === "none"
        ? {}
        : { branch: { parent: "a run", step: "pack", onExhausted: policy } }),
      ...(undoes === undefined ? {} : { undoes }),
    },
  }))
)

const situations = attemptBudgets.flatMap(({ budget: attempts, ...a }) =>
  crashBudgets.flatMap(({ budget: crashes, ...c }) =>
    [true, false].flatMap((awaited) =>
      places.map(({ policy, place }) => ({
        budgets: ["any", attempts, crashes],
        policy,
        task: { id: "a task", lease: held, awaited, ...a, ...c, ...place },
      }))
    )
  )
)

type Row = (typeof oracle)[number]

const destinationOf = (row: Row, policy: string): Task.Destination => {
  const [state, number, dueAt] = row.to!.split(", ")
  if (state === "spent") return { state: toldOf(policy, "spent is") as Task.TerminalState }
  return (number === undefined ? { state } : {
    state,
    [state === "waiting" ? "seen" : "delayMillis"]: Number(number),
    ...(dueAt === undefined ? {} : { dueAt: Number(dueAt) }),
  }) as Task.Destination
}

const isEnd = (state: Task.State): state is Task.TerminalState =>
  ["completed", "failed", "cancelled", "skipped"].includes(state)

const reportOf = (task: Task.Task, policy: string, to: Task.State): Partial<Task.Change> => {
  const leaves = isEnd(task.state) ? task.state : undefined
  const enters = isEnd(to) ? to : undefined
  if (policy === "none" || (leaves === undefined && enters === undefined)) return {}
  const how = enters === undefined ? "at last" : toldOf(policy, enters)
  assert(how !== "-", `a task with the policy "${policy}" came to "${to}"`)
  return { report: { parent: "a run", step: "pack", leaves, enters, wakes: how === "at once" } }
}

const expected = (row: Row, task: Task.Task, policy: string): Task.Change => {
  const to = destinationOf(row, policy)
  const counts: Readonly<Record<string, readonly [failures: number, crashes: number]>> = {
    kept: [task.failures, task.crashes],
    failure: [task.failures + 1, task.crashes],
    crash: [task.failures, task.crashes + 1],
    cleared: [0, 0],
  }
  const ran = row.event! in outcomes
  const crash = `Its worker was lost (crash ${task.crashes + 1})`
  return {
    taskId: "a task",
    from: task.state,
    lease: held,
    entry: {
      kind: row.kind as Task.EntryKind,
      lease: row.by === "hand" ? held + 1 : held,
      attempt: row.by === "attempt" ? task.failures + 1 : undefined,
      ...(ran && row.by === "attempt" ? { elapsedMillis: 12 } : {}),
      ...(row.kind === "crashed" ? { failure: { reason: "Crashed", message: crash } } : {}),
      ...payloads[row.event!],
    },
    to,
    failures: counts[row.counts!]![0],
    crashes: counts[row.counts!]![1],
    awaited: task.awaited,
    ...(row.event === "Advanced" ? { starts: [newTask({ id: "started" })] } : {}),
    ...reportOf(task, policy, to.state),
  }
}

describe("transition", () => {
  const used = new Set<Row>()

  for (const state of states) {
    for (const { name, lease, event } of events) {
      it(`of a task that is ${state}: ${name}, lease ${lease}`, () => {
        for (const { budgets, policy, task } of situations) {
          const stops = name === "CancelRequested" || name === "DiscardRequested"
          const undoing = stops && "undoes" in task
          const called = undoing ? `${name}, of one that undoes` : name
          const fitting = oracle.filter((row) =>
            row.state === state && row.event === called && row.lease === lease &&
            budgets.includes(row.budget!)
          )
          for (const row of fitting) used.add(row)
          assert(fitting.length <= 1, "two rows of the oracle fit")
          const before: Task.Task = { ...task, state }
          assertEquals(
            transition(before, event),
            fitting[0] && expected(fitting[0], before, policy),
            JSON.stringify({ before, event }),
          )
          assertEquals(before, { ...task, state }, "the task was changed in place")
        }
      })
    }
  }

  it("met every row of the oracle", () => {
    assertEquals(oracle.filter((row) => !used.has(row)), [])
  })
})

/** A small seeded generator (mulberry32), the same on every runtime. */
const generator = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
}

interface Step {
  readonly before: Task.Task
  readonly event: Transition.Event
  readonly change: Task.Change | undefined
}

/** A life of a task: claims and random events, many of them with a lease that it does not have. */
const life = (seed: number, length: number): ReadonlyArray<Step> => {
  const random = generator(seed)
  const pick = <A>(all: ReadonlyArray<A>): A => all[Math.floor(random() * all.length)]!
  const steps: Array<Step> = []
  let task: Task.Task = {
    id: "a task",
    state: "ready",
    lease: 0,
    failures: 0,
    crashes: 0,
    maxAttempts: 1 + Math.floor(random() * 4),
    maxCrashes: Math.floor(random() * 3),
    awaited: random() < 0.5,
    ...pick(places).place,
  }
  for (let count = 0; count < length; count++) {
    if (task.state === "waiting" && random() < 0.7) task = { ...task, state: "ready" }
    if (task.state === "ready" && random() < 0.7) {
      task = { ...task, state: "running", lease: task.lease + 1 }
    }
    const { event } = pick(events)
    const lease = task.lease + pick([0, 0, 0, -1, 1, -task.lease])
    const aimed = "lease" in event ? { ...event, lease } : event
    const change = transition(task, aimed)
    steps.push({ before: task, event: aimed, change })
    if (change === undefined) continue
    const { failures, crashes, entry, to } = change
    task = { ...task, state: to.state, lease: entry.lease, failures, crashes }
  }
  return steps
}

describe("whatever happens to a task", () => {
  const lives = Array.from({ length: 3000 }, (_, seed) => life(seed, 60))
  const all = lives.flat()
  const applied = all.flatMap((step) =>
    step.change === undefined ? [] : [{ ...step, change: step.change }]
  )

  it("was tried in every state that its own events lead to", () => {
    const reached = new Set(all.map(({ before }) => before.state))
    assertEquals([...reached].sort(), [...states].sort())
    assert(applied.length > 10_000)
  })

  it("a terminal state is final, but for failed and cancelled under a retry by hand", () => {
    for (const { before, event, change } of applied) {
      if (!["completed", "failed", "cancelled", "skipped"].includes(before.state)) continue
      assertEquals(event._tag, "RetryRequested")
      assert(before.state === "failed" || before.state === "cancelled")
      assertEquals(change.to, { state: "ready", delayMillis: 0 })
    }
  })

  it("failures never exceed maxAttempts, and with the last one the task fails", () => {
    for (const { before, change } of applied) {
      assert(change.failures <= before.maxAttempts)
      if (change.failures === before.maxAttempts && change.to.state === "ready") {
        throw new Error(`ready with a spent budget: ${JSON.stringify(change)}`)
      }
    }
  })

  it("crashes never exceed maxCrashes + 1, and with the last one the task fails", () => {
    for (const { before, change } of applied) {
      assert(change.crashes <= before.maxCrashes + 1)
      if (change.crashes === before.maxCrashes + 1) assert(change.to.state !== "ready")
    }
  })

  it("the leases of a task's entries grow strictly", () => {
    for (const steps of lives) {
      const numbers = steps.flatMap(({ change }) => change?.entry.lease ?? [])
      for (const [index, number] of numbers.entries()) {
        assert(index === 0 || number > numbers[index - 1]!, numbers.join(", "))
      }
    }
  })

  it("an event with a lease that the task does not hold changes nothing", () => {
    const stale = all.filter(({ before, event }) =>
      "lease" in event && (before.state !== "running" || event.lease !== before.lease)
    )
    assert(stale.length > 1000)
    assert(stale.every(({ change }) => change === undefined))
  })

  it("what its run is told adds up to the state that it is in", () => {
    for (const steps of lives) {
      const counts = new Map<Task.State, number>()
      for (const { before, change } of steps) {
        if (change === undefined) continue
        const { report, to } = change
        assertEquals(report === undefined || before.branch !== undefined, true, "nobody to tell")
        if (before.branch === undefined) continue
        if (report?.leaves !== undefined) {
          counts.set(report.leaves, (counts.get(report.leaves) ?? 0) - 1)
        }
        if (report?.enters !== undefined) {
          counts.set(report.enters, (counts.get(report.enters) ?? 0) + 1)
        }
        const counted = [...counts].flatMap(([state, count]) => count === 0 ? [] : [[state, count]])
        assertEquals(counted, isEnd(to.state) ? [[to.state, 1]] : [])
      }
    }
  })

  it("tasks are started only by a change to waiting", () => {
    for (const { change } of applied) {
      assertEquals(change.starts !== undefined, change.to.state === "waiting")
    }
  })

  it("a change applies to the task that it was decided on, and to no other state or lease", () => {
    for (const { before, change } of applied) {
      assertEquals([change.from, change.lease], [before.state, before.lease])
    }
  })
})
