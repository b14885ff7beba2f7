/**
 * Handlers of the steps of flows: apart from the definition, as those of jobs are.
 *
 * @since 0.1.0
 */
import type { Effect } from "effect"
import type * as Attempt from "./Attempt.ts"
import type { AttemptContext } from "./AttemptContext.ts"
import type * as Flow from "./Flow.ts"
import type { AnyFlow } from "./FlowBuilder.ts"
import type { ElementOf } from "./FlowChecks.ts"
import type { JobTypes, Seen, StepType, StepTypes } from "./FlowTypes.ts"
import type * as Job from "./Job.ts"

/**
 * A flow with its handlers: what a worker serves. `R` is what the handlers need, `Calls` what its
 * steps are called with in a test.
 *
 * @category models
 * @since 0.1.0
 */
export interface HandledFlow<Slug extends string, out R, Calls = any> {
  readonly [HandledTypeId]: typeof HandledTypeId
  readonly flow: AnyFlow
  readonly slug: Slug
  readonly queue: string
  readonly definition: Flow.Definition<Slug>
  /** The handlers as they were given, by the slugs of their steps. */
  readonly handlers: Readonly<Record<string, unknown>>
  /** The handler of a step; `undefined` where it has none of its own. */
  readonly handlerFor: (step: string) => Job.Handler<any, any, any, R | AttemptContext> | undefined
  /** The undo of a step; `undefined` where it has none. */
  readonly undoFor: (step: string) => Job.Handler<any, any, any, R | AttemptContext> | undefined
  /**
   * Calls the handler of a step, for a test: no driver, no worker, and of `ctx` only what the test
   * cares for. A map's is called with one element.
   */
  perform<K extends keyof Calls & string>(
    step: K,
    input: Call<Calls[K]>["input"],
    ctx?: Partial<FlowContext<Call<Calls[K]>["flow"]>>,
  ): Effect.Effect<
    Call<Calls[K]>["output"],
    Call<Calls[K]>["error"] | Attempt.Control<Call<Calls[K]>["error"]>,
    R
  >
  /** Never called; it keeps `R` in the type. */
  readonly requires?: (_: never) => R
}

/** What a step is called with in a test, and what it answers. */
interface StepCall {
  readonly flow: unknown
  readonly input: unknown
  readonly output: unknown
  readonly error: unknown
}

type Call<C> = C extends StepCall ? C : never

/** What the steps of a flow are called with in a test, by their slugs.
 * @category models
 * @since 0.1.0 */
export type StepCalls<Steps extends StepTypes, I> = {
  readonly [K in Exclude<Handled<Steps>, FlowSlugs<Steps>>]: {
    readonly flow: I
    readonly input: GivenTo<Steps, I, Steps[K]>
    readonly output: Steps[K]["output"]
    readonly error: Steps[K]["error"]
  }
}

/** Marks a flow with its handlers.
 * @category type IDs
 * @since 0.1.0 */
export const HandledTypeId = "~millrace/HandledFlow"

/** Any flow with its handlers that need `R`.
 * @category models
 * @since 0.1.0 */
export type AnyHandledFlow<R = any> = HandledFlow<string, R, any>

/**
 * The facts of an attempt, as the handlers of a flow are told them: `input` is that of the flow.
 *
 * @category models
 * @since 0.1.0
 */
export interface FlowContext<I> extends Omit<AttemptContext["Service"], "input"> {
  readonly input: I
}

/** The user's function of a step: what it is given, and facts of the attempt, to an effect.
 * @category models
 * @since 0.1.0 */
export type StepHandler<A, I, O, E, R> = (
  input: A,
  ctx: FlowContext<I>,
) => Effect.Effect<O, E | Attempt.Control<E>, R>

/** Takes back what a step did, whose output it is given.
 * @category models
 * @since 0.1.0 */
export type Undo<O, I, R = any> = (
  output: O,
  ctx: FlowContext<I>,
) => Effect.Effect<unknown, unknown, R>

/** The handlers that a flow has to be given, by the slugs of their steps.
 * @category models
 * @since 0.1.0 */
// No `as` clause here: it would have the compiler work out all handlers to look at each of them.
export type Handlers<Steps extends StepTypes, I> = {
  readonly [K in Handled<Steps>]: HandlerOf<Steps[K], GivenTo<Steps, I, Steps[K]>, I>
}

type Handled<Steps extends StepTypes> = Exclude<
  Steps[keyof Steps],
  { readonly kind: "signal" | "sleep" }
>["slug"]

type FlowSlugs<Steps extends StepTypes> = Extract<
  Steps[keyof Steps],
  { readonly kind: "flow" }
>["slug"]

type GivenTo<Steps extends StepTypes, I, S extends StepType> = S["kind"] extends "map"
  ? ElementOf<S["of"], Steps, I>
  : S["of"] extends Job.Any ? JobTypes<S["of"]>["input"]
  : Seen<Steps[S["needs"]], I>

type HandlerOf<S extends StepType, A, I> = true extends S["undo"]
  ? { readonly run: RunOf<S, A, I>; readonly undo: Undo<S["output"], I> }
  : RunOf<S, A, I>

type RunOf<S extends StepType, A, I> = S["kind"] extends "job" ? HandledJobOf<S["of"]>
  : S["kind"] extends "flow" ? HandledFlowOf<S["of"]>
  : StepHandler<A, I, S["output"], S["error"], any>

type HandledJobOf<J> = J extends Job.Job<infer Slug, infer I, infer O, infer E>
  ? Job.HandledJob<Slug, I, O, E, any>
  : never

type HandledFlowOf<F> = F extends { readonly slug: infer Slug extends string }
  ? HandledFlow<Slug, any>
  : never

/** What handlers need.
 * @category models
 * @since 0.1.0 */
export type RequirementsOf<H> = {
  readonly [K in keyof H]: Requirement<H[K]>
}[keyof H]

type Requirement<H> = H extends { readonly run: infer Run; readonly undo: infer U }
  ? Requirement<Run> | Requirement<U>
  : H extends Job.HandledJob<any, any, any, any, infer R> ? R
  : H extends HandledFlow<any, infer R> ? R
  : H extends (...args: ReadonlyArray<any>) => Effect.Effect<any, any, infer R>
    ? Exclude<R, AttemptContext>
  : never

/** Says which handlers belong to no step.
 * @category models
 * @since 0.1.0 */
export type NoOthers<H, Steps extends StepTypes> = {
  readonly [K in Exclude<keyof H, Handled<Steps>>]: `There is no step '${
    & K
    & string}' that takes a handler`
}
