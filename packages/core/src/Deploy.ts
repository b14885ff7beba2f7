/**
 * What a deploy would change: definitions in code against those that workers have served, and
 * against what is stored and has not ended.
 *
 * @since 0.1.0
 */
import { Effect } from "effect"
import { Driver, type TaskRecord } from "./Driver.ts"
import type { DriverError } from "./DriverError.ts"
import type { AnyFlow } from "./FlowBuilder.ts"
import * as Candidates from "./internal/candidates.ts"
import type * as Job from "./Job.ts"
import * as Limits from "./Limits.ts"
import { type Registered, Registry } from "./Registry.ts"

/**
 * A definition that is to be deployed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Candidate extends Registered {
  /** Whether it can read the stored input of a task; `undefined` where it has no such step. */
  readonly reads: (task: TaskRecord) => boolean | undefined
}

/**
 * What becomes of one definition.
 *
 * @category models
 * @since 0.1.0
 */
export interface Difference {
  readonly slug: string
  /**
   * `new` where no worker has served it; `version` where its shape has changed, so that runs that
   * have not ended need a worker that serves the old one; `options` where only options have, which
   * holds at once for all that has not started.
   */
  readonly change: "new" | "version" | "options" | "none"
  /** The options that differ from the ones served last. */
  readonly options: ReadonlyArray<
    { readonly option: string; readonly from: string | undefined; readonly to: string | undefined }
  >
  /** How many of its tasks have not ended. */
  readonly open: number
  /** How many of these belong to another version. */
  readonly ofOtherVersions: number
  /** How many of these have an input that it could not read. */
  readonly unreadable: number
}

/**
 * Tells what a deploy of jobs and flows would change. Changes nothing.
 *
 * **Details**
 *
 * It compares them with what workers have registered when they began to serve, and tries to read
 * the input of every task that has not ended.
 *
 * **Example** (A new flow, and then nothing new)
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict"
 * import { Deploy, Flow, Worker } from "@millrace/core"
 * import { MemoryDriver } from "@millrace/driver-memory"
 * import { Effect, Layer } from "effect"
 *
 * const Greet = Flow.make("greet").step("hello")
 * const greet = Greet.perform({ hello: () => Effect.void })
 * const changes = Effect.map(Deploy.plan([Greet]), (plan) => plan.map(({ change }) => change))
 *
 * const program = Effect.gen(function*() {
 *   deepStrictEqual(yield* changes, ["new"])
 *   yield* Effect.scoped(Layer.build(Worker.layer({ flows: [greet] })))
 *   deepStrictEqual(yield* changes, ["none"])
 * })
 * await Effect.runPromise(Effect.provide(program, MemoryDriver.layer))
 * ```
 *
 * @category reading
 * @since 0.1.0
 */
export const plan = (
  definitions: ReadonlyArray<Omit<Job.Any, "prototype"> | Pick<AnyFlow, "parts">>,
): Effect.Effect<ReadonlyArray<Difference>, DriverError, Driver | Registry> =>
  compare(definitions.map((one) => "parts" in one ? Candidates.ofFlow(one) : Candidates.ofJob(one)))

/** Compares definitions with what is stored. Changes nothing.
 * @category reading
 * @since 0.1.0 */
export const compare = Effect.fn("Deploy.plan")(function* (
  candidates: ReadonlyArray<Candidate>,
): Effect.fn.Return<ReadonlyArray<Difference>, DriverError, Driver | Registry> {
  const driver = yield* Driver
  const registry = yield* Registry
  const registered = yield* registry.registered
  const differences: Array<Difference> = []
  for (const candidate of candidates) {
    const served = registered.filter(({ slug }) => slug === candidate.slug)
    differences.push({
      slug: candidate.slug,
      ...changeOf(candidate, served),
      ...yield* countOpen(driver, candidate),
    })
  }
  return differences
})

/** Compares a definition with the versions of it that were served, oldest first. Pure.
 * @category rules
 * @since 0.1.0 */
export const changeOf = (
  candidate: Registered,
  served: ReadonlyArray<Registered>,
): Pick<Difference, "change" | "options"> => {
  const same = served.find(({ version }) => version === candidate.version)
  const before = same ?? served.at(-1)
  if (before === undefined) return { change: "new", options: [] }
  const names = [...new Set([...Object.keys(before.options), ...Object.keys(candidate.options)])]
  const options = names.sort()
    .map((option) => ({
      option,
      from: before.options[option],
      to: candidate.options[option],
    }))
    .filter(({ from, to }) => from !== to)
  if (same === undefined) return { change: "version", options }
  return { change: options.length === 0 ? "none" : "options", options }
}

const countOpen = Effect.fnUntraced(function* (
  driver: Driver["Service"],
  candidate: Candidate,
): Effect.fn.Return<
  Pick<Difference, "open" | "ofOtherVersions" | "unreadable">,
  DriverError
> {
  const count = { open: 0, ofOtherVersions: 0, unreadable: 0 }
  let after: string | undefined
  while (true) {
    const page = yield* driver.find({
      flow: candidate.slug,
      states: ["waiting", "ready", "running"],
      after,
      limit: Limits.batchSize,
    })
    for (const task of page) {
      count.open++
      if (task.version !== undefined && task.version !== candidate.version) count.ofOtherVersions++
      if (candidate.reads(task) !== true) count.unreadable++
    }
    if (page.length < Limits.batchSize) return count
    after = page.at(-1)!.id
  }
})
