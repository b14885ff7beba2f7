/** What becomes of what handlers say of how far they are. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict"
import { describe, it } from "node:test"
import { Driver, DriverError, Flow, Job, Runs, Worker } from "@millrace/core"
import { Effect, Fiber, Layer, References, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import { overMemory } from "./over-memory.ts"

/** Runs with a memory driver that counts heartbeats with progress, and can lose them. */
const withDriver = <A, E>(
  body: (beats: Array<number>, faults: { lose: number }) => Effect.Effect<A, E, Driver.Driver>,
) => {
  const beats: Array<number> = []
  const faults = { lose: 0 }
  const counted = overMemory((driver) => ({
    heartbeat: (beat) =>
      Effect.suspend(() => {
        if (beat.progress !== undefined) beats.push(beat.progress.length)
        return beat.progress !== undefined && faults.lose-- > 0
          ? Effect.fail(DriverError.unavailable("send a heartbeat", "the test says so"))
          : driver.heartbeat(beat)
      }),
  }))
  return Effect.runPromise(
    Effect.suspend(() => body(beats, faults)).pipe(
      Effect.provideService(References.MinimumLogLevel, "None"),
      Effect.provide(counted),
      Effect.provide(TestClock.layer()),
    ),
  )
}

const Import = Job.make("import", { input: Schema.Int, timeout: "1 hour" })

/** Says after each second how far it is, for so many seconds. */
const imports = Import.perform((seconds, ctx) =>
  Effect.gen(function* () {
    for (let second = 0; second < seconds; second++) {
      for (let part = 0; part < 100; part++) {
        yield* ctx.progress((second + part / 100) / seconds, `second ${second}, part ${part}`)
      }
      yield* Effect.sleep("1 second")
    }
  })
)

const serving = <A, E>(
  jobs: ReadonlyArray<Job.AnyHandled<never>>,
  effect: Effect.Effect<A, E, Driver.Driver>,
) => Effect.scoped(Effect.andThen(Layer.build(Worker.layer({ jobs, gracePeriod: 0 })), effect))

const shown = ({ progress }: Runs.Run) => [progress?.fraction, progress?.note]

describe("ctx.progress", () => {
  it("is shown within a second, the latest of all, and sent once a second at most", () =>
    withDriver((beats) =>
      serving(
        [imports],
        Effect.gen(function* () {
          const id = yield* Import.enqueue(10)
          yield* TestClock.adjust("1 second")
          const first = yield* Runs.get(id)
          ok(first.progress !== undefined)
          yield* TestClock.adjust("4500 millis")
          deepStrictEqual(shown(yield* Runs.get(id)), [0.5 - 0.1 + 0.099, "second 4, part 99"])
          yield* TestClock.adjust("10 seconds")
          strictEqual((yield* Runs.get(id)).state, "completed")
          ok(beats.length >= 5 && beats.length <= 11, `${beats.length} heartbeats`)
          deepStrictEqual(new Set(beats), new Set([1]))
        }),
      )
    ))

  it("never fails, whatever is said", () =>
    withDriver(() => {
      const said: ReadonlyArray<readonly [unknown, unknown]> = [
        [NaN, "not a number"],
        ["0.5", undefined],
        [undefined, undefined],
        [{}, {}],
        [-1, 5],
        [Infinity, `${"x".repeat(300)}\0`],
      ]
      const nonsense = Import.perform((_, { progress }) =>
        Effect.andThen(
          Effect.forEach(said, ([fraction, note]) => progress(fraction as number, note as string)),
          Effect.sleep("5 seconds"),
        )
      )
      return serving(
        [nonsense],
        Effect.gen(function* () {
          const id = yield* Import.enqueue(0)
          yield* TestClock.adjust("2 seconds")
          const { progress } = yield* Runs.get(id)
          deepStrictEqual([progress?.fraction, progress?.note], [1, `${"x".repeat(254)}…`])
          yield* TestClock.adjust("5 seconds")
          strictEqual((yield* Runs.get(id)).state, "completed")
        }),
      )
    }))

  it("is sent again where a heartbeat was lost, unless more was said", () =>
    withDriver((beats, faults) => {
      const once = Import.perform((_, ctx) =>
        Effect.andThen(ctx.progress(0.5, "half"), Effect.sleep("1 minute"))
      )
      return serving(
        [once],
        Effect.gen(function* () {
          const id = yield* Import.enqueue(0)
          faults.lose = 1
          yield* TestClock.adjust("5 seconds")
          deepStrictEqual(shown(yield* Runs.get(id)), [0.5, "half"])
          deepStrictEqual(beats, [1, 1])
        }),
      )
    }))

  it("of two workers and many tasks never mixes", () =>
    withDriver(() => {
      const own = Import.perform((n, ctx) =>
        Effect.andThen(ctx.progress(n / 100, `task ${n}`), Effect.sleep("10 seconds"))
      )
      const other = Layer.build(Layer.fresh(Worker.layer({ jobs: [own], gracePeriod: 0 })))
      return serving(
        [own],
        Effect.gen(function* () {
          yield* other
          const inputs = Array.from({ length: 20 }, (_, n) => n)
          const ids = yield* Import.enqueueMany(inputs)
          const looked = () => Effect.forEach(ids, (id) => Runs.get(id))
          yield* TestClock.adjust("3 seconds")
          const early = (yield* looked()).map(shown)
          ok(early.filter(([fraction]) => fraction !== undefined).length >= 10)
          early.forEach(([fraction, note], n) =>
            ok(
              fraction === undefined || (fraction === n / 100 && note === `task ${n}`),
              `task ${n}`,
            )
          )
          yield* TestClock.adjust("13 seconds")
          deepStrictEqual((yield* looked()).map(shown), inputs.map((n) => [n / 100, `task ${n}`]))
        }).pipe(Effect.scoped),
      )
    }))

  it("is watched", () =>
    withDriver(() =>
      serving(
        [imports],
        Effect.gen(function* () {
          const id = yield* Import.enqueue(3)
          const watching = yield* Effect.forkChild(Stream.runCollect(Runs.watch(id)))
          yield* TestClock.adjust("10 seconds")
          const seen = [...yield* Fiber.join(watching)].flatMap((one) =>
            one._tag === "Run" ? one.run.progress?.fraction ?? [] : []
          )
          ok(seen.length >= 2, `seen ${seen.length} times`)
          deepStrictEqual(seen, [...seen].sort((a, b) => a - b))
        }),
      )
    ))

  it("of a step is shown with the steps of its run", () =>
    withDriver(() => {
      const Order = Flow.make("order").step("pack")
      const order = Order.perform({
        pack: (_: unknown, ctx: { readonly progress: (fraction: number) => Effect.Effect<void> }) =>
          Effect.andThen(ctx.progress(0.25), Effect.sleep("10 seconds")),
      } as never)
      const live = Worker.layer({ flows: [order], gracePeriod: 0 }) as Layer.Layer<
        Worker.Worker,
        DriverError,
        Driver.Driver
      >
      return Effect.scoped(Effect.gen(function* () {
        yield* Layer.build(live)
        const id = yield* Order.start()
        yield* TestClock.adjust("3 seconds")
        const [pack] = yield* Runs.steps(id)
        strictEqual(pack?.progress?.fraction, 0.25)
      }))
    }))

  it("does nothing where a test calls the handler", async () => {
    await Effect.runPromise(
      Effect.provide(imports.perform(1), TestClock.layer()).pipe(
        Effect.timeoutOption("10 millis"),
      ),
    )
  })
})
