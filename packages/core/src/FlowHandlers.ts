/**
 * Handlers of the steps of flows: apart from the definition, as those of jobs are.
 *
 * @since 0.1.0
 */
import type { Effect } from "effect"
import type { AttemptContext } from "./AttemptContext.ts"
import type * as Flow from "./Flow.ts"
import type { AnyFlow } from "./FlowBuilder.ts"
import type { StepType, StepTypes } from "./FlowTypes.ts"
import type * as Job from "./Job.ts"

/**
 * A flow with its handlers: what a worker serves. `R` is what the handlers need.
 *
 * @category models
 * @since 0.1.0
 */
export interface HandledFlow<Slug extends string, out R> {
  readonly [HandledTypeId]: typeof HandledTypeId
  readonly flow: AnyFlow
  readonly slug: Slug
  readonly queue: string
  readonly definition: Flow.Definition<Slug>
  /** The handlers as they were given, by the slugs of their steps. */
  readonly handlers: Readonly<Record<string, unknown>>
  /** The handler of a step; `undefined` where it has none of its own. */
  readonly handlerFor: (step: string) => Job.Handler<any, any, any, R | AttemptContext> | undefined
  /** Never called; it keeps `R` in the type. */
  readonly requires?: (_: never) => R
}

/** Marks a flow with its handlers.
 * @category type IDs
 * @since 0.1.0 */
export const HandledTypeId = "~millrace/HandledFlow"

/** Any flow with its handlers that need `R`.
 * @category models
 * @since 0.1.0 */
export type AnyHandledFlow<R = any> = HandledFlow<string, R>

/** The handlers that a flow has to be given, by the slugs of their steps.
 * @category models
 * @since 0.1.0 */
export type Handlers<Steps extends StepTypes> = {
  readonly [K in keyof Steps as NeedsNone<Steps[K]> extends true ? never : K]: HandlerOf<Steps[K]>
}

type NeedsNone<S extends StepType> = S["work"] extends "signal" | "sleep" ? true : false

type HandlerOf<S extends StepType> = S["undo"] extends true
  ? { readonly run: RunOf<S>; readonly undo: Undo<S["output"]> }
  : RunOf<S>

type RunOf<S extends StepType> = S["work"] extends "job" ? HandledJobOf<S["input"]>
  : S["work"] extends "flow" ? HandledFlowOf<S["input"]>
  : Job.Handler<S["input"], S["output"], S["error"], any>

type HandledJobOf<J> = J extends Job.Job<infer Slug, infer I, infer O, infer E>
  ? Job.HandledJob<Slug, I, O, E, any>
  : never

type HandledFlowOf<F> = F extends { readonly slug: infer Slug extends string }
  ? HandledFlow<Slug, any>
  : never

/** Takes back what a step did, whose output it is given.
 * @category models
 * @since 0.1.0 */
export type Undo<O, R = any> = (
  output: O,
  ctx: AttemptContext["Service"],
) => Effect.Effect<unknown, unknown, R>

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
  readonly [K in Exclude<keyof H, keyof Handlers<Steps>>]: `There is no step '${
    & K
    & string}' that takes a handler`
}
