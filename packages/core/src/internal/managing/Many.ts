/**
 * Stepping in by hand on many runs at a time: pages of those that a filter finds, each page in
 * bounded transactions.
 */
import { Effect } from "effect"
import { Driver, type FindQuery, type TaskRecord } from "../../Driver.ts"
import type { DriverError } from "../../DriverError.ts"
import * as Problem from "../../Problem.ts"
import { FilterInvalid, WhenInvalid } from "../../RunError.ts"
import type { State, Task, TaskId } from "../../Task.ts"
import { plainText } from "../plainText.ts"
import { type Checks, checks, conditionsOf, type Filter, refusalOf } from "./Filter.ts"
import * as Steering from "./Steering.ts"
import { dueOf, type When } from "./When.ts"

/**
 * Which runs to change: those of a filter with at least one condition, or all that there are.
 *
 * @category models
 * @since 0.1.0
 */
export type Selection = Filter & { readonly everything?: never } | { readonly everything: true }

/**
 * How many runs to change.
 *
 * @category models
 * @since 0.1.0
 */
export interface ManyOptions {
  /** Stops when so many have changed: at least 1 (default: all of them). */
  readonly limit?: number | undefined
}

/**
 * The same, where there is a reason to be given, which is cut to 1,000 characters.
 *
 * @category models
 * @since 0.1.0
 */
export interface StopOptions extends ManyOptions {
  readonly reason?: string | undefined
}

/**
 * What became of many runs.
 *
 * @category models
 * @since 0.1.0
 */
export interface Changed {
  /** How many were found in a state that allows the change. */
  readonly found: number
  /** How many of them were changed; the others moved meanwhile, or had been undone. */
  readonly changed: number
}

type Answer<E = never> = Effect.Effect<Changed, FilterInvalid | DriverError | E, Driver>

/**
 * Cancels the runs of a filter, each as `cancel` does.
 *
 * **Details**
 *
 * The runs are changed in the order of their ids and in transactions of at most 100, so that it
 * disturbs nobody; where one of them fails, those before it stay changed. Inside of a transaction
 * all of it is part of that. What is enqueued after the call began is left alone. An empty filter
 * is refused: say `everything: true`.
 *
 * **Example** (All mail that waits)
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict"
 * import { Job, Runs } from "@millrace/core"
 * import { MemoryDriver } from "@millrace/driver-memory"
 * import { Effect } from "effect"
 *
 * class Mail extends Job.make("mail") {}
 *
 * const program = Effect.gen(function* () {
 *   yield* Mail.enqueueMany([undefined, undefined])
 *   return yield* Runs.cancelMany({ job: Mail, states: ["ready"] }, { reason: "sent by hand" })
 * })
 * const answer = await Effect.runPromise(Effect.provide(program, MemoryDriver.layer))
 * deepStrictEqual(answer, { found: 2, changed: 2 })
 * ```
 *
 * @category managing
 * @since 0.1.0
 */
export const cancelMany: (selection: Selection, options?: StopOptions) => Answer = Effect.fn(
  "Runs.cancelMany",
)((selection, options) => {
  const reason = plainText(options?.reason ?? "cancelled by hand")
  return many(selection, options, open, Steering.stopping("CancelRequested", reason))
})

/**
 * Discards the runs of a filter, each as `discard` does, and in the way of `cancelMany`.
 *
 * @category managing
 * @since 0.1.0
 */
export const discardMany: (selection: Selection, options?: StopOptions) => Answer = Effect.fn(
  "Runs.discardMany",
)((selection, options) => {
  const reason = plainText(options?.reason ?? "discarded by hand")
  return many(selection, options, open, Steering.stopping("DiscardRequested", reason))
})

/**
 * Makes failed and cancelled runs of a filter ready again, each as `retry` does, and in the way of
 * `cancelMany`. A run whose steps were undone is left alone.
 *
 * @category managing
 * @since 0.1.0
 */
export const retryMany: (selection: Selection, options?: ManyOptions) => Answer = Effect.fn(
  "Runs.retryMany",
)((selection, options) => many(selection, options, ["failed", "cancelled"], Steering.retrying))

/**
 * Makes the ready runs of a filter due at another time, each as `reschedule` does, in the way of
 * `cancelMany`.
 *
 * @category managing
 * @since 0.1.0
 */
export const rescheduleMany: (
  selection: Selection,
  when: When,
  options?: ManyOptions,
) => Answer<WhenInvalid> = Effect.fn("Runs.rescheduleMany")(function* (selection, when, options) {
  const { detail, due } = dueOf(when)
  if (detail !== undefined) return yield* new WhenInvalid({ detail })
  return yield* many(selection, options, ["ready"], Steering.rescheduling(due))
})

const open: ReadonlyArray<State> = ["waiting", "ready", "running"]

const many = Effect.fnUntraced(function* (
  selection: Selection,
  options: ManyOptions | undefined,
  states: ReadonlyArray<State>,
  steer: Steering.Steer,
): Effect.fn.Return<Changed, FilterInvalid | DriverError, Driver> {
  const detail = refusalOfSelection(selection) ?? limitRefusalOf(options?.limit)
  if (detail !== undefined) return yield* new FilterInvalid({ detail })
  const driver = yield* Driver
  const filter: Filter = selection.everything === true ? {} : selection
  const asked = filter.states ?? states
  const query = { ...conditionsOf(filter), states: states.filter((one) => asked.includes(one)) }
  const [last] = yield* driver.find({ ...query, descending: true, limit: 1 })
  if (last === undefined) return { found: 0, changed: 0 }
  const limit = options?.limit ?? Infinity
  let found = 0
  let changed = 0
  let after: TaskId | undefined
  while (changed < limit) {
    const records = yield* page(driver, { ...query, after }, last.id, limit - changed)
    for (const ids of batchesOf(records)) changed += yield* steered(driver, ids, steer)
    found += records.length
    after = records.at(-1)?.id
    if (after === undefined || after === last.id) break
  }
  return { found, changed }
})

// What has come since is behind the last of those that were there.
const page = (
  driver: Driver["Service"],
  query: Omit<FindQuery, "limit">,
  last: TaskId,
  most: number,
) =>
  Effect.map(
    driver.find({ ...query, limit: Math.min(most, batchSize) }),
    (records) => records.filter(({ id }) => id <= last),
  )

/** How many runs one transaction changes: of flows fewer, since it changes all below them, too. */
const batchSize = 100
const flowBatchSize = 10

function* batchesOf(records: ReadonlyArray<TaskRecord>): Generator<ReadonlyArray<TaskId>> {
  const [jobs, flows] = [
    records.filter(({ flowType }) => flowType === "job"),
    records.filter(({ flowType }) => flowType === "flow"),
  ].map((some) => some.map(({ id }) => id)) as [Array<TaskId>, Array<TaskId>]
  if (jobs.length > 0) yield jobs
  while (flows.length > 0) yield flows.splice(0, flowBatchSize)
}

/** Changes some runs together, and answers how many of them were. */
const steered = Effect.fnUntraced(function* (
  driver: Driver["Service"],
  ids: ReadonlyArray<TaskId>,
  steer: Steering.Steer,
): Effect.fn.Return<number, DriverError> {
  let changed = 0
  yield* driver.transact({ _tag: "Runs", ids }, (tasks) => {
    const below = belowOf(tasks)
    const changes = ids.map((id) => steer(id, below(id)) ?? [])
    changed = changes.filter((some) => some.length > 0).length
    return changes.flat()
  })
  return changed
})

/** Finds a run and all that is below it among tasks. */
const belowOf = (tasks: ReadonlyArray<Task>) => {
  const byId = new Map(tasks.map((task) => [task.id, task]))
  const children = Map.groupBy(tasks, (task) => task.branch?.parent)
  return (id: TaskId): ReadonlyArray<Task> => {
    const own = byId.get(id)
    const found = own === undefined ? [] : [own]
    for (const task of found) found.push(...children.get(task.id) ?? [])
    return found
  }
}

const selectionChecks: Checks<Filter & { readonly everything?: true }> = {
  ...checks,
  everything: (value) => value === true ? undefined : "true, or left out",
}

const refusalOfSelection = (selection: unknown): string | undefined => {
  const detail = refusalOf(selection, selectionChecks)
  if (detail !== undefined) return detail
  const given = Object.entries(selection as object).filter(([, value]) => value !== undefined)
  if (given.length === 0) return "give a condition, or say everything: true"
  return given.length > 1 && given.some(([option]) => option === "everything")
    ? "give either conditions or everything: true"
    : undefined
}

const limitRefusalOf = (limit: unknown): string | undefined =>
  limit === undefined || (Number.isSafeInteger(limit) && Number(limit) >= 1)
    ? undefined
    : `limit must be an integer of at least 1, got ${Problem.show(limit)}`
