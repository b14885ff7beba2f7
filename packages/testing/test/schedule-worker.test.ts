/** A worker that serves a job with a schedule, alone and among others that meet faults. */
import { assert, assertEquals } from "@std/assert"
import { Job, Runs, Schedules, Worker } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Simulation } from "@millrace/testing"
import { Effect, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import { describe, it } from "node:test"

const minute = 60_000

describe("a worker", () => {
  it("runs a job by the schedule of its definition, and notices new ones", async () => {
    const runs: Array<string> = []
    const Note = Job.make("note", {
      input: Schema.String,
      schedule: { every: "1 minute", input: "defined" },
    })
    const note = Note.perform((text) => Effect.sync(() => void runs.push(text)))
    const live = Worker.layer({ jobs: [note] }).pipe(
      Layer.provideMerge(MemoryDriver.layer),
      Layer.provideMerge(TestClock.layer()),
    )
    const program = Effect.gen(function* () {
      yield* TestClock.adjust(3 * minute + 1)
      assertEquals(runs, ["defined", "defined", "defined"])
      yield* Schedules.upsert("mine", Note, "mine", { every: "10 seconds" })
      yield* TestClock.adjust(21_000)
      assertEquals(runs.filter((text) => text === "mine").length, 2)
    })
    await Effect.runPromise(Effect.provide(program, live, { local: true }))
  })
})

describe("schedules in a simulation", () => {
  const Tick = Job.make("tick", { input: Schema.Int, maxAttempts: 50, maxCrashes: 100 })
  const Sweep = Job.make("sweep", { maxCrashes: 100, schedule: { cron: "*/30 * * * * *" } })

  it("enqueue one run for each occurrence, whatever goes wrong", { timeout: 240_000 }, async () => {
    const seen = { ticks: 0, sweeps: 0 }
    const report = await Effect.runPromise(Simulation.explore({
      state: () => new Map<string, number>(),
      seeds: 60,
      duration: "5 minutes",
      jobs: (slots) => [
        Tick.perform((_, { runId }) =>
          Effect.flatMap(Runs.get(runId), ({ dueAt, enqueuedAt }) =>
            Effect.sync(() => {
              seen.ticks++
              slots.set(runId, dueAt ?? enqueuedAt)
            })).pipe(Effect.orDie)
        ),
        Sweep.perform(() => Effect.sync(() => void seen.sweeps++)),
      ],
      load: () =>
        Effect.forEach([1, 2, 3], (n) =>
          Schedules.upsert(`tick ${n}`, Tick, n, {
            every: `${n * 20} seconds`,
            misfire: { all: 900 },
            jitter: n === 3 ? "10 seconds" : 0,
          })),
    }))
    assertEquals(report.seeds, 60)
    assert(seen.ticks > 60 * 20, `${seen.ticks} ticks`)
    assert(seen.sweeps > 60 * 5, `${seen.sweeps} sweeps`)
  })

  const Poll = Job.make("poll", {
    input: Schema.Int,
    queue: "polls",
    maxAttempts: 3,
    maxCrashes: 50,
    unique: { key: (n) => `source ${n % 4}`, states: ["waiting", "ready", "running"] },
    group: (n) => `host ${n % 2}`,
    schedule: { cron: "*/10 * * * * *", input: 1 },
  })

  it("keep to keys, groups and limits, while others pause and change them", async () => {
    let most = 0
    const report = await Effect.runPromise(Simulation.explore({
      state: () => ({ running: 0 }),
      seeds: 25,
      duration: "4 minutes",
      jobs: (state) => [
        Poll.perform((n) =>
          Effect.gen(function* () {
            most = Math.max(most, ++state.running)
            yield* Effect.sleep(`${2 + n % 4} seconds`)
            if (n === 3) yield* Effect.die("gone")
          }).pipe(Effect.ensuring(Effect.sync(() => state.running--)))
        ),
      ],
      worker: {
        queues: { polls: { limits: { concurrency: 2, rate: { count: 40, per: "1 minute" } } } },
      },
      load: () =>
        Effect.gen(function* () {
          for (const n of [2, 3, 4]) {
            yield* Schedules.upsert(`poll ${n}`, Poll, n, { every: `${n * 3} seconds` })
          }
          for (let round = 0; round < 20; round++) {
            yield* Effect.sleep("11 seconds")
            yield* Poll.enqueue(round)
            if (round % 4 === 1) yield* Schedules.pause("poll 2")
            if (round % 4 === 3) yield* Schedules.resume("poll 2")
            if (round % 5 === 4) yield* Schedules.remove("poll 3")
            if (round % 5 === 0) yield* Schedules.upsert("poll 3", Poll, 3, { every: "7 seconds" })
          }
        }),
    }))
    assertEquals(report.seeds, 25)
    assert(report.faults > 25, `${report.faults} faults`)
    assert(most >= 2, `${most} at a time`)
  })
})
