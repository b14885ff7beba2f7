/**
 * Schedules as data: making, reading and changing them while workers run.
 *
 * @since 0.1.0
 */
import { Clock, Effect } from "effect"
import { DriverError } from "./DriverError.ts"
import type { AnyFlow } from "./FlowBuilder.ts"
import { detailOf, draftOf } from "./internal/drafts.ts"
import * as Ticks from "./internal/ticks.ts"
import type * as Job from "./Job.ts"
import * as Limits from "./Limits.ts"
import * as Recurrence from "./Recurrence.ts"
import { ScheduleInvalid, ScheduleNotFound } from "./ScheduleError.ts"
import { type Row, ScheduleStore } from "./ScheduleStore.ts"
import * as Scheduling from "./Scheduling.ts"
import * as Timetable from "./Timetable.ts"

/** A flow with an input.
 * @category models
 * @since 0.1.0 */
export type FlowOf<I> = Pick<AnyFlow, "slug" | "runs" | "schedule"> & { readonly "~input": I }

/**
 * A schedule, as a reader sees it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Info {
  readonly name: string
  readonly job: string
  /** JSON text. */
  readonly input: string
  readonly recurrence: Recurrence.Recurrence
  readonly paused: boolean
  /** Whether it is part of the job's definition. */
  readonly defined: boolean
  /** When it occurs next, in milliseconds since 1970. */
  readonly nextAt: number | undefined
}

/**
 * Makes a schedule, or changes the one of this name: from now on the job or flow is enqueued with
 * this input at each occurrence, exactly once, by whichever worker comes first. Any worker of the
 * same storage will do, also one that does not serve it. The run of a flow is of the version that
 * the flow has here, or that a worker which serves it has had since.
 *
 * **Details**
 *
 * Nothing changes where it is as it should be, so it may be called at every start. Where it recurs
 * as before it goes on from where it stands, and a paused one stays paused. In a transaction it is
 * made with the rest or not at all. A worker notices a new schedule within ten seconds, or one
 * poll interval where that is longer.
 *
 * **Example** (A digest on workdays)
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict"
 * import { Job, Schedules } from "@millrace/core"
 * import { MemoryDriver } from "@millrace/driver-memory"
 * import { Effect, Schema } from "effect"
 *
 * const Digest = Job.make("digest", { input: { user: Schema.Int } })
 *
 * const program = Effect.gen(function*() {
 *   yield* Schedules.upsert("digest of 7", Digest, { user: 7 }, {
 *     cron: "0 9 * * mon-fri",
 *     timeZone: "Europe/Berlin"
 *   })
 *   return yield* Schedules.list()
 * })
 * const found = await Effect.runPromise(Effect.provide(program, MemoryDriver.layer))
 * deepStrictEqual(found.map(({ name, input }) => [name, input]), [["digest of 7", `{"user":7}`]])
 * ```
 *
 * @category managing
 * @since 0.1.0
 */
export const upsert: <I>(
  name: string,
  job: Job.Job<string, I, any, any> | FlowOf<I>,
  input: I,
  options: Timetable.Options,
) => Effect.Effect<Info, ScheduleInvalid | DriverError, ScheduleStore> = Effect.fn(
  "Schedules.upsert",
)(function* (name, job, input, options) {
  const draft = draftOf("runs" in job ? job.runs : job, input, options, false)
  const detail = nameProblem(name) ?? ("refused" in draft ? draft.refused : undefined)
  if (detail !== undefined || "refused" in draft) {
    return yield* new ScheduleInvalid({ name: String(name).slice(0, 100), detail: detail! })
  }
  const schedule = yield* change(name, (before, now) => {
    if (before?.defined === true) return "defined"
    return Scheduling.upserted(before, name, draft, now) ?? "same"
  })
  return "refused" in schedule
    ? yield* new ScheduleInvalid({ name, detail: belongs(schedule.refused) })
    : infoOf(schedule.after!)
})

const belongs = (job: string): string =>
  `it belongs to the definition of "${job}"; change that, or use another name`

/** Removes a schedule, and answers whether it was there. What it enqueued before stays.
 * @category managing
 * @since 0.1.0 */
export const remove: (
  name: string,
) => Effect.Effect<boolean, DriverError, ScheduleStore> = Effect.fn("Schedules.remove")(
  (name) =>
    Effect.map(
      change(name, (before) => before === undefined ? "same" : undefined),
      (changed) => !("refused" in changed) && changed.before !== undefined,
    ),
)

/** Pauses a schedule: nothing occurs until it is resumed.
 * @category managing
 * @since 0.1.0 */
export const pause: (
  name: string,
) => Effect.Effect<Info, ScheduleNotFound | DriverError, ScheduleStore> = Effect.fn(
  "Schedules.pause",
)((name) => pausing(name, true))

/** Lets a paused schedule go on. What would have occurred meanwhile is left out.
 * @category managing
 * @since 0.1.0 */
export const resume: (
  name: string,
) => Effect.Effect<Info, ScheduleNotFound | DriverError, ScheduleStore> = Effect.fn(
  "Schedules.resume",
)((name) => pausing(name, false))

const pausing = Effect.fnUntraced(function* (name: string, paused: boolean) {
  const changed = yield* change(
    name,
    (before, now) =>
      before === undefined ? "same" : Scheduling.paused(before, paused, now) ?? "same",
  )
  const schedule = "refused" in changed ? undefined : changed.after
  return schedule === undefined ? yield* new ScheduleNotFound({ name }) : infoOf(schedule)
})

/** Lists schedules by name: those of a job, or all; up to 1,000, after a name where one is given.
 * @category reading
 * @since 0.1.0 */
export const list: (options?: {
  readonly job?: Pick<Job.Any, "slug">
  readonly after?: string
  readonly limit?: number
}) => Effect.Effect<ReadonlyArray<Info>, DriverError, ScheduleStore> = Effect.fn(
  "Schedules.list",
)(function* (options) {
  const store = yield* ScheduleStore
  const { rows } = yield* store.find({
    flow: options?.job?.slug,
    after: options?.after,
    limit: Math.min(options?.limit ?? Limits.batchSize, Limits.batchSize),
  })
  return rows.map((row) => infoOf(Scheduling.ofRow(row)))
})

/** Reads a schedule.
 * @category reading
 * @since 0.1.0 */
export const get: (
  name: string,
) => Effect.Effect<Info, ScheduleNotFound | DriverError, ScheduleStore> = Effect.fn(
  "Schedules.get",
)(function* (name) {
  const { row } = yield* read(name)
  return row === undefined ? yield* new ScheduleNotFound({ name }) : infoOf(Scheduling.ofRow(row))
})

/** When a schedule occurs next, in milliseconds since 1970; `undefined` where it is paused.
 * @category reading
 * @since 0.1.0 */
export const next: (
  name: string,
) => Effect.Effect<number | undefined, ScheduleNotFound | DriverError, ScheduleStore> = (name) =>
  Effect.map(get(name), ({ nextAt }) => nextAt)

/**
 * Lists the next instants of a timetable, in milliseconds since 1970, without storing anything.
 *
 * **Example** (The night in which clocks are put back)
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict"
 * import { Schedules } from "@millrace/core"
 * import { Effect } from "effect"
 *
 * const instants = await Effect.runPromise(Schedules.preview(
 *   { cron: "30 2 * * *", timeZone: "Europe/Berlin" },
 *   { count: 2, from: Date.UTC(2026, 9, 24, 12) }
 * ))
 * deepStrictEqual(instants.map((at) => new Date(at).toISOString()), [
 *   "2026-10-25T00:30:00.000Z",
 *   "2026-10-26T01:30:00.000Z"
 * ])
 * ```
 *
 * @category reading
 * @since 0.1.0
 */
export const preview: (
  timetable: Timetable.Timetable,
  options?: { readonly count?: number; readonly from?: number },
) => Effect.Effect<ReadonlyArray<number>, ScheduleInvalid> = Effect.fn("Schedules.preview")(
  function* (timetable, options) {
    const [problem] = Timetable.problemsOf("schedule", timetable)
    if (problem !== undefined) {
      return yield* new ScheduleInvalid({ name: "preview", detail: detailOf(problem) })
    }
    const from = options?.from ?? (yield* Clock.currentTimeMillis)
    const count = Math.min(options?.count ?? 10, Limits.batchSize)
    return Recurrence.preview(Timetable.recurrenceOf(timetable), from, count)
  },
)

/**
 * Enqueues what schedules are due for, and answers how many milliseconds it is until more is. Every
 * worker does so by itself; this is for a process that has none.
 *
 * @category running
 * @since 0.1.0
 */
export const tick: Effect.Effect<number, DriverError, ScheduleStore> = Effect.flatMap(
  ScheduleStore,
  Ticks.tick,
)

/**
 * Makes the stored schedules of jobs those of their definitions, and removes that of a job which
 * has none any more, as a worker that serves them does when it starts.
 *
 * @category running
 * @since 0.1.0
 */
export const define = (
  jobs: ReadonlyArray<Pick<Job.Any, "slug" | "schedule">>,
): Effect.Effect<void, DriverError, ScheduleStore> =>
  Effect.flatMap(
    ScheduleStore,
    (store) => Ticks.define(store, new Map(jobs.map(({ schedule, slug }) => [slug, schedule]))),
  )

const nameProblem = (name: unknown): string | undefined =>
  typeof name === "string" && name.length > 0 && name.length <= Limits.scheduleNameLength &&
    name.isWellFormed() && !name.includes("\u0000")
    ? undefined
    : `a name must be a text of 1 to ${Limits.scheduleNameLength} characters`

const infoOf = (schedule: Scheduling.Schedule): Info => {
  const { defined, name, nextAt, paused, recurrence, template } = schedule
  return { name, job: template.flow, input: template.input, recurrence, paused, defined, nextAt }
}

const read = Effect.fnUntraced(function* (name: string) {
  const store = yield* ScheduleStore
  const { now, rows } = yield* store.find({ names: [name], limit: 1 })
  const row: Row | undefined = rows[0]
  return { now, row }
})

type Decision = Scheduling.Schedule | undefined | "same" | "defined"

/** Reads, decides and writes, again where somebody else wrote meanwhile. */
const change = Effect.fnUntraced(function* (
  name: string,
  decide: (before: Scheduling.Schedule | undefined, now: number) => Decision,
) {
  const store = yield* ScheduleStore
  for (let tries = 0; tries < writeTries; tries++) {
    const { now, row } = yield* read(name)
    const before = row === undefined ? undefined : Scheduling.ofRow(row)
    const after = decide(before, now)
    if (after === "defined") return { refused: before!.template.flow }
    if (after === "same") return { before, after: before }
    const written = yield* store.write({
      name,
      expects: before?.revision,
      row: after && Scheduling.toRow(after),
      tasks: [],
    })
    if (written) return { before, after }
  }
  return yield* DriverError.unavailable(
    "change a schedule",
    `"${name.slice(0, 100)}" was written by others again and again`,
  )
})

const writeTries = 100
