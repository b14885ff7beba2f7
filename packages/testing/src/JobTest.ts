/**
 * Tests of jobs without a database: what was enqueued, what a handler answers, and whole runs on
 * virtual time. None of it needs a particular test runner.
 *
 * @since 0.1.0
 */
import {
  type AttemptContext,
  Driver,
  type DriverError,
  type Job,
  type RunId,
  Runs,
  Task,
  type Transaction,
  Worker,
} from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Duration, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { showJson } from "./conformance/expect.ts"

/**
 * A test of a job found something else than it expects. The message says what.
 *
 * @category errors
 * @since 0.1.0
 */
export class JobTestError extends Error {
  override readonly name = "JobTestError"
  readonly _tag = "JobTestError"
}

type HandledJob<I, O, E, R> = Job.HandledJob<string, I, O, E, R>

/**
 * Calls a handler as a worker does: the input is encoded and decoded, and so is the output. What
 * the schemas refuse is a `JobTestError`; no driver and no worker is there.
 *
 * **Example** (A handler by itself)
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict"
 * import { Job } from "@millrace/core"
 * import { JobTest } from "@millrace/testing"
 * import { Effect, Schema } from "effect"
 *
 * const AddDays = Job.make("add_days", { input: { at: Schema.Date, days: Schema.Int } })
 * const addDays = AddDays.perform(({ at }) => Effect.sync(() => void at.getTime()))
 *
 * const tested = JobTest.perform(addDays, { at: new Date(0), days: 2 })
 * deepStrictEqual(await Effect.runPromise(tested), undefined)
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const perform = Effect.fnUntraced(function* <I, O, E, R>(
  handled: HandledJob<I, O, E, R>,
  input: I,
  facts?: Partial<AttemptContext["Service"]>,
) {
  const { codecs } = handled.job
  const stored = yield* converted(handled.slug, "input", codecs.input.encode(input))
  const decoded = yield* converted(handled.slug, "input", codecs.input.decode(stored))
  const output = yield* handled.perform(decoded, facts)
  const text = yield* converted(handled.slug, "output", codecs.output.encode(output))
  return yield* converted(handled.slug, "output", codecs.output.decode(text))
})

const converted = <A>(
  slug: string,
  what: string,
  conversion: { readonly ok: true; readonly value: A } | {
    readonly ok: false
    readonly reason: string
  },
): Effect.Effect<A, JobTestError> =>
  conversion.ok ? Effect.succeed(conversion.value) : Effect.fail(
    new JobTestError(`Job "${slug}" cannot store this ${what}: ${conversion.reason}`),
  )

/**
 * A run that waits for a worker.
 *
 * @category models
 * @since 0.1.0
 */
export interface Enqueued<I> {
  readonly id: RunId.RunId
  readonly input: I
  readonly priority: number
  /** When it is due, in milliseconds since 1970; `undefined` where it is due already. */
  readonly dueAt: number | undefined
}

/** The most runs that are looked at.
 * @category constants
 * @since 0.1.0 */
export const maxRuns = 10_000

/** Lists the runs of a job that have not ended, in the order of their ids, with decoded inputs.
 * @category reading
 * @since 0.1.0 */
export const enqueued: <I, O, E>(
  job: Job.Job<string, I, O, E>,
) => Effect.Effect<ReadonlyArray<Enqueued<I>>, JobTestError | DriverError, Driver.Driver> = Effect
  .fnUntraced(function* (job) {
    const records = yield* waiting(job.slug)
    return yield* Effect.forEach(records, ({ runId, input, priority, dueAt }) =>
      Effect.map(
        converted(job.slug, "input", job.codecs.input.decode(input)),
        (input) => ({ id: runId, input, priority, dueAt }),
      ))
  })

/** Fails with a list of what is there, unless a run of the job with this input waits.
 * @category guards
 * @since 0.1.0 */
export const assertEnqueued: <I, O, E>(
  job: Job.Job<string, I, O, E>,
  input: I,
) => Effect.Effect<void, JobTestError | DriverError, Driver.Driver> = Effect.fnUntraced(
  function* (job, input) {
    const wanted = showJson(yield* converted(job.slug, "input", job.codecs.input.encode(input)))
    const records = yield* waiting(job.slug)
    const there = records.map((record) => showJson(record.input))
    if (there.includes(wanted)) return
    return yield* Effect.fail(
      new JobTestError(
        `Job "${job.slug}" was not enqueued with ${wanted}; ${there.length} of its runs wait` +
          there.slice(0, 10).map((one) => `\n  ${one}`).join(""),
      ),
    )
  },
)

const waiting = (slug: string) =>
  Driver.Driver.use((driver) =>
    driver.find({ flow: slug, states: ["waiting", "ready", "running"], limit: maxRuns })
  )

/**
 * A run that ended, with everything decoded.
 *
 * @category models
 * @since 0.1.0
 */
export interface Drained<O, E> extends Omit<Runs.Run, "output"> {
  readonly output: O | undefined
  /** The job's own error, where it failed with one. */
  readonly error: E | undefined
}

/** Options of `drain`.
 * @category models
 * @since 0.1.0 */
export interface DrainOptions<R> {
  /** Other jobs to serve: those that the handler enqueues. */
  readonly others?: ReadonlyArray<Job.AnyHandled<R>>
  /** How much virtual time may pass (default 1 year): snoozing for ever never drains. */
  readonly within?: Duration.Input
}

/**
 * Enqueues inputs, serves them on a fresh memory driver until all runs have ended, and answers the
 * runs in the order of the inputs. Time is virtual: a week of backoff takes milliseconds.
 *
 * **Example** (Two retries, a minute and two minutes later)
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict"
 * import { Job } from "@millrace/core"
 * import { JobTest } from "@millrace/testing"
 * import { Effect, Schema } from "effect"
 *
 * const Flaky = Job.make("flaky", {
 *   output: Schema.String,
 *   error: Schema.String,
 *   maxAttempts: 3,
 *   baseDelay: "1 minute"
 * })
 * const flaky = Flaky.perform((_, ctx) =>
 *   ctx.attempt < 3 ? Effect.fail("not yet") : Effect.succeed("done")
 * )
 *
 * const [run] = await Effect.runPromise(JobTest.drain(flaky, [undefined]))
 * deepStrictEqual(run?.output, "done")
 * const after = run?.attempts.map((attempt) => attempt.finishedAt - run.enqueuedAt)
 * deepStrictEqual(after, [0, 60_000, 180_000])
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const drain = <I, O, E, R, R2 = never>(
  handled: HandledJob<I, O, E, R>,
  inputs: ReadonlyArray<I>,
  options?: DrainOptions<R2>,
) => {
  const jobs = [handled, ...(options?.others ?? [])] as ReadonlyArray<Job.AnyHandled<R | R2>>
  // One process and one worker: nothing to look for in between, and nobody to recover.
  const worker = Worker.layer({ jobs, pollInterval: "1 hour", lease: "1 hour", name: "job_test" })
  const live = worker.pipe(
    Layer.provideMerge(MemoryDriver.layer),
    Layer.provideMerge(TestClock.layer()),
  )
  const within = Duration.toMillis(options?.within ?? "365 days")
  return Effect.provide(
    Effect.gen(function* () {
      const ids = yield* handled.job.enqueueMany(inputs)
      yield* untilEnded(`Job "${handled.slug}"`, within)
      return yield* Effect.forEach(
        ids,
        (id) => Effect.map(Runs.get(id), (run) => decoded(handled, run)),
      )
    }),
    live as Layer.Layer<
      Driver.Driver | Transaction.Transactions,
      DriverError,
      Exclude<R | R2, Driver.Driver | Transaction.Transactions>
    >,
    // Each test has a store of its own.
    { local: true },
  )
}

const stepMillis = 60 * 60 * 1000

/** Lets virtual time pass until nothing is open.
 * @category running
 * @since 0.1.0 */
export const untilEnded = Effect.fnUntraced(function* (what: string, withinMillis: number) {
  const driver = yield* Driver.Driver
  for (let passed = 0;; passed += stepMillis) {
    const open = yield* driver.find({ states: ["waiting", "ready", "running"], limit: 1 })
    if (open.length === 0) return
    if (passed >= withinMillis) {
      const virtual = Duration.format(Duration.millis(withinMillis))
      return yield* Effect.fail(
        new JobTestError(
          `${what} has not drained within ${virtual} of virtual time: ` +
            `run "${open[0]!.runId}" of job "${open[0]!.flow}" is ${open[0]!.state}`,
        ),
      )
    }
    yield* TestClock.adjust(stepMillis)
  }
})

const decoded = <I, O, E, R>(
  handled: HandledJob<I, O, E, R>,
  run: Runs.Run,
): Drained<O, E> => {
  const { codecs } = handled.job
  const output = Task.isTerminal(run.state) && run.output !== undefined
    ? codecs.output.decode(run.output)
    : undefined
  const error = run.failure?.error === undefined
    ? undefined
    : codecs.error.decode(run.failure.error)
  return {
    ...run,
    output: output?.ok === true ? output.value : undefined,
    error: error?.ok === true ? error.value : undefined,
  }
}
