/**
 * The port to the storage of schedules: rows that are written only as they were read.
 *
 * @since 0.1.0
 */
import type { Effect } from "effect"
import { Context } from "effect"
import type { DriverError } from "./DriverError.ts"
import type { NewTask } from "./Exchange.ts"

/**
 * A stored schedule, as far as a driver looks at it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Row {
  readonly name: string
  /** The slug of the job that it enqueues. */
  readonly flow: string
  /** Another one with each write. */
  readonly revision: number
  /** When it is to be looked at next; `undefined` for never. */
  readonly nextAt: number | undefined
  /** All else, as JSON text. */
  readonly body: string
}

/**
 * Writes a schedule, and stores tasks with it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Write {
  readonly name: string
  /** The revision that it must have; `undefined` where there must be none of this name. */
  readonly expects: number | undefined
  /** What it becomes; `undefined` removes it. */
  readonly row: Row | undefined
  readonly tasks: ReadonlyArray<NewTask>
}

/**
 * Asks for schedules. Every condition that is given must hold; the answer is in the order of names.
 *
 * @category models
 * @since 0.1.0
 */
export interface Query {
  readonly names?: ReadonlyArray<string> | undefined
  readonly flow?: string | undefined
  /** Only names that come after this one. */
  readonly after?: string | undefined
  readonly limit: number
}

/**
 * Schedules, and the driver's own time when they were read.
 *
 * @category models
 * @since 0.1.0
 */
export interface Found {
  readonly now: number
  readonly rows: ReadonlyArray<Row>
}

/**
 * Schedules that are due.
 *
 * @category models
 * @since 0.1.0
 */
export interface Due extends Found {
  /** How long until the next of the others is; `undefined` where there is none. */
  readonly nextDueMillis: number | undefined
}

/**
 * Where schedules are stored: provided by the layers of the drivers that can, beside the driver. It
 * decides nothing.
 *
 * @category services
 * @since 0.1.0
 */
export class ScheduleStore extends Context.Service<ScheduleStore, {
  /**
   * Reads schedules.
   *
   * **Details**
   *
   * - Schedules are listed by name, page by page
   * - Schedules are found by name and by job
   * - Schedules are read with the time of the driver
   */
  readonly find: (query: Query) => Effect.Effect<Found, DriverError>

  /**
   * Reads schedules that are due, those first that are so for longest.
   *
   * **Details**
   *
   * - A schedule is due from its instant on, and not before
   * - Who asks for due schedules is told when the next one is
   * - A schedule without an instant is never due
   */
  readonly due: (limit: number) => Effect.Effect<Due, DriverError>

  /**
   * Writes a schedule and stores the tasks that come with it, or does neither: answers whether it
   * stood as expected.
   *
   * **Details**
   *
   * - A schedule is written where it stands as it was read, and else nothing changes
   * - Tasks are stored with the schedule, or not at all
   * - The run of a flow is stored with the schedule as it is given, with all tasks of its start
   * - A task of a schedule expires as it says
   * - A task of a schedule whose id exists is left as it is
   * - A schedule that exists is not made again
   * - A schedule that is removed is gone
   * - A task with a key comes to terms with the one that has it
   * - What a schedule stores wakes a worker that waits
   * - What a schedule stores is never refused for a full queue
   */
  readonly write: (write: Write) => Effect.Effect<boolean, DriverError>
}>()("@millrace/core/ScheduleStore") {}
