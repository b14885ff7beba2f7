/**
 * Enqueueing and waiting: what `Job`'s methods do.
 *
 * @since 0.1.0
 */
import { Context, Effect, Result } from "effect"
import type { Duration } from "effect"
import type { NewTask } from "./Driver.ts"
import { Driver } from "./Driver.ts"
import type { DriverError } from "./DriverError.ts"
import { disagreement } from "./internal/agreement.ts"
import { problemOf } from "./internal/enqueueProblem.ts"
import { type Instant, instantOf } from "./internal/instants.ts"
import type * as Job from "./Job.ts"
import { traceparentOf } from "./internal/traceparent.ts"
import * as Key from "./Key.ts"
import * as Labels from "./Labels.ts"
import * as Limits from "./Limits.ts"
import * as Problem from "./Problem.ts"
import { InputInvalid, QueueFull, RunCancelled, RunFailed, RunNotFound } from "./RunError.ts"
import * as RunId from "./RunId.ts"
import * as Runs from "./Runs.ts"
import { refuseToWait } from "./Transaction.ts"
import * as Unique from "./Unique.ts"

/**
 * How a run is enqueued.
 *
 * @category models
 * @since 0.1.0
 */
export interface EnqueueOptions {
  /** Not to be started before this long from now: up to 10 years (default 0). */
  readonly delay?: Duration.Input
  /** Not to be started before this instant; not together with `delay`. */
  readonly at?: Instant
  /**
   * Where no attempt has begun this long after it is due, it ends cancelled: 1 millisecond to 10
   * years (default: the job's, or never).
   */
  readonly expiresIn?: Duration.Input
  /** 0 to 9, and 0 runs first (default: the job's). */
  readonly priority?: number
  /** The id of the run, a UUID; a second enqueue with the same id stores nothing and answers it. */
  readonly id?: RunId.RunId
  /** What it is found by, beside the tags of its job: at most 16 texts of 1 to 255 characters. */
  readonly tags?: ReadonlyArray<string>
  /** What it is found by: at most 16 pairs; names have 1 to 64 characters, values up to 255. */
  readonly meta?: Readonly<Record<string, string>>
  /** Whether to fail with `QueueFull` or to wait where the queue is full (default `fail`). */
  readonly whenFull?: "fail" | "wait"
}

/** Any job, or what is enqueued like one.
 * @category models
 * @since 0.1.0 */
export type AnyJob = Omit<Job.Any, "prototype"> & {
  /** The tasks that are stored for a run: that of the job, or more where it is a flow. */
  readonly expand?: (own: NewTask) => ReadonlyArray<NewTask>
}

/** Stores a run of a job.
 * @category running
 * @since 0.1.0 */
export const enqueue = (job: AnyJob, input: unknown, options?: EnqueueOptions) =>
  Effect.map(insert(job, [input], options, {}), ([id]) => id!)

/** Stores a run of each input.
 * @category running
 * @since 0.1.0 */
export const enqueueMany = (
  job: AnyJob,
  inputs: ReadonlyArray<unknown>,
  options?: EnqueueOptions,
): Effect.Effect<ReadonlyArray<RunId.RunId>, InputInvalid | QueueFull | DriverError, Driver> =>
  insert(job, inputs, options, { many: true })

/** Stores a run and waits for its output.
 * @category running
 * @since 0.1.0 */
export const run = Effect.fnUntraced(function* (
  job: AnyJob,
  input: unknown,
  options?: EnqueueOptions,
) {
  yield* refuseToWait
  const ids = yield* insert(job, [input], options, { awaited: true })
  return yield* awaitOutput(job, ids[0]!)
})

/** Waits for the output of a run, decoded with its job's schemas.
 * @category running
 * @since 0.1.0 */
export const awaitOutput = Effect.fnUntraced(function* (job: AnyJob, runId: RunId.RunId) {
  const ended = yield* Runs.awaitEnd(runId)
  if (ended.job !== job.slug) return yield* new RunNotFound({ runId })
  if (ended.state === "completed") {
    const output = job.codecs.output.decode(ended.output ?? "null")
    return output.ok ? output.value : yield* undecodable(job, runId, output.reason)
  }
  const failure = ended.failure
  if (ended.state === "cancelled") {
    return yield* new RunCancelled({ runId, reason: failure?.message ?? "no reason was given" })
  }
  const error = failure?.error === undefined ? undefined : job.codecs.error.decode(failure.error)
  return yield* new RunFailed<unknown>({
    runId,
    job: job.slug,
    reason: failure?.reason ?? "Defect",
    detail: failure?.message ?? "no reason was stored",
    error: error?.ok === true ? error.value : undefined,
  })
})

const undecodable = (job: AnyJob, runId: RunId.RunId, reason: string) =>
  new RunFailed<unknown>({
    runId,
    job: job.slug,
    reason: "OutputInvalid",
    detail: `the stored output does not match the output schema: ${reason}`,
    error: undefined,
  })

const insert = Effect.fnUntraced(function* (
  job: AnyJob,
  inputs: ReadonlyArray<unknown>,
  options: EnqueueOptions | undefined,
  { awaited = false, many = false }: { readonly awaited?: boolean; readonly many?: boolean },
) {
  const context = yield* Effect.context<Driver>()
  const driver = Context.get(context, Driver)
  const refused = problemOf(options, many) ?? uniqueProblemOf(driver, job, options)
  if (refused !== undefined) {
    return yield* new InputInvalid({ job: job.slug, detail: refused })
  }
  const labels = Labels.together(job.tags, options)
  if (typeof labels === "string") return yield* new InputInvalid({ job: job.slug, detail: labels })
  const makeId = Context.get(context, RunId.RunIds).next
  const shared = { ...taskOf(job, options, awaited, traceparentOf(context)), ...labels }
  const runs: Array<ReadonlyArray<NewTask>> = []
  for (let index = 0; index < inputs.length; index++) {
    const encoded = job.codecs.input.encode(inputs[index])
    const keyed = encoded.ok ? keyedOf(job, inputs[index]) : encoded
    if (!encoded.ok || !keyed.ok) {
      const detail = (keyed as { readonly reason: string }).reason
      return yield* new InputInvalid({ job: job.slug, ...(many ? { index } : {}), detail })
    }
    const id = options?.id ?? (yield* makeId)
    // Where its id or its key may be taken, only its answer tells whether it is a new run.
    const isNew = options?.id === undefined && job.unique === undefined
    const own: NewTask = { ...shared, ...keyed.more, id, isNew, runId: id, input: encoded.value }
    runs.push(job.expand === undefined ? [own] : job.expand(own))
  }
  const holders = new Map<string, string>()
  for (const batch of batchesOf(runs)) {
    const store = options?.whenFull === "wait" ? storedLater : stored
    for (const { id, holder } of yield* store(driver, job, batch)) {
      if (holder !== undefined) holders.set(id, holder)
    }
  }
  return runs.map(([own]) => holders.get(own!.id) ?? own!.id)
})

// The tasks of a run are stored together, or none of them is.
function* batchesOf(
  runs: ReadonlyArray<ReadonlyArray<NewTask>>,
): Generator<ReadonlyArray<NewTask>> {
  let batch: Array<NewTask> = []
  for (const tasks of runs) {
    if (batch.length > 0 && batch.length + tasks.length > Limits.batchSize) {
      yield batch
      batch = []
    }
    batch.push(...tasks)
  }
  if (batch.length > 0) yield batch
}

/** Stores a batch, or fails where its queue is full. */
const stored = (driver: Driver["Service"], job: AnyJob, batch: ReadonlyArray<NewTask>) =>
  Effect.flatMap(driver.insert(batch), (answers) => {
    const queue = answers[0]?.full
    return queue === undefined
      ? Effect.succeed(answers)
      : Effect.fail(new QueueFull({ job: job.slug, queue }))
  })

/** Stores a batch as soon as its queue has room. */
const storedLater: typeof stored = Effect.fnUntraced(function* (driver, job, batch) {
  yield* refuseToWait
  for (let pause = 50;; pause = Math.min(1000, pause * 2)) {
    const answers = yield* Effect.result(stored(driver, job, batch))
    if (Result.isSuccess(answers)) return answers.success
    if (answers.failure._tag !== "QueueFull") return yield* Effect.fail(answers.failure)
    yield* Effect.sleep(pause)
  }
})

type Keyed =
  | { readonly ok: true; readonly more: Partial<NewTask> }
  | { readonly ok: false; readonly reason: string }

/** What the keys of an input add to its task.
 * @category conversions
 * @since 0.1.0 */
export const keyedOf = ({ group, unique }: AnyJob, input: unknown): Keyed => {
  if (unique === undefined && group === undefined) return { ok: true, more: {} }
  const grouped = group && Key.make("group", group, input)
  if (grouped?.ok === false) return grouped
  const inGroup = grouped === undefined ? {} : { group: grouped.key }
  if (unique === undefined) return { ok: true, more: inGroup }
  const made = Key.make("unique.key", unique.key, input)
  if (!made.ok) return made
  const { delayMillis, ...more } = Unique.storedOf(unique, made.key)
  return { ok: true, more: { ...inGroup, ...more, ...(delayMillis > 0 ? { delayMillis } : {}) } }
}

const uniqueProblemOf = (
  driver: Driver["Service"],
  { group, slug, unique }: AnyJob,
  options: EnqueueOptions | undefined,
): string | undefined => {
  if (group !== undefined && options?.priority !== undefined) {
    return "priority cannot be given: the runs of a group keep their order"
  }
  const differs = disagreement(driver, slug, unique)
  if (differs !== undefined) {
    return `the job is defined twice with different uniqueness (${differs}); define it once`
  }
  return unique?.onClash === "debounce" && (options?.delay ?? options?.at) !== undefined
    ? "delay and at cannot be given: the job debounces, and its period is the delay"
    : undefined
}

/** What a task of a job is stored with, but for its input and ids.
 * @category conversions
 * @since 0.1.0 */
export const taskOf = (
  job: AnyJob,
  options: EnqueueOptions | undefined,
  awaited: boolean,
  trace: string | undefined,
): Omit<NewTask, "id" | "runId" | "input"> => {
  const step = job.definition.steps[0]!
  const expiresMillis = expiryOf(options?.expiresIn) ?? job.expiresMillis
  return {
    flowType: "job",
    flow: job.slug,
    step: step.slug,
    index: 0,
    queue: job.queue,
    priority: options?.priority ?? job.priority,
    maxAttempts: step.policy.maxAttempts,
    maxCrashes: step.policy.maxCrashes,
    delayMillis: Math.round(Problem.toMillis(options?.delay ?? 0) ?? 0),
    dueAt: options?.at === undefined ? undefined : Math.round(instantOf(options.at)),
    awaited,
    trace,
    ...(expiresMillis === undefined ? {} : { expiresMillis }),
  }
}

/** Reads how long something may wait for its beginning, in whole milliseconds.
 * @category conversions
 * @since 0.1.0 */
export const expiryOf = (expiresIn: Duration.Input | undefined): number | undefined =>
  expiresIn === undefined ? undefined : Math.round(Problem.toMillis(expiresIn)!)
