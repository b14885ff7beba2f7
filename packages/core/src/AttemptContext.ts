/**
 * What a handler is told about the attempt that it runs in.
 *
 * @since 0.1.0
 */
import { Context, Effect } from "effect"
import { register } from "./internal/completions.ts"

/**
 * The facts of one attempt: the handler's second argument, and the same value as a service.
 *
 * @category services
 * @since 0.1.0
 */
export class AttemptContext extends Context.Service<AttemptContext, {
  readonly runId: string
  readonly taskId: string
  /** The slug of the job or flow. */
  readonly flow: string
  readonly step: string
  /** 0-based among the tasks of one map step; 0 elsewhere. */
  readonly index: number
  /** 1-based: 1 plus the attempts that failed or timed out before this one. */
  readonly attempt: number
  readonly maxAttempts: number
  readonly queue: string
  /**
   * Grows with each claim of the task. Hand it to an external system that refuses a number lower
   * than one it has seen, and a worker that lost its lease can do no harm there.
   */
  readonly fence: number
  /** When the task was enqueued, by the driver's clock, in milliseconds since 1970. */
  readonly enqueuedAt: number
  /** The decoded input of the run; for a job the same as the handler's first argument. */
  readonly input: unknown
  /**
   * Says how far the attempt is, from 0 to 1, and perhaps where (up to 255 characters): `Runs.get`
   * and `Runs.watch` show it. It returns at once and never fails; the latest value is sent once a
   * second at most, and what is said just before the end may never be.
   */
  readonly progress: (fraction: number, note?: string) => Effect.Effect<void>
}>()("@millrace/core/AttemptContext") {}

/**
 * Makes the facts of an attempt for a test: the first of one, unless said otherwise.
 *
 * @category constructors
 * @since 0.1.0
 */
export const forTest = (
  facts: Partial<AttemptContext["Service"]>,
): AttemptContext["Service"] => register(factsOf(facts), "test")

const factsOf = (facts: Partial<AttemptContext["Service"]>): AttemptContext["Service"] => ({
  runId: "00000000-0000-7000-8000-000000000000",
  taskId: facts.runId ?? "00000000-0000-7000-8000-000000000000",
  flow: "test",
  step: facts.flow ?? "test",
  index: 0,
  attempt: 1,
  maxAttempts: Math.max(1, facts.attempt ?? 1),
  queue: facts.flow ?? "test",
  fence: 1,
  enqueuedAt: 0,
  input: undefined,
  progress: () => Effect.void,
  ...facts,
})
