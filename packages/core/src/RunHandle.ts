/**
 * A run in the hand: its id, and what can be done with it, typed by what it is a run of.
 *
 * @since 0.1.0
 */
import { Effect, Stream } from "effect"
import type { Driver } from "./Driver.ts"
import type { DriverError } from "./DriverError.ts"
import { type RunCancelled, type RunFailed, RunNotFound } from "./RunError.ts"
import type { RunId } from "./RunId.ts"
import * as Runs from "./Runs.ts"
import type { State } from "./Task.ts"

/**
 * A run of a job, of a flow or of a batch, whose output is `O` and whose typed error is `E`.
 *
 * **Details**
 *
 * An id of a run of something else is as if there were no such run, whatever is asked of it.
 *
 * **Example** (Waiting for a run that another process enqueued)
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict"
 * import { Job, Worker } from "@millrace/core"
 * import { MemoryDriver } from "@millrace/driver-memory"
 * import { Effect, Layer, Schema } from "effect"
 *
 * const Double = Job.make("double", { input: Schema.Int, output: Schema.Int })
 * const live = Worker.layer({ jobs: [Double.perform((n) => Effect.succeed(n * 2))] })
 *
 * const program = Effect.gen(function*() {
 *   const handle = Double.handle(yield* Double.enqueue(21))
 *   return [yield* handle.await, (yield* handle.get).state]
 * })
 * const ran = Effect.provide(program, Layer.provideMerge(live, MemoryDriver.layer))
 * deepStrictEqual(await Effect.runPromise(ran), [42, "completed"])
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface RunHandle<out O, out E> {
  readonly id: RunId
  /** Reads the run. */
  readonly get: Effect.Effect<Runs.Run, RunNotFound | DriverError, Driver>
  /** Waits for its output. */
  readonly await: Effect.Effect<
    O,
    DriverError | RunNotFound | RunFailed<E> | RunCancelled,
    Driver
  >
  /** Follows the run and its steps until it has ended. */
  readonly watch: Stream.Stream<Runs.Watched, RunNotFound | DriverError, Driver>
  /** Stops the run, and answers the state that it has afterwards. */
  readonly cancel: (
    options?: { readonly reason?: string },
  ) => Effect.Effect<State, RunNotFound | DriverError, Driver>
  /** Makes the run ready again where it failed or was cancelled; answers its state afterwards. */
  readonly retry: Effect.Effect<State, Effect.Error<ReturnType<typeof Runs.retry>>, Driver>
}

/**
 * What a run is of, as far as a handle looks at it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Awaitable<out O, out E> {
  readonly slug: string
  readonly await: (
    runId: RunId,
  ) => Effect.Effect<O, DriverError | RunNotFound | RunFailed<E> | RunCancelled, Driver>
}

/** Makes the handle of a run, without a look at the store.
 * @category constructors
 * @since 0.1.0 */
export const make = <O, E>(of: Awaitable<O, E>, id: RunId): RunHandle<O, E> => {
  const get = Effect.flatMap(
    Runs.get(id),
    (run) => run.job === of.slug ? Effect.succeed(run) : new RunNotFound({ runId: id }),
  )
  return {
    id,
    get,
    await: Effect.suspend(() => of.await(id)),
    watch: Stream.unwrap(Effect.as(get, Runs.watch(id))),
    cancel: (options) => Effect.andThen(get, Runs.cancel(id, options)),
    retry: Effect.andThen(get, Runs.retry(id)),
  }
}
