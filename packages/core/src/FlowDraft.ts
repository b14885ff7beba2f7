/**
 * Flows as data that nobody has checked yet, such as those that a program puts together.
 *
 * @since 0.1.0
 */
import type { Flow } from "./FlowBuilder.ts"
import type { StepTypes } from "./FlowTypes.ts"
import * as Drafts from "./internal/flow/Drafts.ts"

/**
 * A flow as data: its slug, the options of `Flow.make`, and its steps, in any order.
 *
 * @category models
 * @since 0.1.0
 */
export interface Draft {
  readonly slug: unknown
  readonly steps: ReadonlyArray<StepDraft>
  readonly input?: unknown
  readonly unique?: unknown
  readonly maxAttempts?: unknown
  readonly maxCrashes?: unknown
  readonly baseDelay?: unknown
  readonly backoff?: unknown
  readonly timeout?: unknown
  readonly queue?: unknown
  readonly priority?: unknown
}

/**
 * A step as data: its slug, the method that adds it, and what that takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface StepDraft {
  readonly slug: unknown
  /** The method that adds it (default `step`). */
  readonly kind?: "step" | "map" | "job" | "flow" | "waitFor" | "sleep"
  /** What a step of kind `job` runs. */
  readonly job?: unknown
  /** What a step of kind `flow` runs. */
  readonly flow?: unknown
  /** How long a step of kind `sleep` takes. */
  readonly duration?: unknown
  /** The options of the method. */
  readonly [option: string]: unknown
}

/** A flow whose types nobody knows.
 * @category models
 * @since 0.1.0 */
export type DynamicFlow = Flow<string, unknown, StepTypes, string>

/**
 * Makes a flow of data. Throws a `DefinitionError` with the first thing that is wrong;
 * `Definition.check` lists all of them.
 *
 * **Example** (A circle)
 *
 * ```ts
 * import { throws } from "node:assert/strict"
 * import { Flow } from "@millrace/core"
 *
 * const steps = [{ slug: "hen", needs: ["egg"] }, { slug: "egg", needs: ["hen"] }]
 * throws(() => Flow.ofDraft({ slug: "farm", steps }), {
 *   message: `Cannot define flow "farm": its steps need each other: "hen" needs "egg" needs "hen"`
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofDraft = (draft: Draft): DynamicFlow => Drafts.make(draft) as never
