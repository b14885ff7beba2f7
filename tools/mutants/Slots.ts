/**
 * A job with keys, groups and limits that schedules enqueue, while somebody else enqueues it, too,
 * and changes the schedules; and one that expires, of which there is too much. The books of the
 * simulation say what has to hold.
 */
import { Job, Schedules } from "@millrace/core"
import { Simulation } from "@millrace/testing"
import { Effect, Schema } from "effect"

const Poll = Job.make("poll", {
  input: Schema.Int,
  queue: "polls",
  maxAttempts: 3,
  maxCrashes: 50,
  baseDelay: "5 seconds",
  unique: { key: (n) => `source ${n % 6}`, states: ["waiting", "ready", "running"] },
  group: (n) => `host ${n % 2}`,
  schedule: { cron: "*/10 * * * * *", input: 1, misfire: { all: 900 } },
})

const Count = Job.make("count", { input: Schema.Int, maxCrashes: 50 })

const Brief = Job.make("brief", {
  input: Schema.Int,
  maxAttempts: 3,
  maxCrashes: 50,
  expiresIn: "20 seconds",
})

const load = Effect.gen(function* () {
  for (const n of [2, 3, 4]) {
    yield* Schedules.upsert(`poll ${n}`, Poll, n, { every: `${n * 3} seconds` })
  }
  yield* Schedules.upsert("count", Count, 1, { every: "6 seconds", jitter: "5 seconds" })
  for (let round = 0; round < 24; round++) {
    yield* Effect.sleep("11 seconds")
    yield* Poll.enqueueMany([round, round + 1, round + 2])
    yield* Brief.enqueue(round, { delay: "15 seconds" })
    yield* Brief.enqueueMany([round, round + 1, round + 2, round + 3])
    if (round % 4 === 1) yield* Schedules.pause("poll 2")
    if (round % 4 === 3) yield* Schedules.resume("poll 2")
    if (round % 5 === 4) yield* Schedules.remove("poll 3")
    if (round % 5 === 0) yield* Schedules.upsert("poll 3", Poll, 3, { every: "7 seconds" })
    if (round % 6 === 5) yield* Schedules.upsert("poll 4", Poll, round, { every: "12 seconds" })
  }
  for (const name of ["poll 2", "poll 3", "poll 4", "count"]) yield* Schedules.remove(name)
})

/** The simulation. */
export const slots = (seeds: ReadonlyArray<number>) =>
  Simulation.explore({
    seeds,
    duration: "5 minutes",
    within: "2 hours",
    jobs: () => [
      Poll.perform((n) =>
        Effect.andThen(
          Effect.sleep(`${1 + n % 3} seconds`),
          n % 7 === 3 ? Effect.die("gone") : Effect.void,
        )
      ),
      Count.perform(() => Effect.void),
      Brief.perform((n, { attempt }) =>
        Effect.andThen(
          Effect.sleep(`${n % 4 * 4} seconds`),
          n % 7 === 0 && attempt < 2 ? Effect.die("not yet") : Effect.void,
        )
      ),
    ],
    worker: {
      concurrency: 1,
      queues: { polls: { limits: { concurrency: 2, rate: { count: 40, per: "1 minute" } } } },
    },
    load: () => load,
  })
