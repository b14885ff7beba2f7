/**
 * What the compiler knows of a flow: the types that its steps are given and yield.
 *
 * **Details**
 *
 * Each step is one flat entry, and each call of the builder looks at no more than the entries that
 * it names, so that checking takes time in proportion to the number of steps.
 *
 * @since 0.1.0
 */
import type * as Job from "./Job.ts"
import type { TypeOf } from "./SchemaInput.ts"

/**
 * What the compiler knows of a step.
 *
 * @category models
 * @since 0.1.0
 */
export interface StepType {
  readonly slug: string
  readonly kind: "task" | "map" | "signal" | "sleep" | "job" | "flow"
  readonly needs: string
  /** What its handler answers. */
  readonly output: unknown
  readonly error: unknown
  /** What the steps are given that need it: the output, or the array of a map. */
  readonly value: unknown
  readonly skips: Skips
  readonly undo: unknown
  /** The path of a map; the job or the flow that a step runs. */
  readonly of: unknown
}

/** How a step that was skipped shows in those that need it: its output is `absent`, or they are
 * skipped, too.
 * @category models
 * @since 0.1.0 */
export type Skips = "absent" | "cascades"

/** The steps of a flow, by their slugs.
 * @category models
 * @since 0.1.0 */
export type StepTypes = { readonly [step: string]: StepType }

/** One step by its slug.
 * @category models
 * @since 0.1.0 */
export type Named<Slug extends string, T> = { readonly [P in Slug]: T }

/** A step that a handler runs once.
 * @category models
 * @since 0.1.0 */
export interface TaskType<Slug extends string, Needs extends string, O, E, S extends Skips, D> {
  readonly slug: Slug
  readonly kind: "task"
  readonly needs: Needs
  readonly output: TypeOf<O>
  readonly error: TypeOf<E>
  readonly value: TypeOf<O>
  readonly skips: S
  readonly undo: D
  readonly of: undefined
}

/** A step that a handler runs for each element of an array.
 * @category models
 * @since 0.1.0 */
export interface MapType<
  Slug extends string,
  Needs extends string,
  O,
  E,
  S extends Skips,
  D,
  Over,
  F,
> {
  readonly slug: Slug
  readonly kind: "map"
  readonly needs: Needs
  readonly output: TypeOf<O>
  readonly error: TypeOf<E>
  readonly value: ReadonlyArray<F extends "collect" ? Result<TypeOf<O>, TypeOf<E>> : TypeOf<O>>
  readonly skips: S
  readonly undo: D
  readonly of: Over
}

/** A step that waits for a signal or for some time.
 * @category models
 * @since 0.1.0 */
export interface WaitType<
  Kind extends "signal" | "sleep",
  Slug extends string,
  Needs extends string,
  O,
  S extends Skips,
> {
  readonly slug: Slug
  readonly kind: Kind
  readonly needs: Needs
  readonly output: TypeOf<O>
  readonly error: never
  readonly value: TypeOf<O>
  readonly skips: S
  readonly undo: false
  readonly of: undefined
}

/** A step that runs a job.
 * @category models
 * @since 0.1.0 */
export interface JobType<
  Slug extends string,
  Needs extends string,
  J extends Job.Any,
  S extends Skips,
  D,
> {
  readonly slug: Slug
  readonly kind: "job"
  readonly needs: Needs
  readonly output: JobTypes<J>["output"]
  readonly error: JobTypes<J>["error"]
  readonly value: JobTypes<J>["output"]
  readonly skips: S
  readonly undo: D
  readonly of: J
}

/** The types of a job.
 * @category models
 * @since 0.1.0 */
export type JobTypes<J extends Job.Any> = J["codecs"] extends Job.Codecs<infer I, infer O, infer E>
  ? { readonly input: I; readonly output: O; readonly error: E }
  : never

/** A step that runs another flow, whose runs yield `O` and fail with `E`.
 * @category models
 * @since 0.1.0 */
export interface FlowType<
  Slug extends string,
  Needs extends string,
  F,
  O,
  E,
  S extends Skips,
  D,
> {
  readonly slug: Slug
  readonly kind: "flow"
  readonly needs: Needs
  readonly output: O
  readonly error: E
  readonly value: O
  readonly skips: S
  readonly undo: D
  readonly of: F
}

/** Lets hovers show the fields of an intersection. */
type Flat<A> = { readonly [K in keyof A]: A[K] }

type Skippable<T extends StepType, S extends Skips> = T extends StepType
  ? [Extract<T["skips"], S>] extends [never] ? never : T
  : never

/** `{ step: value }` of some steps, with the keys of some of them optional. */
type Values<T extends StepType, Absent extends StepType> = [Absent] extends [never]
  ? { readonly [P in T as P["slug"]]: P["value"] }
  : Flat<
    & { readonly [P in Exclude<T, Absent> as P["slug"]]: P["value"] }
    & { readonly [P in Absent as P["slug"]]?: P["value"] }
  >

/**
 * What a step is given that needs the steps `T`: the flow's input where these are none, else
 * `{ need: output }`, with the key optional where the need can have been skipped.
 *
 * @category models
 * @since 0.1.0
 */
export type Seen<T extends StepType, Input> = [T] extends [never] ? Input
  : Values<T, Skippable<T, "absent">>

/** The output of a run: what the steps yield that no other step needs, with the key optional where
 * the step can have been skipped.
 * @category models
 * @since 0.1.0 */
export type RunOutput<Steps extends StepTypes, Needed extends string> = Values<
  Steps[Exclude<keyof Steps & string, Needed>],
  Skippable<Steps[Exclude<keyof Steps & string, Needed>], Skips>
>

/** How a step can be skipped: `U` is its `whenUnmet`, `X` its `whenExhausted`, `Given` the options
 * that it has.
 * @category models
 * @since 0.1.0 */
export type SkipsOf<
  NeedSkips,
  Given extends string,
  U extends string,
  X extends string,
> =
  | SkipOf<X>
  | (Given & ("if" | "ifNot" | "when") extends never ? never : SkipOf<U>)
  | Extract<NeedSkips, "cascades">

type SkipOf<O extends string> =
  | ("skip" extends O ? "absent" : never)
  | ("skip-cascade" extends O ? "cascades" : never)

/**
 * What a value has to contain: some keys of an object, some elements of an array, in any depth; all
 * else has to be equal.
 *
 * @category models
 * @since 0.1.0
 */
export type Pattern<A> = A extends Date | ((...args: never) => unknown) ? A
  : A extends ReadonlyArray<infer B> ? ReadonlyArray<Pattern<B>>
  : A extends object ? { readonly [K in keyof A]?: Pattern<A[K]> }
  : A

/** What an element makes of a map whose attempts are spent.
 * @category models
 * @since 0.1.0 */
export type OnFailure = "fail" | "skip" | "collect"

/** What an element came to; `error` is its typed error, where it failed with one.
 * @category models
 * @since 0.1.0 */
export type Result<A, E> =
  | { readonly _tag: "Success"; readonly value: A }
  | { readonly _tag: "Failure"; readonly message: string; readonly error?: E }

/** How a run fails: which step did, and its own typed error.
 * @category models
 * @since 0.1.0 */
export type StepError<Steps extends StepTypes> = {
  readonly [K in keyof Steps]: [Steps[K]["error"]] extends [never] ? never
    : { readonly step: K; readonly error: Steps[K]["error"] }
}[keyof Steps]

/** The slugs of the signals of a flow.
 * @category models
 * @since 0.1.0 */
export type SignalSlugs<Steps extends StepTypes> = Extract<
  Steps[keyof Steps],
  { readonly kind: "signal" }
>["slug"]
