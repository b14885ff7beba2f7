/**
 * Lists of runs, page by page.
 */
import { Effect } from "effect"
import { Driver } from "../../Driver.ts"
import type { DriverError } from "../../DriverError.ts"
import * as Limits from "../../Limits.ts"
import * as Problem from "../../Problem.ts"
import { FilterInvalid } from "../../RunError.ts"
import * as RunId from "../../RunId.ts"
import { type Checks, checks, conditionsOf, type Filter, refusalOf } from "./Filter.ts"
import { type Run, toRun } from "./Run.ts"

export type { Filter } from "./Filter.ts"

/**
 * Which runs to list, and which page of them.
 *
 * @category models
 * @since 0.1.0
 */
export interface ListOptions extends Filter {
  /** The order of ids, which is that of enqueueing unless ids are given (default `newest`). */
  readonly order?: "newest" | "oldest" | undefined
  /** 1 to 1,000 (default 100). */
  readonly limit?: number | undefined
  /** Goes on after a page: what that page answered. */
  readonly cursor?: string | undefined
}

/**
 * One page of runs.
 *
 * @category models
 * @since 0.1.0
 */
export interface Page {
  readonly runs: ReadonlyArray<Run>
  /** Asks for the next page; `undefined` where this is the last one. */
  readonly cursor: string | undefined
}

/**
 * Lists the runs of jobs and flows; a flow that is a step of another is no run of the list.
 *
 * **Details**
 *
 * Each page is as the store is when it is read: what is enqueued meanwhile is on a page that is yet
 * to come, or on none, and no run is on two pages. A list of states that few runs are in
 * (`ready`, `running`, `failed`, `cancelled`), by `key`, `ids`, `tags` or `meta` costs the same
 * however many runs have completed; any other goes through the runs in their order until the page
 * is full.
 *
 * **Example** (What failed last)
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
 *   yield* Runs.cancel(yield* Mail.enqueue())
 *   return yield* Runs.list({ job: Mail, states: ["failed", "cancelled"], limit: 10 })
 * })
 * const { runs, cursor } = await Effect.runPromise(Effect.provide(program, MemoryDriver.layer))
 * deepStrictEqual([runs.map((run) => run.state), cursor], [["cancelled"], undefined])
 * ```
 *
 * @category reading
 * @since 0.1.0
 */
export const list: (
  options?: ListOptions,
) => Effect.Effect<Page, FilterInvalid | DriverError, Driver> = Effect.fn("Runs.list")(
  function* (options = {}) {
    const detail = refusalOf(options, listChecks) ?? cursorRefusalOf(options)
    if (detail !== undefined) return yield* new FilterInvalid({ detail })
    const { cursor, limit = defaultLimit, order = "newest", ...filter } = options
    const last = cursor === undefined ? undefined : cursorIn(cursor)!.id
    const driver = yield* Driver
    const found = yield* driver.find({
      ...conditionsOf(filter),
      descending: order === "newest",
      ...(order === "newest" ? { before: last } : { after: last }),
      limit: limit + 1,
    })
    const runs = found.slice(0, limit).map(toRun)
    return {
      runs,
      cursor: found.length > limit ? cursorOf(order, runs.at(-1)!.id) : undefined,
    }
  },
)

const defaultLimit = 100

type Order = "newest" | "oldest"

const listChecks: Checks<ListOptions> = {
  ...checks,
  order: (value) => value === "newest" || value === "oldest" ? undefined : `"newest" or "oldest"`,
  limit: (value) =>
    Number.isInteger(value) && Number(value) >= 1 && Number(value) <= Limits.pageSize
      ? undefined
      : `an integer from 1 to ${Limits.pageSize}, got ${Problem.show(value)}`,
  cursor: (value) => cursorIn(value) === undefined ? "one that a page answered" : undefined,
}

const cursorRefusalOf = ({ cursor, order = "newest" }: ListOptions) =>
  cursor === undefined || cursorIn(cursor)!.order === order
    ? undefined
    : "the cursor is of a list in the other order"

const cursorOf = (order: Order, id: RunId.RunId): string => `${order}_${id.replaceAll("-", "")}`

const cursorIn = (cursor: unknown): { readonly order: Order; readonly id: string } | undefined => {
  const [, order, ...parts] = cursorPattern.exec(typeof cursor === "string" ? cursor : "") ?? []
  return order === undefined ? undefined : { order: order as Order, id: parts.join("-") }
}

const cursorPattern =
  /^(newest|oldest)_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/
