/**
 * The definition of a background job, and its handler: two values, so that a web server can enqueue
 * without importing what the handler needs.
 *
 * @since 0.1.0
 */
import { type Duration, Effect, type Schema } from "effect"
import type * as Attempt from "./Attempt.ts"
import type { AttemptContext } from "./AttemptContext.ts"
import type { Backoff } from "./Backoff.ts"
import * as Client from "./Client.ts"
import type * as Codec from "./Codec.ts"
import * as Definition from "./Definition.ts"
import type { Driver } from "./Driver.ts"
import type { DriverError } from "./DriverError.ts"
import type * as Flow from "./Flow.ts"
import * as Limits from "./Limits.ts"
import * as Problem from "./Problem.ts"
import type { InputInvalid, QueueFull, RunCancelled, RunFailed, RunNotFound } from "./RunError.ts"
import * as RunHandle from "./RunHandle.ts"
import type { RunId } from "./RunId.ts"
import type { SchemaInput, TypeOf } from "./SchemaInput.ts"
import { definedBy } from "./internal/drafts.ts"
import { handled, type HandledTypeId } from "./internal/handled.ts"
import type * as Retention from "./Retention.ts"
import type * as Scheduling from "./Scheduling.ts"
import type * as Timetable from "./Timetable.ts"
import * as Unique from "./Unique.ts"
import * as Schemas from "./internal/schemas.ts"

const TypeId = "~millrace/Job"

export type { SchemaInput, SchemaOf, TypeOf } from "./SchemaInput.ts"

/**
 * The options of a job. All but the schemas have defaults.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<I, O, E> {
  /** The lane that its tasks wait in (default: the slug). Several jobs may share one. */
  readonly queue?: string
  /** A Schema, or the fields of a struct (default: no input). */
  readonly input?: I
  /** A Schema, or the fields of a struct (default: no output). */
  readonly output?: O
  /** The Schema of its typed errors (default: none). */
  readonly error?: E
  /** Attempts in total, the first included: 1 to 100,000 (default 1). */
  readonly maxAttempts?: number
  /** How often its worker may be lost while it runs: 0 to 100 (default 3). */
  readonly maxCrashes?: number
  /** The first delay of an exponential backoff that doubles up to one day (default 1 second). */
  readonly baseDelay?: Duration.Input
  /** Another backoff; not together with `baseDelay`. */
  readonly backoff?: Backoff
  /** How long one attempt may run: up to 7 days (default 30 seconds). */
  readonly timeout?: Duration.Input
  /** 0 to 9, and 0 runs first (default 5). */
  readonly priority?: number
  /** Whether another attempt may mend an error (default: always). */
  readonly retryable?: (error: NoInfer<TypeOf<E>>) => boolean
  /** When two runs are the same, and what becomes of the second (default: they never are). */
  readonly unique?: Unique.Options<NoInfer<TypeOf<I>>>
  /** The key of its group: of each key one runs at a time, in order (default: no group). */
  readonly group?: (input: NoInfer<TypeOf<I>>) => string
  /** How long after it is due a run may begin, up to 10 years, and else is cancelled. */
  readonly expiresIn?: Duration.Input
  /** When workers remove runs that have ended (default: what the worker says, or never). */
  readonly retention?: Retention.Options
  /** When it is enqueued by itself, and with which input. */
  readonly schedule?: Timetable.OfJob<NoInfer<TypeOf<I>>>
  /** What its runs are found by, each of them: at most 16 texts of 1 to 255 characters. */
  readonly tags?: ReadonlyArray<string>
}

/**
 * A job: what may be enqueued, and how it is tried. It can serve as the base of a class, which
 * gives its type a name.
 *
 * @category models
 * @since 0.1.0
 */
export interface Job<Slug extends string, I, O, E> {
  new (_: never): object
  readonly [TypeId]: typeof TypeId
  readonly slug: Slug
  readonly queue: string
  /** The slugs of its steps: one. */
  readonly steps: ReadonlyArray<string>
  readonly definition: Flow.Definition<Slug>
  readonly codecs: Codec.Codecs<I, O, E>
  readonly priority: number
  readonly unique: Unique.Policy | undefined
  readonly group: ((input: unknown) => string) | undefined
  readonly schedule: Scheduling.Draft | undefined
  readonly expiresMillis: number | undefined
  readonly retention: Retention.Options | undefined
  readonly tags: ReadonlyArray<string> | undefined
  // This and `perform` are methods, so that each job is a `Job.Any`, whatever its errors.
  retryable(error: E): boolean

  /** Stores a run and answers its id, without waiting for it. */
  readonly enqueue: (
    input: I,
    options?: Client.EnqueueOptions,
  ) => Effect.Effect<RunId, InputInvalid | QueueFull | DriverError, Driver>

  /** Stores a run of each input, all or none per thousand, and answers their ids in order. */
  readonly enqueueMany: (
    inputs: ReadonlyArray<I>,
    options?: Omit<Client.EnqueueOptions, "id">,
  ) => Effect.Effect<ReadonlyArray<RunId>, InputInvalid | QueueFull | DriverError, Driver>

  /** Stores a run and waits for its output. A worker has to be serving the job somewhere. */
  readonly run: (
    input: I,
    options?: Client.EnqueueOptions,
  ) => Effect.Effect<
    O,
    InputInvalid | QueueFull | DriverError | RunNotFound | RunFailed<E> | RunCancelled,
    Driver
  >

  /** Waits for the output of a run that was enqueued before. */
  readonly await: (
    runId: RunId,
  ) => Effect.Effect<O, DriverError | RunNotFound | RunFailed<E> | RunCancelled, Driver>

  /** A run of it in the hand. */
  readonly handle: (runId: RunId) => RunHandle.RunHandle<O, E>

  /** Gives the job its handler. The name of the step defaults to the slug. */
  perform<R>(handler: Handler<I, O, E, R>): HandledJob<Slug, I, O, E, Exclude<R, AttemptContext>>
  perform<R>(
    step: string,
    handler: Handler<I, O, E, R>,
  ): HandledJob<Slug, I, O, E, Exclude<R, AttemptContext>>
}

export type { Codecs } from "./Codec.ts"

/** The user's function: input and facts of the attempt to an effect.
 * @category models
 * @since 0.1.0 */
export type Handler<I, O, E, R> = (
  input: I,
  ctx: AttemptContext["Service"],
) => Effect.Effect<O, E | Attempt.Control<E>, R>

/**
 * A job with its handler: what a worker serves. `R` is what the handler needs.
 *
 * @category models
 * @since 0.1.0
 */
export interface HandledJob<Slug extends string, I, O, E, out R> {
  readonly [HandledTypeId]: typeof HandledTypeId
  readonly job: Job<Slug, I, O, E>
  readonly slug: Slug
  readonly queue: string
  readonly steps: ReadonlyArray<string>
  readonly definition: Flow.Definition<Slug>
  readonly handler: Handler<I, O, E, R | AttemptContext>
  /** The handler of the named step, or `undefined` where the job has no such step. */
  readonly handlerFor: (step: string) => Handler<I, O, E, R | AttemptContext> | undefined
  /**
   * Calls the handler, for a test: no driver, no worker, and of `ctx` only what the test cares for.
   */
  readonly perform: (
    input: I,
    ctx?: Partial<AttemptContext["Service"]>,
  ) => Effect.Effect<O, E | Attempt.Control<E>, R>
}

/** Any job.
 * @category models
 * @since 0.1.0 */
export type Any = Job<string, any, any, any>

/** Any job with a handler that needs `R`.
 * @category models
 * @since 0.1.0 */
export type AnyHandled<R = any> = HandledJob<string, any, any, any, R>

/** What the handler of a handled job needs.
 * @category models
 * @since 0.1.0 */
export type Requirements<H> = H extends HandledJob<any, any, any, any, infer R> ? R : never

/**
 * Defines a job.
 *
 * **Gotchas**
 *
 * Delivery is at least once: a handler can run again after its worker was lost. Throws a
 * `DefinitionError` for options out of bounds; `Definition.check` lists them as values.
 *
 * **Example** (A job with typed input and output)
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict"
 * import { Job } from "@millrace/core"
 * import { Effect, Schema } from "effect"
 *
 * class SendEmail extends Job.make("send_email", {
 *   input: { to: Schema.String },
 *   output: { sent: Schema.Boolean },
 *   maxAttempts: 3
 * }) {}
 *
 * const sendEmail = SendEmail.perform(({ to }) => Effect.succeed({ sent: to.includes("@") }))
 *
 * const output = await Effect.runPromise(sendEmail.perform({ to: "ada@example.com" }))
 * deepStrictEqual(output, { sent: true })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <
  const Slug extends string,
  I extends SchemaInput = typeof Schema.Void,
  O extends SchemaInput = typeof Schema.Void,
  E extends SchemaInput = typeof Schema.Never,
>(slug: Slug, options?: Options<I, O, E>): Job<Slug, TypeOf<I>, TypeOf<O>, TypeOf<E>> => {
  const draft: Definition.Draft = { ...options, slug }
  Problem.throwFirst(Definition.ofDraft(draft))
  const schemas = Schemas.ofDraft(draft)
  const definition: Flow.Definition<Slug> = {
    slug,
    flowType: "job",
    queue: options?.queue ?? slug,
    input: schemas.input,
    steps: [{
      slug,
      kind: "task",
      needs: [],
      ...schemas,
      policy: Definition.policyOf(options ?? {}),
      startDelayMillis: 0,
      whenUnmet: "skip",
      whenExhausted: "fail",
      undo: false,
    }],
  }
  const codecs: Codec.Codecs<any, any, any> = Schemas.codecsOf(schemas)
  function JobBase() {}
  const job: Omit<Any, "prototype"> = Object.assign(JobBase, {
    [TypeId]: TypeId,
    slug,
    queue: definition.queue,
    steps: [slug],
    definition,
    codecs,
    priority: options?.priority ?? Limits.defaultPriority,
    retryable: options?.retryable ?? (() => true),
    unique: options?.unique === undefined ? undefined : Unique.policyOf(options.unique as never),
    group: options?.group,
    expiresMillis: Client.expiryOf(options?.expiresIn),
    retention: options?.retention,
    tags: options?.tags?.slice(),
    enqueue: (input: unknown, more?: Client.EnqueueOptions) => Client.enqueue(job, input, more),
    enqueueMany: (inputs: ReadonlyArray<unknown>, more?: Client.EnqueueOptions) =>
      Client.enqueueMany(job, inputs, more),
    run: (input: unknown, more?: Client.EnqueueOptions) => Client.run(job, input, more),
    await: (runId: RunId) => Client.awaitOutput(job, runId),
    handle: (runId: RunId) => RunHandle.make(job, runId),
    perform: (...args: ReadonlyArray<unknown>) =>
      args.length < 2 && typeof args[0] !== "string"
        ? handled(job, slug, args[0])
        : handled(job, args[0], args[1]),
  }) as never
  return Object.assign(job, { schedule: definedBy(job, options?.schedule) }) as never
}

/** Tells whether a value is a job.
 * @category guards
 * @since 0.1.0 */
export const isJob = (u: unknown): u is Any => typeof u === "function" && TypeId in u
