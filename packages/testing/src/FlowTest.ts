/**
 * Tests of flows without a database: whole runs on virtual time. It needs no particular test
 * runner.
 *
 * @since 0.1.0
 */
import { type DriverError, type Flow, type Job, type RunId, Runs } from "@millrace/core"
import type { Driver, InputInvalid, QueueFull, Transaction } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Duration, Effect, Exit, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Worker } from "@millrace/core"
import { untilEnded } from "./JobTest.ts"

/**
 * A flow, as far as a test starts its runs.
 *
 * @category models
 * @since 0.1.0
 */
export interface Startable<I, O, E> {
  readonly slug: string
  readonly start: (
    input: I,
  ) => Effect.Effect<RunId.RunId, InputInvalid | QueueFull | DriverError, Driver.Driver>
  readonly await: (runId: RunId.RunId) => Effect.Effect<O, E, Driver.Driver>
  readonly signal: (
    runId: RunId.RunId,
    step: never,
    value: never,
  ) => Effect.Effect<void, unknown, Driver.Driver>
}

/**
 * A run that ended, with its steps.
 *
 * @category models
 * @since 0.1.0
 */
export interface Drained<O, E> {
  readonly run: Runs.Run
  readonly steps: ReadonlyArray<Runs.StepRun>
  /** The decoded output, or what waiting for it fails with. */
  readonly exit: Exit.Exit<O, E>
}

/** Options of `drain`.
 * @category models
 * @since 0.1.0 */
export interface DrainOptions<R> {
  /** Sent to each run when it has been started, by the slugs of their steps. */
  readonly signals?: Readonly<Record<string, unknown>>
  /** Jobs to serve as well: those that handlers enqueue. */
  readonly jobs?: ReadonlyArray<Job.AnyHandled<R>>
  /** How much virtual time may pass (default 1 year). */
  readonly within?: Duration.Input
}

/**
 * Starts a run for each input, serves them on a fresh memory driver until all have ended, and
 * answers them in the order of the inputs. Time is virtual: a signal that is waited for in vain for
 * two days takes milliseconds.
 *
 * **Example** (A signal that nobody sends)
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict"
 * import { Flow } from "@millrace/core"
 * import { FlowTest } from "@millrace/testing"
 * import { Effect, Schema } from "effect"
 *
 * class Ask extends Flow.make("ask")
 *   .waitFor("answer", { output: Schema.String, timeout: "2 days", whenExhausted: "skip" })
 *   .step("note", { needs: ["answer"], output: Schema.String })
 * {}
 * const ask = Ask.perform({ note: ({ answer }) => Effect.succeed(answer ?? "nothing") })
 *
 * const [run] = await Effect.runPromise(FlowTest.drain(Ask, ask, [undefined]))
 * deepStrictEqual(run?.run.output, `{"note":"nothing"}`)
 * const twoDays = 2 * 24 * 60 * 60 * 1000
 * deepStrictEqual(run?.steps.find(({ step }) => step === "answer")?.endedAt, twoDays)
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const drain = <I, O, E, R, R2 = never>(
  flow: Startable<I, O, E>,
  handled: Flow.HandledFlow<string, R>,
  inputs: ReadonlyArray<I>,
  options?: DrainOptions<R2>,
) => {
  const worker = Worker.layer({
    flows: [handled],
    jobs: options?.jobs ?? [],
    pollInterval: "1 hour",
    lease: "1 hour",
    name: "flow_test",
  })
  const live = worker.pipe(
    Layer.provideMerge(MemoryDriver.layer),
    Layer.provideMerge(TestClock.layer()),
  )
  return Effect.provide(
    Effect.gen(function* () {
      const ids = yield* Effect.forEach(inputs, (input) => started(flow, input, options))
      yield* untilEnded(`Flow "${flow.slug}"`, Duration.toMillis(options?.within ?? "365 days"))
      return yield* Effect.forEach(ids, (id) => ended(flow, id))
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

const started = Effect.fnUntraced(function* <I, O, E>(
  flow: Startable<I, O, E>,
  input: I,
  options: Pick<DrainOptions<unknown>, "signals"> | undefined,
) {
  const id = yield* flow.start(input)
  for (const [step, value] of Object.entries(options?.signals ?? {})) {
    yield* flow.signal(id, step as never, value as never)
  }
  return id
})

const ended = Effect.fnUntraced(function* <I, O, E>(flow: Startable<I, O, E>, id: RunId.RunId) {
  const drained: Drained<O, E> = {
    run: yield* Runs.get(id),
    steps: yield* Runs.steps(id),
    exit: yield* Effect.exit(flow.await(id)),
  }
  return drained
})
