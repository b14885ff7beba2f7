/**
 * The worker: claims tasks of its jobs, runs their handlers, and writes what they came to.
 *
 * @since 0.1.0
 */
import type { Duration } from "effect"
import { Clock, Context, Effect, Layer, Option } from "effect"
import { Driver } from "./Driver.ts"
import type { DriverError } from "./DriverError.ts"
import type { AnyHandledFlow } from "./FlowHandlers.ts"
import type * as Job from "./Job.ts"
import type * as Retention from "./Retention.ts"
import { Registry } from "./Registry.ts"
import { Attempts } from "./internal/worker/Attempts.ts"
import { Intake } from "./internal/worker/Intake.ts"
import * as Main from "./internal/worker/Main.ts"
import * as Upkeep from "./internal/worker/Upkeep.ts"
import { Sessions } from "./internal/worker/Sessions.ts"
import * as Settings from "./internal/worker/Settings.ts"
import type { LimitOptions } from "./Queues.ts"
import { Settling } from "./internal/worker/Settling.ts"
import { ScheduleStore } from "./ScheduleStore.ts"

/**
 * How a worker serves.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<
  Jobs extends ReadonlyArray<Job.AnyHandled>,
  Flows extends ReadonlyArray<AnyHandledFlow> = [],
> {
  /** The jobs to serve, each with its handler. */
  readonly jobs?: Jobs
  /**
   * The flows to serve, each with its handlers. Of a flow whose shape has changed the old one can
   * be served beside the new one, until its runs have ended.
   */
  readonly flows?: Flows
  /** Attempts at a time in each queue: 1 to 10,000 (default 10). */
  readonly concurrency?: number
  /** What differs for single queues. */
  readonly queues?: { readonly [queue: string]: QueueOptions }
  /**
   * How long after its last sign of life the worker's tasks are given to others: 1 second to 1 hour
   * (default 30 seconds). A third of it passes between two heartbeats.
   */
  readonly lease?: Duration.Input
  /**
   * How often to look for work that nothing announced: 10 milliseconds to 1 hour (default 2
   * seconds).
   */
  readonly pollInterval?: Duration.Input
  /** How long running attempts may finish when it stops: up to 1 hour (default 10 seconds). */
  readonly gracePeriod?: Duration.Input
  /**
   * When runs that have ended are removed, of the jobs and flows that say nothing themselves
   * (default: never).
   */
  readonly retention?: Retention.Options
  /** What its sessions are called in the storage: a slug (default `worker`). */
  readonly name?: string
}

/**
 * How a worker serves one queue, and what holds for all of its workers.
 *
 * @category models
 * @since 0.1.0
 */
export interface QueueOptions {
  /** Attempts at a time of this worker: 1 to 10,000. */
  readonly concurrency?: number
  /**
   * The limits of the queue for all workers together, said when this worker starts. Where workers
   * say different ones, those of the last to start hold for all.
   */
  readonly limits?: LimitOptions
}

/**
 * What a worker is doing.
 *
 * @category models
 * @since 0.1.0
 */
export interface Status {
  /** Attempts that run. */
  readonly running: number
  /** Claimed tasks that wait for a place. */
  readonly waiting: number
  /** Outcomes that are not written yet. */
  readonly settling: number
}

/**
 * A running worker. It stops when its layer's scope closes.
 *
 * @category services
 * @since 0.1.0
 */
export class Worker extends Context.Service<Worker, {
  readonly status: Effect.Effect<Status>
  /** Stops claiming, lets running attempts finish, and gives back the rest. */
  readonly stop: Effect.Effect<void>
}>()("@millrace/core/Worker") {}

/** What the handlers of jobs need; the worker itself provides `AttemptContext`.
 * @category models
 * @since 0.1.0 */
export type Requirements<
  Jobs extends ReadonlyArray<Job.AnyHandled>,
  Flows extends ReadonlyArray<AnyHandledFlow> = [],
> = Job.Requirements<Jobs[number]> | FlowRequirements<Flows[number]>

type FlowRequirements<H> = H extends AnyHandledFlow<infer R> ? R : never

/**
 * Serves jobs for as long as the layer lives.
 *
 * **Details**
 *
 * When its scope closes, the worker stops claiming, gives running attempts the grace period,
 * interrupts the rest, and gives back what did not finish with no attempt counted. A storage that
 * goes away while the worker serves is waited for; only at the start it is an error. Options out of
 * bounds throw a `DefinitionError`.
 *
 * **Example** (A job that is enqueued, run and awaited)
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict"
 * import { Job, Worker } from "@millrace/core"
 * import { MemoryDriver } from "@millrace/driver-memory"
 * import { Effect, Layer, Schema } from "effect"
 *
 * const Double = Job.make("double", { input: Schema.Number, output: Schema.Number })
 * const double = Double.perform((n) => Effect.succeed(n * 2))
 *
 * const live = Layer.provideMerge(Worker.layer({ jobs: [double] }), MemoryDriver.layer)
 * deepStrictEqual(await Effect.runPromise(Effect.provide(Double.run(21), live)), 42)
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <
  const Jobs extends ReadonlyArray<Job.AnyHandled> = [],
  const Flows extends ReadonlyArray<AnyHandledFlow> = [],
>(
  options: Options<Jobs, Flows>,
): Layer.Layer<Worker, DriverError, Driver | Requirements<Jobs, Flows>> => {
  const settings = Settings.make(options)
  return Layer.effect(Worker, make(settings)) as Layer.Layer<
    Worker,
    DriverError,
    Driver | Requirements<Jobs, Flows>
  >
}

/**
 * Is the main program of a worker: serves until SIGINT or SIGTERM, or until `until` ends.
 *
 * **Details**
 *
 * The first signal stops as the end of `layer` does, and the process exits with 0; a second one
 * exits at once with 130. What goes wrong at the start is printed as one line, without a stack, and
 * the process exits with 1.
 *
 * @category running
 * @since 0.1.0
 */
export const run = <
  E,
  const Jobs extends ReadonlyArray<Job.AnyHandled> = [],
  const Flows extends ReadonlyArray<AnyHandledFlow> = [],
  E2 = never,
  R2 = never,
>(
  options: Options<Jobs, Flows> & {
    /** The worker stops when this ends (default: never). */
    readonly until?: Effect.Effect<unknown, E2, R2>
  },
  provided: Layer.Layer<Driver | Requirements<Jobs, Flows> | Exclude<R2, Worker>, E>,
): void => {
  const { until, ...own } = options
  Main.run(() => {
    const live = Layer.provideMerge(layer(own as unknown as Options<Jobs, Flows>), provided)
    return Effect.provide(until ?? Effect.never, live) as Effect.Effect<unknown, unknown>
  })
}

const make = Effect.fnUntraced(function* (settings: Settings.Settings) {
  const driver = yield* Driver
  const clock = yield* Clock.Clock
  const context = yield* Effect.context<never>()
  const settling = new Settling(driver, context, {
    putOff: (millis) => intake.putOff(millis),
    madeRoom: (queue) => intake.wake(queue),
  })
  const attempts: Attempts = new Attempts(driver, settings.served, context, {
    ended: (ended) => settling.add(ended),
    freed: (queue) => intake.freed(queue),
    progressed: () => sessions.report(),
    overdue: (held) => Upkeep.warnOverdue(context, held),
  })
  const sessions: Sessions = new Sessions(driver, context, settings, {
    lost: (session, id, lease) => intake.lost(session, id, lease),
    beat: (millis) => intake.giveBackOlderThan(millis),
  })
  const intake: Intake = new Intake({ driver, clock, settings, sessions, attempts, settling })

  yield* Effect.flatMap(
    Effect.serviceOption(Registry),
    Option.match({
      onNone: () => Effect.void,
      onSome: (registry) => registry.register(settings.registered()),
    }),
  )
  // The first beat tells whether the storage is there and fit, while somebody waits for the answer.
  yield* sessions.current
  yield* Upkeep.sayLimits(driver, settings)
  const schedules = yield* Effect.serviceOption(ScheduleStore)
  const parts = { driver, settings, settling, attempts, sessions, intake, schedules }
  yield* Effect.forEach(Upkeep.fibers(parts), (loop) => Effect.forkScoped(loop), { discard: true })
  const stop = yield* Effect.cached(Upkeep.stop(parts))
  yield* Effect.addFinalizer(() => stop)
  yield* Effect.logInfo(`Worker "${settings.name}" serves: ${settings.slugs.join(", ")}`)
  return Worker.of({
    status: Effect.sync(() => ({
      running: attempts.size,
      waiting: intake.waiting,
      settling: settling.size,
    })),
    stop,
  })
})
