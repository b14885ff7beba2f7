import { ok, strictEqual } from "node:assert/strict"
import { describe, it } from "node:test"
import { Driver, Job, Scheduling } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Simulation } from "@millrace/testing"
import { Ledger } from "../src/simulation/Ledger.ts"
import { Effect, Random, Schema } from "effect"
import { newTask } from "./tasks.ts"

describe("unique runs in the simulation", () => {
  const Sync = Job.make("sync", {
    input: Schema.Int,
    maxAttempts: 3,
    maxCrashes: 5,
    unique: { key: (n) => `account ${n % 4}` },
  })
  const Index = Job.make("index", {
    input: Schema.Int,
    maxCrashes: 50,
    unique: { key: (n) => `page ${n % 3}`, onClash: "debounce", period: "8 seconds" },
  })

  it("have their key until they end, whatever strikes, and no key is leaked", async () => {
    let most = 0
    const report = await Effect.runPromise(Simulation.explore({
      state: () => new Map<number, number>(),
      jobs: (running) => [
        Sync.perform((n) =>
          Effect.gen(function* () {
            const key = n % 4
            running.set(key, (running.get(key) ?? 0) + 1)
            most = Math.max(most, running.get(key)!)
            yield* Effect.sleep((yield* Random.nextIntBetween(1, 9)) * 1000)
            if (n % 5 === 0) yield* Effect.die("broken")
            running.set(key, running.get(key)! - 1)
          })
        ),
        Index.perform(() => Effect.sleep("2 seconds")),
      ],
      load: () =>
        Effect.gen(function* () {
          for (let n = 0; n < 150; n++) {
            yield* Sync.enqueue(n)
            yield* Index.enqueueMany([n, n + 1])
            yield* Effect.sleep("3 seconds")
          }
        }),
      seeds: 40,
    }))
    ok(report.faults > 40, `only ${report.faults} faults`)
    ok(most > 0)
  })

  const broken = (answer: Partial<Driver.Inserted>) => {
    const ledger = new Ledger()
    const unique = { key: "a", states: ["ready", "running"], onClash: "ignore" } as const
    const [first, second] = [newTask({ unique }), newTask({ unique })]
    ledger.inserted([first], [{ id: first.id, inserted: true }], 0)
    ledger.inserted([second], [{ id: second.id, inserted: false, ...answer }], 0)
    return ledger.broken
  }

  it("are checked: a second one with the key, or one that is refused for nothing, is found", () => {
    strictEqual(broken({ inserted: true }), 'Task "send_email 1" lost its key while it had it')
    strictEqual(
      broken({ holder: "01890a5d-ac96-774b-bcce-b302099a8057" }),
      'Task "an unknown task" has a key that nobody could be refused for',
    )
  })

  it("are the same in memory as in the books", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const driver = yield* Driver.Driver
        const ledger = new Ledger()
        const unique = { key: "a", states: ["ready"], onClash: "replace" } as const
        const tasks = Array.from({ length: 3 }, () => newTask({ unique }))
        ledger.inserted(tasks, yield* driver.insert(tasks), 0)
        strictEqual(ledger.broken, undefined)
        strictEqual(ledger.open, 1)
      }).pipe(Effect.provide(MemoryDriver.layer)),
    ))
})

describe("schedules in the simulation", () => {
  const minute = 60_000
  const draft: Scheduling.Draft = {
    defined: false,
    recurrence: { _tag: "Every", everyMillis: minute, offsetMillis: 0 },
    misfire: { count: 1, withinMillis: undefined },
    jitterMillis: 0,
    template: newTask(),
  }
  const made = Scheduling.upserted(undefined, "a", draft, 0)!
  const fired = Scheduling.fired(made, minute)!

  const broken = (
    ...writes: ReadonlyArray<
      { schedule: Scheduling.Schedule; tasks: ReadonlyArray<Driver.NewTask> }
    >
  ) => {
    const ledger = new Ledger()
    for (const { schedule, tasks } of [{ schedule: made, tasks: [] }, ...writes]) {
      const row = Scheduling.toRow(schedule)
      ledger.scheduled({ name: schedule.name, expects: 1, row, tasks }, minute)
    }
    return ledger.broken
  }

  it("are checked: an occurrence with two runs, with none, or that is none, is found", () => {
    strictEqual(broken(fired), undefined)
    const again = 'Task "send_email 1" was enqueued for an occurrence that had been'
    strictEqual(broken(fired, fired), again)
    const second = { ...fired, tasks: fired.tasks.map((task) => ({ ...task, id: `${task.id}2` })) }
    strictEqual(broken(fired, second), again.replace("1", "2"))
    const left = 'Schedule "a" passed over an occurrence that was due'
    strictEqual(broken({ ...fired, tasks: [] }), left)
    const off = { ...fired, tasks: [Scheduling.taskOf(made, minute - 1)] }
    strictEqual(broken(off), 'Task "send_email 1" was enqueued for no occurrence')
    const early = { ...fired, tasks: [Scheduling.taskOf(made, 2 * minute)] }
    strictEqual(broken(early), 'Task "send_email 1" was enqueued before its occurrence')
  })
})

describe("limits and groups in the simulation", () => {
  const Call = Job.make("call", {
    queue: "calls",
    input: Schema.Int,
    maxAttempts: 3,
    maxCrashes: 9,
  })
  const Step = Job.make("step", {
    queue: "steps",
    input: Schema.Struct({ account: Schema.String, n: Schema.Int }),
    maxAttempts: 3,
    maxCrashes: 20,
    baseDelay: "3 seconds",
    group: ({ account }) => account,
  })

  it("hold, and the order of each key is kept, whatever strikes", async () => {
    let most = 0
    const report = await Effect.runPromise(Simulation.explore({
      state: () => ({ calls: 0, steps: new Map<string, Array<number>>() }),
      jobs: (state) => [
        Call.perform((n) =>
          Effect.gen(function* () {
            most = Math.max(most, ++state.calls)
            yield* Effect.sleep((yield* Random.nextIntBetween(1, 6)) * 1000)
            state.calls--
            if (n % 7 === 0) yield* Effect.die("busy")
          })
        ),
        Step.perform(({ account, n }, { attempt }) =>
          Effect.gen(function* () {
            yield* Effect.sleep("500 millis")
            if (n % 5 === 0 && attempt === 1) yield* Effect.die("not yet")
            const done = state.steps.get(account) ?? []
            if (!done.includes(n)) done.push(n)
            state.steps.set(account, done)
          })
        ),
      ],
      worker: {
        queues: {
          calls: { limits: { concurrency: 3, rate: { count: 20, per: "1 minute", burst: 5 } } },
        },
      },
      load: () =>
        Effect.gen(function* () {
          for (let n = 0; n < 60; n++) {
            yield* Call.enqueueMany([n, n + 1])
            yield* Step.enqueueMany(["a", "b", "c"].map((account) => ({ account, n })))
            yield* Effect.sleep("4 seconds")
          }
        }),
      invariants: {
        "the steps of an account are done in order": ({ steps }) => {
          const mixed = [...steps].find(([, done]) => done.some((n, at) => n < (done[at - 1] ?? 0)))
          return mixed === undefined ? undefined : `those of ${mixed[0]} are ${mixed[1].join()}`
        },
      },
      seeds: 30,
    }))
    ok(report.faults > 30, `only ${report.faults} faults`)
    ok(most > 1, "calls never overlapped")
  })

  const claimed = (queue: string, count: number, more: Partial<Driver.NewTask>, from = 0) => {
    const ledger = new Ledger()
    ledger.limited("calls", { concurrency: 2 })
    ledger.limited("paced", { rate: { count: 1, periodMillis: 1000, burst: 2 } })
    const tasks = Array.from({ length: 4 }, () => newTask({ queue, ...more }))
    ledger.inserted(tasks, tasks.map(({ id }) => ({ id, inserted: true })), 0)
    for (const task of tasks.slice(from, from + count)) {
      ledger.claimed("w", [{ ...task, lease: 1, crashes: 0 } as never], 0)
    }
    return ledger.broken
  }

  it("are checked: what is claimed beyond a limit, or out of order, is found", () => {
    strictEqual(claimed("calls", 2, {}), undefined)
    strictEqual(
      claimed("calls", 3, {}),
      'Task "send_email 3" was claimed beyond the limit of its queue',
    )
    strictEqual(
      claimed("paced", 3, {}),
      'Task "send_email 3" was claimed beyond the rate of its queue',
    )
    strictEqual(
      claimed("steps", 2, { group: "a" }),
      'Task "send_email 2" was claimed beyond the limit of its key',
    )
    strictEqual(
      claimed("steps", 1, { group: "a" }, 1),
      'Task "send_email 2" was claimed before another one of its key',
    )
  })
})
