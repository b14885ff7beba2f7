/**
 * What runs, as data: a definition is a directed graph of steps. A job is a flow with one step.
 *
 * @since 0.1.0
 */
import type { Schema } from "effect"
import type { Backoff } from "./Backoff.ts"

/**
 * The definition of a flow or of a job: data that can be inspected and checked before anything
 * runs.
 *
 * @category models
 * @since 0.1.0
 */
export interface Definition<Slug extends string = string> {
  readonly slug: Slug
  readonly flowType: "job" | "flow"
  /** The lane that its tasks wait in. */
  readonly queue: string
  readonly input: Schema.Constraint
  readonly steps: ReadonlyArray<Step>
  readonly version?: string | undefined
  readonly priority?: number | undefined
}

/**
 * One node of a flow.
 *
 * @category models
 * @since 0.1.0
 */
export interface Step {
  readonly slug: string
  /** The steps whose outputs it takes; none for a root step, and so for a job's one step. */
  readonly needs: ReadonlyArray<string>
  readonly input: Schema.Constraint
  readonly output: Schema.Constraint
  readonly error: Schema.Constraint
  readonly policy: Policy
  readonly kind: StepKind
  readonly queue?: string | undefined
  readonly priority?: number | undefined
  readonly startDelayMillis: number
  readonly over?: ReadonlyArray<string> | undefined
  readonly onFailure?: "fail" | "skip" | "collect" | undefined
  readonly condition?: Condition | undefined
  readonly whenUnmet: Otherwise
  readonly whenExhausted: Otherwise
  readonly undo: boolean
  readonly waitMillis?: number | undefined
  readonly convert?: ((value: unknown) => unknown) | undefined
  readonly flow?: Definition | undefined
}

export type StepKind = "task" | "map" | "signal" | "sleep" | "flow"
export type Otherwise = "fail" | "skip" | "skip-cascade"
export interface Condition {
  readonly if?: unknown
  readonly ifNot?: unknown
  readonly when?: ((value: unknown) => boolean) | undefined
}

/**
 * How often, how patiently and how long a step is tried.
 *
 * @category models
 * @since 0.1.0
 */
export interface Policy {
  /** Attempts in total, the first included. */
  readonly maxAttempts: number
  /** How many times a worker may be lost with the task before it is given up. */
  readonly maxCrashes: number
  readonly backoff: Backoff
  readonly timeoutMillis: number
}

export { type AnyFlow, type Flow, isFlow, make, type Options } from "./FlowBuilder.ts"
export type * from "./FlowChecks.ts"
export { type Draft, type DynamicFlow, ofDraft, type StepDraft } from "./FlowDraft.ts"
export type * from "./FlowHandlers.ts"
export type * from "./FlowOptions.ts"
export type * from "./FlowSteps.ts"
export type * from "./FlowTypes.ts"
export { toMermaid } from "./Mermaid.ts"
