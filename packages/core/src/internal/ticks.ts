/**
 * What is done for schedules: those of definitions are stored, and what is due is enqueued.
 * Everybody may do so at once.
 */
import { Effect, Metric, Result } from "effect"
import type { DriverError } from "../DriverError.ts"
import type { NewTask } from "../Exchange.ts"
import type { Row, ScheduleStore } from "../ScheduleStore.ts"
import * as Scheduling from "../Scheduling.ts"

type Store = ScheduleStore["Service"]

/** How many schedules are read at a time. */
const dueAtOnce = 100

/** How long to leave alone what others write, or cannot be read. */
const pauseMillis = 1000

const occurrences = Metric.counter("millrace_schedule_occurrences_total", {
  description: "Runs that this process enqueued for schedules",
  incremental: true,
})

/** Enqueues what is due; answers how long until more is. */
export const tick = (store: Store): Effect.Effect<number, DriverError> =>
  Effect.gen(function* () {
    while (true) {
      const { nextDueMillis = Infinity, now, rows } = yield* store.due(dueAtOnce)
      if (rows.length === 0) return Math.max(1, nextDueMillis)
      let written = 0
      for (const row of rows) if (yield* fire(store, row, now)) written++
      if (written === 0) return Math.min(nextDueMillis, pauseMillis)
    }
  })

// Where another one was first, the row is no longer as it was read, and nothing is written.
const fire = (store: Store, row: Row, now: number): Effect.Effect<boolean, DriverError> =>
  Effect.gen(function* () {
    const fired = Result.try(() => Scheduling.fired(Scheduling.ofRow(row), now))
    if (Result.isFailure(fired)) {
      yield* Effect.logWarning(`Schedule "${row.name}" cannot be read, and does not occur`)
      return false
    }
    if (fired.success === undefined) return false
    const { schedule, tasks } = fired.success
    const written = yield* store.write({
      name: row.name,
      expects: row.revision,
      row: Scheduling.toRow(schedule),
      tasks,
    })
    if (written) yield* Metric.update(occurrences, tasks.length)
    return written
  })

/** By the slugs of flows, what the own tasks of their runs are stored with. */
export type Versions = ReadonlyMap<string, Pick<NewTask, "queue" | "undoes" | "version">>

/** Makes schedules as data start flows in the version of their definitions. */
export const adopt = (store: Store, versions: Versions): Effect.Effect<void, DriverError> =>
  Effect.forEach(versions, ([flow, own]) =>
    Effect.gen(function* () {
      let after: string | undefined
      while (true) {
        const { now, rows } = yield* store.find({ flow, after, limit: dueAtOnce })
        for (const row of rows) {
          const read = Result.try(() => Scheduling.adopted(Scheduling.ofRow(row), own, now))
          if (Result.isFailure(read) || read.success === undefined) continue
          const schedule = Scheduling.toRow(read.success)
          yield* store.write({ name: row.name, expects: row.revision, row: schedule, tasks: [] })
        }
        after = rows.at(-1)?.name
        if (rows.length < dueAtOnce) return
      }
    }), { discard: true })

/** By the slugs of jobs, what their definitions say. */
export type Defined = ReadonlyMap<string, Scheduling.Draft | undefined>

/** Makes the stored schedules of jobs those of their definitions. */
export const define = (store: Store, schedules: Defined): Effect.Effect<void, DriverError> =>
  Effect.gen(function* () {
    const names = [...schedules.keys()]
    if (names.length === 0) return
    const { now, rows } = yield* store.find({ names, limit: names.length })
    const stored = new Map(rows.map((row) => [row.name, Scheduling.ofRow(row)]))
    for (const [name, draft] of schedules) {
      const before = stored.get(name)
      if (draft === undefined && before?.defined !== true) continue
      const after = draft && Scheduling.upserted(before, name, draft, now)
      if (draft !== undefined && after === undefined) continue
      // Where it was written by another worker meanwhile, that one serves the same job.
      yield* store.write({
        name,
        expects: before?.revision,
        row: after && Scheduling.toRow(after),
        tasks: [],
      })
    }
  })
