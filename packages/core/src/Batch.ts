/**
 * Batches: one job for each of many inputs, and something that follows when all of them have ended.
 *
 * @since 0.1.0
 */
import type { Effect } from "effect"
import { Schema } from "effect"
import type * as Client from "./Client.ts"
import type { Driver } from "./Driver.ts"
import type { DriverError } from "./DriverError.ts"
import type { AnyFlow } from "./FlowBuilder.ts"
import type { HandledFlow } from "./FlowHandlers.ts"
import type { JobTypes } from "./FlowTypes.ts"
import * as Making from "./internal/flow/Batching.ts"
import type * as Job from "./Job.ts"
import type { InputInvalid, QueueFull, RunCancelled, RunFailed, RunNotFound } from "./RunError.ts"
import type { RunHandle } from "./RunHandle.ts"
import type { RunId } from "./RunId.ts"

/**
 * What a batch came to. Of the inputs that failed the first 100 are told.
 *
 * @category schemas
 * @since 0.1.0
 */
export class Summary extends Schema.Class<Summary>("millrace/Batch/Summary")({
  /** The id of the batch's run. */
  batch: Schema.String,
  total: Schema.Int,
  completed: Schema.Int,
  /** How many failed for good, or were cancelled by themselves. */
  failed: Schema.Int,
  failures: Schema.Array(Schema.Struct({
    /** Which input, 0-based. */
    index: Schema.Int,
    /** The id of its task, which `Runs.get` takes. */
    taskId: Schema.String,
    message: Schema.String,
  })),
}) {}

/**
 * How far a batch is.
 *
 * @category models
 * @since 0.1.0
 */
export interface Counts {
  /** How many inputs there are; 0 until the batch has begun. */
  readonly total: number
  /** How many have not ended. */
  readonly open: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
}

/**
 * What follows a batch: a job whose input is the summary, or one whose input is made of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Then<T extends Job.Any> {
  readonly job: T
  /** Makes the job's input. It must be pure. */
  readonly input: (summary: Summary) => JobTypes<T>["input"]
}

/** What the compiler says where a job that follows a batch does not take its summary.
 * @category checks
 * @since 0.1.0 */
export type TakesSummary<T extends Job.Any> = [Summary] extends [JobTypes<T>["input"]] ? unknown
  : "This job does not take the summary of a batch: make its input with { job, input }"

/**
 * A batch: what may be started, and what follows. `J` is the job of its inputs, and `T` the one
 * that follows, if there is one.
 *
 * @category models
 * @since 0.1.0
 */
export interface Batch<Slug extends string, J extends Job.Any, T extends Job.Any> {
  readonly slug: Slug
  /** The flow that it is: a map over the inputs, a summary, and what follows. */
  readonly flow: AnyFlow

  /**
   * Stores a run for all inputs and answers its id: all of them or none, up to 100,000. Up to 500
   * are stored with it, and refused where the queue of their job is full; more are stored by a
   * worker.
   */
  readonly start: (
    inputs: ReadonlyArray<JobTypes<J>["input"]>,
    options?: Client.EnqueueOptions,
  ) => Effect.Effect<RunId, InputInvalid | QueueFull | DriverError, Driver>

  /** Waits until all inputs, and what follows, have ended. */
  readonly await: (
    runId: RunId,
  ) => Effect.Effect<
    Summary,
    DriverError | RunNotFound | RunFailed<ErrorOf<T>> | RunCancelled,
    Driver
  >

  /** Counts its inputs by what they came to so far. */
  readonly progress: (
    runId: RunId,
  ) => Effect.Effect<Counts, RunNotFound | DriverError, Driver>

  /** A run of it in the hand. */
  readonly handle: (runId: RunId) => RunHandle<Summary, ErrorOf<T>>

  /** Gives the batch its handlers: those of its jobs. A worker serves it among its `flows`. */
  readonly perform: <H extends HandlersOf<J, T>>(
    handlers: H,
  ) => HandledFlow<Slug, Job.Requirements<H[keyof H]>>
}

type ErrorOf<T extends Job.Any> = [T] extends [never] ? never
  : { readonly step: "then"; readonly error: JobTypes<T>["error"] }

type HandlersOf<J extends Job.Any, T extends Job.Any> =
  & { readonly job: HandledOf<J> }
  & ([T] extends [never] ? unknown : { readonly then: HandledOf<T> })

type HandledOf<J> = J extends Job.Job<infer Slug, infer I, infer O, infer E>
  ? Job.HandledJob<Slug, I, O, E, any>
  : never

/**
 * Defines a batch.
 *
 * **Details**
 *
 * It is a flow with a map: each input is a task of its own, tried as its job is, in the queue of
 * its job, under the limits of that. One that fails for good does not stop the others. When all
 * have ended, what follows is stored together with that, once. A batch that is cancelled cancels
 * its inputs, and nothing follows.
 *
 * **Gotchas**
 *
 * All inputs of a batch together are the input of one run: 100,000 of them and 1 MiB of JSON at
 * most; beyond that `start` fails with `InputInvalid`. Let them be ids of what is stored elsewhere.
 * The reasons of those that fail are read together for the summary, 16 MiB of JSON at most: beyond
 * that the batch fails. What its job answers is not kept; a `map` of a flow keeps it. A job with a
 * `group` or with `unique` is refused: the tasks of a batch have neither.
 *
 * **Example** (Mails, and a note when all are sent)
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict"
 * import { Batch, Job, Worker } from "@millrace/core"
 * import { MemoryDriver } from "@millrace/driver-memory"
 * import { Effect, Layer, Schema } from "effect"
 *
 * const Mail = Job.make("mail", { input: Schema.String, error: Schema.String })
 * const Note = Job.make("note", { input: Batch.Summary })
 * const Campaign = Batch.make("campaign", { job: Mail, then: Note })
 *
 * const notes: Array<string> = []
 * const campaign = Campaign.perform({
 *   job: Mail.perform((to) => to.includes("@") ? Effect.void : Effect.fail("no address")),
 *   then: Note.perform(({ completed, failed }) =>
 *     Effect.sync(() => void notes.push(`${completed} sent, ${failed} not`))
 *   )
 * })
 *
 * const program = Effect.gen(function*() {
 *   const runId = yield* Campaign.start(["ada@example.com", "bob", "eve@example.com"])
 *   yield* Campaign.await(runId)
 *   return yield* Campaign.progress(runId)
 * })
 * const live = Layer.provideMerge(Worker.layer({ flows: [campaign] }), MemoryDriver.layer)
 * const counts = await Effect.runPromise(Effect.provide(program, live))
 * deepStrictEqual(notes, ["2 sent, 1 not"])
 * deepStrictEqual(counts, { total: 3, open: 0, completed: 2, failed: 1, cancelled: 0 })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: {
  <const Slug extends string, J extends Job.Any>(
    slug: Slug,
    options: { readonly job: J; readonly then?: undefined },
  ): Batch<Slug, J, never>
  <const Slug extends string, J extends Job.Any, T extends Job.Any>(
    slug: Slug,
    options: { readonly job: J; readonly then: Then<T> },
  ): Batch<Slug, J, T>
  <const Slug extends string, J extends Job.Any, T extends Job.Any>(
    slug: Slug,
    options: { readonly job: J; readonly then: T & TakesSummary<T> },
  ): Batch<Slug, J, T>
} = (slug: string, options: Making.Options) => Making.make(slug, options, Summary) as never
