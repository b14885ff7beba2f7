/**
 * The in-memory driver: the executable specification of the port. All state is in one process and
 * is gone with it; each member is one synchronous step on Effect's `Clock`, so that a simulation
 * decides the order.
 *
 * @since 0.1.0
 */
import { Driver, type DriverError } from "@millrace/core"
import { Clock, Effect, Layer, PubSub, Stream } from "effect"
import { Store } from "./internal/Store.ts"

type Service = Driver.Driver["Service"]

/**
 * Provides the in-memory driver: for tests, simulations, and work that may be lost with the
 * process.
 *
 * **Example** (A job without a database)
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict"
 * import { Job, Runs } from "@millrace/core"
 * import { MemoryDriver } from "@millrace/driver-memory"
 * import { Effect, Schema } from "effect"
 *
 * const Greet = Job.make("greet", { input: { name: Schema.String } })
 *
 * const program = Effect.gen(function*() {
 *   const runId = yield* Greet.enqueue({ name: "Ada" })
 *   return yield* Runs.get(runId)
 * })
 * const run = await Effect.runPromise(Effect.provide(program, MemoryDriver.layer))
 * deepStrictEqual([run.job, run.state], ["greet", "ready"])
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Driver.Driver> = Layer.effect(
  Driver.Driver,
  Effect.suspend(() => make),
)

/** Makes a driver with a store of its own.
 * @category constructors
 * @since 0.1.0 */
export const make: Effect.Effect<Service> = Effect.gen(function* () {
  const wakeups = yield* PubSub.unbounded<Driver.Wakeup>()
  const store = new Store((wakeup) => PubSub.publishUnsafe(wakeups, wakeup))
  const step = <A>(f: (now: number) => A): Effect.Effect<A, DriverError> =>
    Effect.map(Clock.currentTimeMillis, f)
  return Driver.Driver.of({
    name: "memory",
    insert: (tasks) => step((now) => store.insert(tasks, now)),
    claim: (request) => step((now) => store.claim(request, now)),
    settle: (changes) => step((now) => changes.map((change) => store.apply(change, now))),
    transact: (target, decide) => step((now) => store.transact(target, decide, now)),
    heartbeat: (beat) => step((now) => store.heartbeat(beat, now)),
    prune: (request) => step((now) => store.prune(request, now)),
    find: (query) => Effect.sync(() => store.find(query)),
    wakeups: Stream.fromPubSub(wakeups),
  })
})
