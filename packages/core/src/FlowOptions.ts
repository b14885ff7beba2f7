/**
 * The options of the steps of flows.
 *
 * @since 0.1.0
 */
import type { Duration } from "effect"
import type { Backoff } from "./Backoff.ts"
import type { Otherwise } from "./Flow.ts"
import type { OnFailure, Pattern } from "./FlowTypes.ts"
import type { SchemaInput, TypeOf } from "./SchemaInput.ts"

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

/** What any step of a flow can be told; `V` is the value that it sees.
 * @category models
 * @since 0.1.0 */
export interface ConditionOptions<V, W, X> {
  /** What the value that it sees must contain; else the step is not run. */
  readonly if?: NoInfer<Pattern<V>>
  /** What the value that it sees must not contain. */
  readonly ifNot?: NoInfer<Pattern<V>>
  /** What else must hold for the value that it sees. It must be pure. */
  readonly when?: (value: NoInfer<V>) => boolean
  /**
   * What becomes of it where its condition is not met: the run fails, later steps run without it,
   * or are skipped with it (default `skip`).
   */
  readonly whenUnmet?: W & Otherwise
  /** The same, where its attempts are spent (default `fail`). */
  readonly whenExhausted?: X & Otherwise
}

/** The options of a step that sees what earlier steps came to.
 * @category models
 * @since 0.1.0 */
export interface CommonOptions<N, V, W, X> extends ConditionOptions<V, W, X> {
  /** The earlier steps whose values it is given (default: none, and the input of the flow). */
  readonly needs?: ReadonlyArray<N>
}

/** The options of what has a handler.
 * @category models
 * @since 0.1.0 */
export interface HandlerOptions<O, E, U> extends PolicyOptions {
  /** A Schema, or the fields of a struct (default: no output). */
  readonly output?: O
  /** The Schema of its typed errors (default: none). */
  readonly error?: E
  /** Whether another attempt may mend an error (default: always). */
  readonly retryable?: (error: NoInfer<TypeOf<E>>) => boolean
  /** Not to be started before this long after its needs are over: up to 10 years (default 0). */
  readonly startDelay?: Duration.Input
  /** Whether its handler brings an `undo`, for a run that fails or is cancelled (default no). */
  readonly undo?: U & boolean
}

/** The options of a step with a handler.
 * @category models
 * @since 0.1.0 */
export interface StepOptions<N, V, O, E, W, X, U>
  extends CommonOptions<N, V, W, X>, HandlerOptions<O, E, U> {}

/** The options of a map: a task for each element of an array.
 * @category models
 * @since 0.1.0 */
export interface MapOptions<Over, V, O, E, W, X, U, C>
  extends ConditionOptions<V, W, X>, HandlerOptions<O, E, U> {
  /**
   * Where the array is: an earlier step, or the input of the flow as `input`, and then the keys
   * that lead to it, such as `validate.items`.
   */
  readonly over: Over
  /** The Schema of its elements, where it does not follow from that of the array. */
  readonly element?: SchemaInput
  /**
   * What an element makes of the map whose attempts are spent: the map fails (default), goes on and
   * leaves it out (`skip`), or has a result for each element, a success or a failure (`collect`).
   */
  readonly onFailure?: C & OnFailure
}

/** The options of a step that is a job or a flow, whose input is `I`.
 * @category models
 * @since 0.1.0 */
export interface WorkOptions<N, V, I, W, X, U>
  extends CommonOptions<N, V, W, X>, Pick<PolicyOptions, "queue" | "priority"> {
  /** Makes its input of the value that the step sees (default: that value). It must be pure. */
  readonly input?: (value: NoInfer<V>) => I
  /** Not to be started before this long after its needs are over: up to 10 years (default 0). */
  readonly startDelay?: Duration.Input
  /** Whether an `undo` comes with its handler, for a run that fails or is cancelled (default no) */
  readonly undo?: U & boolean
}

/** The options of a signal: a step that waits for a value from outside.
 * @category models
 * @since 0.1.0 */
export interface SignalOptions<N, V, O, W, X> extends CommonOptions<N, V, W, X> {
  /** The Schema of its value, or the fields of a struct (default: no value). */
  readonly output?: O
  /** How long it waits before it fails: up to 10 years (default: for ever). */
  readonly timeout?: Duration.Input
}
