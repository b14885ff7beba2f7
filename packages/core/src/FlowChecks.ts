/**
 * What the compiler says where a flow is wrong: each type here is what was written, where that is
 * right, and else a text that tells what is wrong with it.
 *
 * @since 0.1.0
 */
import type { StepTypes } from "./FlowTypes.ts"

/** A slug that is free.
 * @category checks
 * @since 0.1.0 */
export type FreeSlug<Slug extends string, Steps> = Slug extends keyof Steps
  ? `Step '${Slug}' is defined twice`
  : Slug extends "input" ? "A step cannot be called 'input', which is the input of the flow"
  : Slug

/** Slugs of earlier steps.
 * @category checks
 * @since 0.1.0 */
export type Earlier<Slug extends string, Needs, Steps> = Needs extends keyof Steps ? Needs
  : Needs extends Slug ? `Step '${Slug}' cannot need itself`
  : `Step '${Slug}' needs '${Needs & string}', which is no earlier step`

/** What a path leads to, which begins with an earlier step or with `input`.
 * @category checks
 * @since 0.1.0 */
export type SourceOf<Over, Steps extends StepTypes, Input> = Over extends "input" ? Input
  : Over extends keyof Steps ? Steps[Over]["value"]
  : Over extends `${infer Head}.${infer Rest}` ? Head extends "input" ? At<Input, Rest>
    : Head extends keyof Steps ? At<Steps[Head]["value"], Rest>
    : Missing
  : Missing

type At<A, Path> = Path extends keyof A ? A[Path]
  : Path extends `${infer Head}.${infer Rest}` ? Head extends keyof A ? At<A[Head], Rest> : Missing
  : Missing

/** Stands for what a path does not lead to. */
interface Missing {
  readonly "~missing": true
}

/** The elements of what a path leads to.
 * @category checks
 * @since 0.1.0 */
export type ElementOf<Over, Steps extends StepTypes, Input> = SourceOf<
  Over,
  Steps,
  Input
> extends ReadonlyArray<infer A> ? A : never

/** The step that a path begins with, where it is one.
 * @category checks
 * @since 0.1.0 */
export type SourceStep<Over, Steps> = Over extends keyof Steps ? Over
  : Over extends `${infer Head}.${string}` ? Head extends keyof Steps ? Head : never
  : never

/** A path to an array.
 * @category checks
 * @since 0.1.0 */
export type ToArray<Slug extends string, Over extends string, Steps extends StepTypes, Input> =
  SourceOf<Over, Steps, Input> extends infer A
    ? [A] extends [Missing]
      ? `Map '${Slug}' is over '${Over}', which is no earlier step, nor in one, nor in 'input'`
    : [A] extends [ReadonlyArray<unknown>] ? Over
    : `Map '${Slug}' is over '${Over}', which is no array`
    : never

/** What a step runs, where that takes what the step sees, or where its input is made of that.
 * @category checks
 * @since 0.1.0 */
export type Fitting<Slug extends string, Work, Value, Input, Given extends string> = "input" extends
  Given ? Work
  : [Value] extends [Input] ? Work
  : `What step '${Slug}' sees does not fit: make the input of it with the option 'input'`
