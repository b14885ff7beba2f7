/**
 * Cases of what schedules do over time: the client, the rules, a worker and a driver together.
 *
 * @since 0.1.0
 */
import { Job, Schedules, type ScheduleStore, type Timetable } from "@millrace/core"
import { Effect, Schema } from "effect"
import { TestClock } from "effect/testing"
import { equal, that } from "./expect.ts"
import { everything, type Stage } from "./fixtures.ts"
import { type ScheduleCase, scheduled } from "./schedules.ts"

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** A job whose tasks stay where they are: no worker of the cases serves its queue. */
const jobOf = (stage: Stage) =>
  Job.make("occur", { input: Schema.String, queue: stage.queue.slice(0, 48) })

/** Lets time pass second by second, while some look for what is due at once. */
const pass = (seconds: number, lookers = 1) =>
  Effect.repeat(
    Effect.andThen(
      TestClock.adjust("1 second"),
      Effect.all(Array.from({ length: lookers }, () => Schedules.tick), {
        concurrency: "unbounded",
      }),
    ),
    { times: seconds - 1 },
  )

const found = (stage: Stage) =>
  Effect.map(
    stage.driver.find({ flow: "occur", limit: everything }),
    (records) => records.map(({ dueAt, enqueuedAt }) => dueAt ?? enqueuedAt),
  )

/** Schedules a job, lets nobody look for a time, and then a worker. */
const missed = (name: string, options: Timetable.Options, wanted: Array<number>) =>
  scheduled(name, function* (stage) {
    yield* Schedules.upsert("missed", jobOf(stage), "x", options)
    yield* TestClock.adjust(day + 30_000)
    yield* Schedules.tick
    const records = yield* stage.driver.find({ flow: "occur", limit: everything })
    equal(
      records.map(({ id }) => parseInt(id.replace("-", "").slice(0, 12), 16)),
      wanted,
      "Occurred",
    )
  })

const refused = (name: string, options: Timetable.Options, part: string) =>
  scheduled(name, function* (stage, store) {
    const error = yield* Effect.flip(Schedules.upsert("bad", jobOf(stage), "x", options))
    that(error.message.includes(part), `Expected "${part}" in "${error.message}"`)
    equal((yield* store.find({ limit: 9 })).rows, [], "What is stored")
  })

const live = (schedule: Schedules.Info | ScheduleStore.Row) => schedule.nextAt

/** Cases of what schedules do.
 * @category cases
 * @since 0.1.0 */
export const occurrenceCases: ReadonlyArray<ScheduleCase> = [
  scheduled("Each occurrence is enqueued once, however many look for it", function* (stage) {
    yield* Schedules.upsert("every minute", jobOf(stage), "x", { every: "1 minute" })
    yield* pass(180, 3)
    equal(yield* found(stage), [minute, 2 * minute, 3 * minute], "Enqueued")
  }),

  scheduled("A schedule counts from when it was made", function* (stage) {
    yield* TestClock.adjust(10 * minute + 1)
    const made = yield* Schedules.upsert("a", jobOf(stage), "x", { every: "10 minutes" })
    equal(live(made), 20 * minute, "Its next occurrence")
  }),

  scheduled("A schedule that is made again goes on from where it stands", function* (stage) {
    const job = jobOf(stage)
    yield* Schedules.upsert("a", job, "x", { every: "10 minutes" })
    yield* TestClock.adjust(15 * minute)
    const again = yield* Schedules.upsert("a", job, "y", { every: "10 minutes", jitter: 1 })
    equal(live(again), 10 * minute, "Its next occurrence, which is due")
    const other = yield* Schedules.upsert("a", job, "y", { every: "20 minutes" })
    equal(live(other), 20 * minute, "With another interval")
  }),

  scheduled("A paused schedule does not occur, and leaves out what it missed", function* (stage) {
    yield* Schedules.upsert("a", jobOf(stage), "x", { every: "10 minutes" })
    equal((yield* Schedules.pause("a")).nextAt, undefined, "Paused")
    yield* TestClock.adjust(35 * minute)
    yield* Schedules.tick
    equal(yield* found(stage), [], "While it was paused")
    equal((yield* Schedules.resume("a")).nextAt, 40 * minute, "Resumed")
  }),

  scheduled("A removed schedule does not occur", function* (stage) {
    yield* Schedules.upsert("a", jobOf(stage), "x", { every: "10 minutes" })
    equal(yield* Schedules.remove("a"), true, "Removed")
    equal(yield* Schedules.remove("a"), false, "Removed again")
    yield* TestClock.adjust(hour)
    yield* Schedules.tick
    equal(yield* found(stage), [], "Enqueued")
    equal((yield* Effect.flip(Schedules.pause("a")))._tag, "ScheduleNotFound", "The error")
  }),

  missed("Missed occurrences are skipped", { every: "1 hour", misfire: "skip" }, [day]),
  missed("The latest of missed occurrences is made up for", {
    every: "1 hour",
    offset: "30 minutes",
    misfire: "latest",
  }, [day - 30 * minute]),
  missed("The last few of missed occurrences are made up for", {
    every: "1 hour",
    misfire: { all: 3 },
  }, [day - 2 * hour, day - hour, day]),
  missed("Missed occurrences are made up for within a window", {
    every: "1 hour",
    misfire: { all: 20 },
    within: "3 hours",
  }, [day - 2 * hour, day - hour, day]),

  scheduled("A jitter puts each run off by no more than it", function* (
    stage,
  ) {
    yield* Schedules.upsert("a", jobOf(stage), "x", { every: "10 minutes", jitter: "5 minutes" })
    yield* Effect.repeat(
      Effect.andThen(TestClock.adjust("10 minutes"), Schedules.tick),
      { times: 9 },
    )
    const late = (yield* found(stage)).map((at, index) => at - (index + 1) * 10 * minute)
    equal(late.length, 10, "The runs")
    that(late.every((by) => by >= 0 && by <= 5 * minute), `Expected less, got ${late}`)
    that(new Set(late).size > 5, `Expected different ones, got ${late}`)
  }),

  scheduled("The schedule of a definition is stored, and removed with it", function* (
    stage,
    store,
  ) {
    const queue = stage.queue.slice(0, 48)
    yield* Schedules.define([Job.make("nightly", { queue, schedule: { cron: "@daily" } })])
    equal(
      (yield* Schedules.list()).map(({ name, nextAt }) => [name, nextAt]),
      [["nightly", day]],
      "On",
    )
    const taken = Schedules.upsert("nightly", jobOf(stage), "x", { every: "1 hour" })
    equal((yield* Effect.flip(taken))._tag, "ScheduleInvalid", "Its name is taken")
    yield* Schedules.upsert("mine", jobOf(stage), "x", { every: "1 hour" })
    yield* Schedules.define([Job.make("nightly", { queue })])
    equal((yield* store.find({ limit: 9 })).rows.map(({ name }) => name), ["mine"], "Off")
  }),

  refused("A cron expression that never fires is refused", { cron: "0 0 30 2 *" }, "never fires"),
  refused(
    "A cron expression that cannot be read is refused",
    { cron: "a b" },
    "number of segments",
  ),
  refused(
    "A time zone that does not exist is refused",
    { cron: "@daily", timeZone: "Mars/Base" },
    `timeZone must be a time zone such as "Europe/Berlin", or an offset such as "+05:30", got`,
  ),
  refused("A schedule that does not say when is refused", {}, "either cron or every"),
  refused(
    "A schedule with two timetables is refused",
    { cron: "@daily", every: "1 day" },
    "every cannot be given together with cron",
  ),
  refused("An interval of no time is refused", { every: 0 }, "every must be a duration from 1s"),
  refused(
    "An offset beyond its interval is refused",
    { every: "1 minute", offset: "1 minute" },
    "offset must be a duration",
  ),
  refused(
    "Making up for half a missed occurrence is refused",
    { every: "1 minute", misfire: { all: 0.5 } },
    "misfire.all must be an integer of at least 1, got 0.5",
  ),
]
