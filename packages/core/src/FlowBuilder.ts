/**
 * The definition of a flow, step by step.
 *
 * @since 0.1.0
 */
import type { Duration, Effect, Schema } from "effect"
import type * as Client from "./Client.ts"
import type { Driver } from "./Driver.ts"
import type { DriverError } from "./DriverError.ts"
import type * as Model from "./Flow.ts"
import type { PolicyOptions } from "./FlowOptions.ts"
import type { FlowSteps } from "./FlowSteps.ts"
import type { Named, RunOutput, SignalSlugs, StepError, StepTypes } from "./FlowTypes.ts"
import type { Parts } from "./internal/flow/Parts.ts"
import { make as makeFlow, TypeId } from "./internal/flow/Make.ts"
import type * as Job from "./Job.ts"
import type {
  InputInvalid,
  QueueFull,
  RunCancelled,
  RunFailed,
  RunNotFound,
  SignalRefused,
} from "./RunError.ts"
import type { RunHandle } from "./RunHandle.ts"
import type { RunId } from "./RunId.ts"
import type * as Retention from "./Retention.ts"
import type * as Scheduling from "./Scheduling.ts"
import type * as Timetable from "./Timetable.ts"
import type * as Unique from "./Unique.ts"

type NoSchema = typeof Schema.Void

/**
 * The options of a flow. What is said of attempts holds for its steps, unless they say otherwise.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<I> extends PolicyOptions {
  /** A Schema, or the fields of a struct (default: no input). */
  readonly input?: I
  /** When two runs are the same, and what becomes of the second (default: they never are). */
  readonly unique?: Unique.Options<NoInfer<Job.TypeOf<I>>>
  /** When it is started by itself, and with which input. */
  readonly schedule?: Timetable.OfJob<NoInfer<Job.TypeOf<I>>>
  /** How long after it is due a run may begin, up to 10 years, and else is cancelled. */
  readonly expiresIn?: Duration.Input
  /**
   * When workers remove runs that have ended, with all below them (default: what the worker says,
   * or never).
   */
  readonly retention?: Retention.Options
  /** What its runs are found by, each of them: at most 16 texts of 1 to 255 characters. */
  readonly tags?: ReadonlyArray<string>
}

/**
 * A flow: steps, and what each of them needs. Each method answers a new one; it can serve as the
 * base of a class, which gives its type a name. `I` is its input, `Steps` what is known of its
 * steps, and `Needed` the steps that others need.
 *
 * @category models
 * @since 0.1.0
 */
export interface Flow<
  Slug extends string,
  I,
  Steps extends StepTypes,
  Needed extends string,
> extends FlowSteps {
  new (_: never): object
  readonly [TypeId]: typeof TypeId
  readonly slug: Slug
  readonly queue: string
  /** The slugs of its steps, in the order of their definition. */
  readonly steps: ReadonlyArray<string>
  readonly definition: Model.Definition<Slug>
  readonly retention: Retention.Options | undefined
  readonly schedule: Scheduling.Draft | undefined
  /** Its runs, in the shape in which those of jobs are enqueued. */
  readonly runs: Client.AnyJob
  /** All that it takes to run it. */
  readonly parts: Parts
  /** Never there: the type of its input. */
  readonly "~input": I
  /** Never there: what the types know of its steps. */
  readonly "~steps": Steps
  /** Never there: the steps that others need. */
  readonly "~needed": Needed

  /**
   * Stores a run and answers its id, without waiting for it. Where it begins at once, its first
   * steps are stored with it (up to 500), and a queue of theirs that is full refuses all of it.
   */
  readonly start: (
    input: I,
    options?: Client.EnqueueOptions,
  ) => Effect.Effect<RunId, InputInvalid | QueueFull | DriverError, Driver>

  /** Stores a run and waits for its output. A worker has to be serving the flow somewhere. */
  readonly run: (
    input: I,
    options?: Client.EnqueueOptions,
  ) => Effect.Effect<
    RunOutput<Steps, Needed>,
    | InputInvalid
    | QueueFull
    | DriverError
    | RunNotFound
    | RunFailed<StepError<Steps>>
    | RunCancelled,
    Driver
  >

  /** Waits for the output of a run that was started before. */
  readonly await: (
    runId: RunId,
  ) => Effect.Effect<
    RunOutput<Steps, Needed>,
    DriverError | RunNotFound | RunFailed<StepError<Steps>> | RunCancelled,
    Driver
  >

  /** A run of it in the hand. */
  readonly handle: (runId: RunId) => RunHandle<RunOutput<Steps, Needed>, StepError<Steps>>

  /**
   * Sends a run a signal. One that comes before its step waits is kept; a second one is refused.
   */
  readonly signal: <const K extends SignalSlugs<Steps>>(
    runId: RunId,
    step: K,
    value: Steps[K]["value"],
  ) => Effect.Effect<void, RunNotFound | SignalRefused | DriverError, Driver>

  /**
   * Reads what a step of a run has come to; `undefined` where it has not, or is skipped. What is
   * stored and does not match the step's schema is a defect.
   */
  readonly output: <const K extends keyof Steps & string>(
    runId: RunId,
    step: K,
  ) => Effect.Effect<Steps[K]["value"] | undefined, RunNotFound | DriverError, Driver>

  /** Starts a run that has what another has, but runs a step, and all that follow it, again. */
  readonly rerun: (
    runId: RunId,
    options: { readonly from: keyof Steps & string },
  ) => Effect.Effect<RunId, RunNotFound | DriverError, Driver>
}

/** The types of a flow.
 * @category models
 * @since 0.1.0 */
export interface FlowTypes {
  readonly slug: string
  readonly "~input": any
  readonly "~steps": any
  readonly "~needed": any
}

/** The steps of a flow without any.
 * @category models
 * @since 0.1.0 */
export type NoSteps = Named<never, never>

/** Any flow, whatever its types.
 * @category models
 * @since 0.1.0 */
export type AnyFlow = Omit<
  Flow<string, any, any, any>,
  | "~input"
  | "~steps"
  | "~needed"
  | "step"
  | "map"
  | "job"
  | "flow"
  | "waitFor"
  | "sleep"
  | "perform"
  | "prototype"
>

/**
 * Defines a flow: a directed graph of steps, as data.
 *
 * **Details**
 *
 * A step is given the input of the flow where it needs nothing, and else what its needs came to, by
 * their slugs; the input of the flow is also in `ctx.input`. The output of a run is what those
 * steps came to that no step needs.
 *
 * **Gotchas**
 *
 * Each task of a run is delivered at least once, as jobs are. Throws a `DefinitionError` for
 * options out of bounds.
 *
 * **Example** (A graph of three steps)
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict"
 * import { Flow, Worker } from "@millrace/core"
 * import { MemoryDriver } from "@millrace/driver-memory"
 * import { Effect, Layer, Schema } from "effect"
 *
 * const Price = Flow.make("price", { input: { cents: Schema.Int } })
 *   .step("tax", { output: Schema.Int })
 *   .step("shipping", { output: Schema.Int })
 *   .step("total", { needs: ["tax", "shipping"], output: Schema.Int })
 *
 * const price = Price.perform({
 *   tax: ({ cents }) => Effect.succeed(cents / 4),
 *   shipping: () => Effect.succeed(49),
 *   total: ({ tax, shipping }) => Effect.succeed(tax + shipping)
 * })
 *
 * const live = Layer.provideMerge(Worker.layer({ flows: [price] }), MemoryDriver.layer)
 * const output = await Effect.runPromise(Effect.provide(Price.run({ cents: 400 }), live))
 * deepStrictEqual(output, { total: 149 })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <const Slug extends string, I extends Job.SchemaInput = NoSchema>(
  slug: Slug,
  options?: Options<I>,
): Flow<Slug, Job.TypeOf<I>, NoSteps, never> => makeFlow(slug, options ?? {}) as never

/** Tells whether a value is a flow.
 * @category guards
 * @since 0.1.0 */
export const isFlow = (u: unknown): u is AnyFlow => typeof u === "function" && TypeId in u
