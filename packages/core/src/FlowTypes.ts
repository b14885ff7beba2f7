/**
 * The types of flows: what each step is given and answers, worked out from the steps before it.
 *
 * @since 0.1.0
 */

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

type Simplify<A> = { readonly [K in keyof A]: A[K] }

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
export type Absent<Conditional, W, X> = Conditional extends true
  ? W extends "skip" ? true : X extends "skip" ? true : false
  : X extends "skip" ? true
  : false

/** Whether a step with a condition and these policies may take others with it.
 * @category models
 * @since 0.1.0 */
export type Cascades<
  Conditional,
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

/** How a step may be left out, and whether it is undone: whether it has a condition, `whenUnmet`,
 * `whenExhausted`, `undo`.
 * @category models
 * @since 0.1.0 */
export type Modes<F, G, P, W, X, U> = readonly [Conditional<F, G, P>, W, X, U]

type AnyModes = readonly [unknown, unknown, unknown, unknown]

/** A step that is made, as the types know it.
 * @category models
 * @since 0.1.0 */
export interface Made<Work, In, Out, E, Value, M extends AnyModes, Steps extends StepTypes, N>
  extends StepType {
  readonly work: Work & StepType["work"]
  readonly input: In
  readonly output: Out
  readonly error: E
  readonly value: Value
  readonly absent: Absent<M[0], M[1], M[2]>
  readonly cascades: Cascades<M[0], M[1], M[2], Steps, N & ReadonlyArray<string>>
  readonly undo: M[3] & boolean
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
