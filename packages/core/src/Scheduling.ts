/**
 * The rules of schedules, pure: what a schedule is made of, which runs it is due for, and what each
 * change by hand makes of it.
 *
 * @since 0.1.0
 */
import type { NewTask } from "./Exchange.ts"
import { hashOf, idOf } from "./internal/occurrence.ts"
import * as Misfire from "./Misfire.ts"
import * as Recurrence from "./Recurrence.ts"
import type { Row } from "./ScheduleStore.ts"

/** What every run of a schedule is enqueued with.
 * @category models
 * @since 0.1.0 */
export type Template = Omit<NewTask, "id" | "isNew" | "runId" | "dueAt" | "awaited" | "trace">

/**
 * What somebody wants a schedule to be.
 *
 * @category models
 * @since 0.1.0
 */
export interface Draft {
  /** Whether it is part of a job's definition, and is removed when that has none any more. */
  readonly defined: boolean
  readonly recurrence: Recurrence.Recurrence
  readonly misfire: Misfire.Policy
  readonly jitterMillis: number
  readonly template: Template
}

/**
 * A schedule.
 *
 * @category models
 * @since 0.1.0
 */
export interface Schedule extends Draft {
  readonly name: string
  readonly revision: number
  readonly paused: boolean
  /** Occurrences until then, included, have been dealt with. */
  readonly after: number
  /** The next occurrence; `undefined` where it is paused, or there is none. */
  readonly nextAt: number | undefined
}

/**
 * Makes a schedule, or changes one to a draft; `undefined` where that changes nothing.
 *
 * **Details**
 *
 * Occurrences are counted from now on, and where a schedule recurs as before, on from where it
 * stands. A paused one stays paused.
 *
 * @category rules
 * @since 0.1.0
 */
export const upserted = (
  before: Schedule | undefined,
  name: string,
  draft: Draft,
  now: number,
): Schedule | undefined => {
  if (before === undefined) {
    return placed({ ...draft, name, revision: now, paused: false, after: now })
  }
  if (draftText(before) === draftText(draft)) return undefined
  const recursAsBefore = textOf(before.recurrence) === textOf(draft.recurrence)
  const after = recursAsBefore ? before.after : now
  return placed({ ...before, ...draft, after, revision: revised(before, now) })
}

/**
 * Pauses a schedule, or lets it go on; `undefined` where that changes nothing. What would have
 * occurred while it was paused is left out.
 *
 * @category rules
 * @since 0.1.0
 */
export const paused = (before: Schedule, paused: boolean, now: number): Schedule | undefined =>
  before.paused === paused
    ? undefined
    : placed({ ...before, paused, after: now, revision: revised(before, now) })

/**
 * Makes a schedule start its flow in the version, and into the queue, of a definition; `undefined`
 * where it does so.
 *
 * @category rules
 * @since 0.1.0
 */
export const adopted = (
  before: Schedule,
  { queue, undoes, version }: Pick<NewTask, "queue" | "undoes" | "version">,
  now: number,
): Schedule | undefined => {
  const { undoes: _, ...template } = before.template
  if (template.flowType === "job" || template.version === version) return undefined
  const own = { ...template, queue, version, ...(undoes === undefined ? {} : { undoes }) }
  return { ...before, template: own, revision: revised(before, now) }
}

/**
 * The runs that a schedule is due for, and the schedule once they are enqueued; `undefined` where
 * it is not due.
 *
 * **Details**
 *
 * The id of a run is made of the schedule's name and the occurrence, so that none is enqueued
 * twice, whoever enqueues it. With a jitter it is due a little after the occurrence, by an amount
 * that is made of the same.
 *
 * @category rules
 * @since 0.1.0
 */
export const fired = (
  before: Schedule,
  now: number,
): { readonly tasks: ReadonlyArray<NewTask>; readonly schedule: Schedule } | undefined => {
  if (before.nextAt === undefined || before.nextAt > now) return undefined
  const occurrences = Misfire.due(before.recurrence, before.misfire, before.after, now)
  return {
    tasks: occurrences.map((at) => taskOf(before, at)),
    schedule: placed({ ...before, after: now, revision: revised(before, now) }),
  }
}

/** The run of one occurrence.
 * @category rules
 * @since 0.1.0 */
export const taskOf = (schedule: Schedule, at: number): NewTask => {
  const { jitterMillis, name, template } = schedule
  const id = idOf(name, at)
  const jitter = Math.floor(hashOf(`${name} ${at} jitter`)[0] / 2 ** 32 * (jitterMillis + 1))
  return {
    ...template,
    id,
    runId: id,
    awaited: false,
    dueAt: at + jitter + template.delayMillis,
    delayMillis: 0,
  }
}

const placed = (schedule: Omit<Schedule, "nextAt">): Schedule => ({
  ...schedule,
  nextAt: schedule.paused ? undefined : Recurrence.next(schedule.recurrence, schedule.after),
})

// One that was removed and made again is not taken for the one before.
const revised = (before: Schedule, now: number): number => Math.max(before.revision + 1, now)

const draftText = ({ defined, jitterMillis, misfire, recurrence, template }: Draft): string =>
  textOf([defined, jitterMillis, misfire, recurrence, template])

/** One text for equal values, whatever the order of their keys. */
const textOf = (value: unknown): string =>
  JSON.stringify(
    value,
    (_, member: unknown) =>
      typeof member === "object" && member !== null && !Array.isArray(member)
        ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => a < b ? -1 : 1))
        : member,
  )

/** How a schedule is stored.
 * @category conversions
 * @since 0.1.0 */
export const toRow = (schedule: Schedule): Row => {
  const { name, nextAt, revision, template, ...body } = schedule
  const { flow, ...rest } = template
  return { name, flow, revision, nextAt, body: JSON.stringify({ ...body, template: rest }) }
}

/** Reads a stored schedule.
 * @category conversions
 * @since 0.1.0 */
export const ofRow = ({ body, flow, name, nextAt, revision }: Row): Schedule => {
  const { template, ...rest } = JSON.parse(body) as Omit<Schedule, "name" | "revision" | "nextAt">
  return { ...rest, template: { ...template, flow }, name, revision, nextAt }
}
