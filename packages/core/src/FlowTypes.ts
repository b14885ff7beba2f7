/**
 * The types of flows: what each step is given and answers, worked out from the steps before it.
 *
 * @since 0.1.0
 */
import type { Duration } from "effect"
import type { Backoff } from "./Backoff.ts"
import type { Otherwise } from "./Flow.ts"
import type * as Job from "./Job.ts"

/**
 * What the types know of a step.
 *
 * @category models
 * @since 0.1.0
 */
export interface StepType {
  /** What it is: a step with a handler, a job, a flow, a signal, or a sleep. */
  readonly work: "handler" | "job" | "flow" | "signal" | "sleep"
  /** What its handler is given; the job or flow that it is. */
  readonly input: unknown
  /** What its handler answers. */
  readonly output: unknown
  readonly error: unknown
  /** What later steps see of it. */
  readonly value: unknown
  /** Whether later steps may run without it. */
  readonly absent: boolean
  /** Whether it may be skipped together with what needs it. */
  readonly cascades: boolean
  readonly undo: boolean
}

/** The steps of a flow so far, by their slugs.
 * @category models
 * @since 0.1.0 */
export type StepTypes = { readonly [slug: string]: StepType }

/** A slug that is free, or what is wrong with it.
 * @category models
 * @since 0.1.0 */
export type FreeSlug<K, Steps> = K extends keyof Steps ? `Step '${K & string}' is defined twice`
  : K extends "input" ? "A step cannot be called 'input', which is the input of the flow"
  : K

/** Slugs of earlier steps, or what is wrong with each.
 * @category models
 * @since 0.1.0 */
export type Earlier<N extends ReadonlyArray<string>, Steps, K> = {
  readonly [I in keyof N]: N[I] extends keyof Steps ? N[I]
    : N[I] extends K ? `Step '${K & string}' cannot need itself`
    : `Step '${K & string}' needs '${N[I]}', which is no earlier step`
}

type Simplify<A> = { readonly [K in keyof A]: A[K] } & {}

/** What a step sees: the input of the flow where it needs nothing, else what its needs came to.
 * @category models
 * @since 0.1.0 */
export type Seen<I, Steps extends StepTypes, N extends ReadonlyArray<string>> = [N[number]] extends
  [never] ? I : Simplify<
  & {
    readonly [
      K in N[number] & keyof Steps as Steps[K]["absent"] extends true ? never : K
    ]: Steps[K]["value"]
  }
  & {
    readonly [
      K in N[number] & keyof Steps as Steps[K]["absent"] extends true ? K : never
    ]?: Steps[K]["value"]
  }
>

/** A part of a value: of objects any keys, of arrays some elements.
 * @category models
 * @since 0.1.0 */
export type Pattern<A> = A extends ReadonlyArray<infer B> ? ReadonlyArray<Pattern<B>>
  : A extends Date ? A
  : A extends object ? { readonly [K in keyof A]?: Pattern<A[K]> }
  : A

/** Whether a step with a condition and these policies may leave its key out.
 * @category models
 * @since 0.1.0 */
export type Absent<Conditional extends boolean, W, X> = Conditional extends true
  ? W extends "skip" ? true : X extends "skip" ? true : false
  : X extends "skip" ? true
  : false

/** Whether a step with a condition and these policies may take others with it.
 * @category models
 * @since 0.1.0 */
export type Cascades<
  Conditional extends boolean,
  W,
  X,
  Steps extends StepTypes,
  N extends ReadonlyArray<string>,
> = Conditional extends true ? W extends "skip-cascade" ? true : CascadesAnyway<X, Steps, N>
  : CascadesAnyway<X, Steps, N>

type CascadesAnyway<X, Steps extends StepTypes, N extends ReadonlyArray<string>> = X extends
  "skip-cascade" ? true
  : true extends Steps[N[number] & keyof Steps]["cascades"] ? true
  : false

/** Whether any part of a condition was given.
 * @category models
 * @since 0.1.0 */
export type Conditional<F, G, P> = [F, G, P] extends [never, never, never] ? false : true

/** How often, how patiently and how long a step is tried; the flow's own where it says nothing.
 * @category models
 * @since 0.1.0 */
export interface PolicyOptions {
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
  /** The lane that its tasks wait in (default: the slug of the flow). */
  readonly queue?: string
  /** 0 to 9, and 0 runs first (default 5). */
  readonly priority?: number
}

/** What any step of a flow can be told.
 * @category models
 * @since 0.1.0 */
export interface CommonOptions<N, F, G, P, W, X, V> {
  /** The earlier steps whose values it is given (default: none, and the input of the flow). */
  readonly needs?: N
  /** What the value that it sees must contain; else the step is not run. */
  readonly if?: F
  /** What the value that it sees must not contain. */
  readonly ifNot?: G
  /** What else must hold for the value that it sees. It must be pure. */
  readonly when?: (value: V) => P
  /**
   * What becomes of it where its condition is not met: the run fails, later steps run without it, or
   * are skipped with it (default `skip`).
   */
  readonly whenUnmet?: W & Otherwise
  /** The same, where its attempts are spent (default `fail`). */
  readonly whenExhausted?: X & Otherwise
}

/** The options of a step with a handler.
 * @category models
 * @since 0.1.0 */
export interface StepOptions<N, O, E, F, G, P, W, X, U, V>
  extends CommonOptions<N, F, G, P, W, X, V>, PolicyOptions {
  /** A Schema, or the fields of a struct (default: no output). */
  readonly output?: O
  /** The Schema of its typed errors (default: none). */
  readonly error?: E
  /** Whether another attempt may mend an error (default: always). */
  readonly retryable?: (error: NoInfer<Job.TypeOf<E>>) => boolean
  /** Not to be started before this long after its needs are over: up to 10 years (default 0). */
  readonly startDelay?: Duration.Input
  /** Whether its handler brings an `undo`, for a run that fails or is cancelled (default no). */
  readonly undo?: U & boolean
}

/** The options of a map: a task for each element of an array.
 * @category models
 * @since 0.1.0 */
export interface MapOptions<Over, O, E, F, G, P, W, X, U, C, V>
  extends Omit<StepOptions<never, O, E, F, G, P, W, X, U, V>, "needs"> {
  /**
   * Where the array is: an earlier step, or the input of the flow as `input`, and then the keys that
   * lead to it, such as `validate.items`.
   */
  readonly over: Over
  /** The Schema of its elements, where it does not follow from that of the array. */
  readonly element?: Job.SchemaInput
  /**
   * What an element makes of the map whose attempts are spent: the map fails (default), goes on and
   * leaves it out (`skip`), or has a result for each element, a success or a failure (`collect`).
   */
  readonly onFailure?: C & OnFailure
}

/** What an element makes of a map whose attempts are spent.
 * @category models
 * @since 0.1.0 */
export type OnFailure = "fail" | "skip" | "collect"

/** What an element came to.
 * @category models
 * @since 0.1.0 */
export type Result<A, E> =
  | { readonly _tag: "Success"; readonly value: A }
  | { readonly _tag: "Failure"; readonly message: string; readonly error?: E }

/** The value of a map.
 * @category models
 * @since 0.1.0 */
export type MapValue<A, E, C> = C extends "collect" ? ReadonlyArray<Result<A, E>> : ReadonlyArray<A>

type At<A, P> = P extends `${infer H}.${infer R}` ? H extends keyof A ? At<A[H], R> : never
  : P extends keyof A ? A[P]
  : never

/** What a path leads to.
 * @category models
 * @since 0.1.0 */
export type Source<I, Steps extends StepTypes, P> = P extends `${infer H}.${infer R}`
  ? H extends "input" ? At<I, R>
  : H extends keyof Steps ? At<Steps[H]["value"], R>
  : never
  : P extends "input" ? I
  : P extends keyof Steps ? Steps[P]["value"]
  : never

/** A path to an array, or what is wrong with it.
 * @category models
 * @since 0.1.0 */
export type ArrayPath<P, I, Steps extends StepTypes> = [Source<I, Steps, P>] extends [never]
  ? `'${P & string}' is no earlier step, and no field of one or of the input`
  : Source<I, Steps, P> extends ReadonlyArray<unknown> ? P
  : `'${P & string}' is not an array`

/** The element of the array that a path leads to.
 * @category models
 * @since 0.1.0 */
export type ElementAt<I, Steps extends StepTypes, P> = Source<I, Steps, P> extends
  ReadonlyArray<infer A> ? A : never

/** The step that a path begins with, as needs.
 * @category models
 * @since 0.1.0 */
export type NeedsOf<P> = P extends `${infer H}.${string}` ? NeedsOf<H>
  : P extends "input" ? readonly []
  : readonly [P & string]

/** How the value that a step sees becomes the input of the job or flow that it is.
 * @category models
 * @since 0.1.0 */
export type Conversion<V, I> = [V] extends [I] ? { readonly input?: (value: V) => I }
  : { readonly input: (value: V) => I }

/** The options of a step that is a job or a flow.
 * @category models
 * @since 0.1.0 */
export interface WorkOptions<N, F, G, P, W, X, U, V>
  extends CommonOptions<N, F, G, P, W, X, V>, Pick<PolicyOptions, "queue" | "priority"> {
  /** Not to be started before this long after its needs are over: up to 10 years (default 0). */
  readonly startDelay?: Duration.Input
  /** Whether an `undo` comes with its handler, for a run that fails or is cancelled (default no). */
  readonly undo?: U & boolean
}

/** The options of a signal: a step that waits for a value from outside.
 * @category models
 * @since 0.1.0 */
export interface SignalOptions<N, O, F, G, P, W, X, V> extends CommonOptions<N, F, G, P, W, X, V> {
  /** The Schema of its value, or the fields of a struct (default: no value). */
  readonly output?: O
  /** How long it waits before it fails: up to 10 years (default: for ever). */
  readonly timeout?: Duration.Input
}

/** A step that is made, as the types know it.
 * @category models
 * @since 0.1.0 */
export interface Made<Work, In, Out, E, Value, F, G, P, W, X, U, Steps extends StepTypes, N>
  extends StepType {
  readonly work: Work & StepType["work"]
  readonly input: In
  readonly output: Out
  readonly error: E
  readonly value: Value
  readonly absent: Absent<Conditional<F, G, P>, W, X>
  readonly cascades: Cascades<Conditional<F, G, P>, W, X, Steps, N & ReadonlyArray<string>>
  readonly undo: U & boolean
}

/** The output of a run: what the steps came to that no step needs.
 * @category models
 * @since 0.1.0 */
export type RunOutput<Steps extends StepTypes, Needed> = Simplify<
  & {
    readonly [
      K in Exclude<keyof Steps, Needed> as MaySkip<Steps[K]> extends true ? never : K
    ]: Steps[K]["value"]
  }
  & {
    readonly [
      K in Exclude<keyof Steps, Needed> as MaySkip<Steps[K]> extends true ? K : never
    ]?: Steps[K]["value"]
  }
>

type MaySkip<S extends StepType> = true extends S["absent"] | S["cascades"] ? true : false

/** How a run fails: which step did, and its own typed error.
 * @category models
 * @since 0.1.0 */
export type StepError<Steps extends StepTypes> = {
  readonly [K in keyof Steps]: [Steps[K]["error"]] extends [never] ? never
    : { readonly step: K; readonly error: Steps[K]["error"] }
}[keyof Steps]

/** The signals of a flow, by their slugs.
 * @category models
 * @since 0.1.0 */
export type SignalsOf<Steps extends StepTypes> = {
  readonly [K in keyof Steps as Steps[K]["work"] extends "signal" ? K : never]: Steps[K]["value"]
}
