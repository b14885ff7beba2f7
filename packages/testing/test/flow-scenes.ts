/** Scenes of flows, as data: what the production worker makes of them on any driver. */
import { type Driver, Flow, RunId, Runs, Task, Worker } from "@millrace/core"
import { assert, assertEquals, assertMatch } from "@std/assert"
import { Effect, References, Schema } from "effect"

export interface FlowScene {
  readonly name: string
  readonly run: Effect.Effect<void, unknown, Driver.Driver>
}

const quiet = Effect.provideService(References.MinimumLogLevel, "None")

const scene = <A>(
  name: string,
  flows: ReadonlyArray<Flow.AnyHandledFlow<never>>,
  body: () => Generator<Effect.Effect<unknown, unknown, Driver.Driver>, A, never>,
): FlowScene => ({
  name,
  run: Effect.asVoid(
    Effect.gen(body).pipe(Effect.provide(Worker.layer({ flows }), { local: true }), quiet),
  ) as FlowScene["run"],
})

const ended = (id: RunId.RunId) =>
  Effect.gen(function* () {
    while (true) {
      const run = yield* Runs.get(id)
      if (Task.isTerminal(run.state)) return run
      yield* Effect.sleep(20)
    }
  })

const Numbers = Flow.make("numbers", { input: { count: Schema.Int } })
  .step("list", { output: Schema.Array(Schema.Int) })
  .map("double", { over: "list", output: Schema.Int })
  .step("last", { needs: ["double"], output: { count: Schema.Int, sorted: Schema.Boolean } })

const numbers = Numbers.perform({
  list: ({ count }) => Effect.succeed(Array.from({ length: count }, (_, index) => index)),
  double: (n) => Effect.succeed(n * 2),
  last: ({ double }) =>
    Effect.succeed({ count: double.length, sorted: double.every((n, index) => n === index * 2) }),
})

interface Chained {
  step(slug: string, options: object): Chained
  perform(handlers: object): Flow.AnyHandledFlow<never>
  readonly start: (input: void) => Effect.Effect<RunId.RunId, unknown, Driver.Driver>
}

const chain = (length: number, slug: string, options: object) => {
  let flow = Flow.make(slug) as unknown as Chained
  for (let index = 0; index < length; index++) {
    const needs = index === 0 ? [] : [`s${index - 1}`]
    flow = flow.step(`s${index}`, { needs, ...(index === 0 ? options : {}) })
  }
  const handlers = Array.from({ length }, (_, index) => [`s${index}`, () => Effect.void])
  return { flow, handled: flow.perform(Object.fromEntries(handlers)) }
}

const skipping = chain(1000, "skipping", { when: () => false, whenUnmet: "skip-cascade" })
const running = chain(100, "running", {})

/** A flow whose second step fails until it is mended; what ran is noted. */
const mending = () => {
  const seen: Array<string> = []
  const world = { mended: false }
  const Charge = Flow.make("mending", { input: Schema.Int, baseDelay: "1 millis" })
    .step("first", { output: Schema.Int })
    .step("second", { needs: ["first"], output: Schema.Int, error: Schema.String })
    .step("third", { needs: ["second"], output: Schema.Int })
  const handled = Charge.perform({
    first: (n) => Effect.sync(() => (seen.push("first"), n)),
    second: ({ first }) =>
      Effect.suspend(() => {
        seen.push("second")
        return world.mended ? Effect.succeed(first + 1) : Effect.fail("not yet")
      }),
    third: ({ second }) => Effect.sync(() => (seen.push("third"), second + 1)),
  })
  return { Charge, handled, seen, world }
}

const mend = mending()
const again = mending()

const undone: Array<string> = []
const Booking = Flow.make("booking")
  .step("hotel", { output: Schema.String, undo: true })
  .step("flight", { needs: ["hotel"], output: Schema.String, undo: true })
  .waitFor("approve", { needs: ["flight"], output: Schema.Boolean })
  .step("pay", { needs: ["approve"], error: Schema.String })

const booking = Booking.perform({
  hotel: { run: () => Effect.succeed("h1"), undo: (id) => Effect.sync(() => undone.push(id)) },
  flight: { run: () => Effect.succeed("f1"), undo: (id) => Effect.sync(() => undone.push(id)) },
  pay: () => Effect.fail("no money"),
})

const Kept = Flow.make("kept", { unique: { key: () => "one", onClash: "replace" } })
  .step("first", {})
  .waitFor("go", { needs: ["first"] })
  .step("last", { needs: ["go"] })
const lasts: Array<string> = []
const kept = Kept.perform({
  first: () => Effect.void,
  last: (_, ctx) => Effect.sync(() => void lasts.push(ctx.runId)),
})

const until = <A>(effect: Effect.Effect<A, unknown, Driver.Driver>, holds: (a: A) => boolean) =>
  Effect.gen(function* () {
    while (!holds(yield* effect)) yield* Effect.sleep(20)
  })

const stateOf = (id: RunId.RunId, step: string) =>
  Effect.map(Runs.steps(id), (steps) => steps.find((one) => one.step === step)?.state)

export const scenes: ReadonlyArray<FlowScene> = [
  scene("A map over nothing completes with nothing", [numbers], function* () {
    assertEquals(yield* Numbers.run({ count: 0 }), { last: { count: 0, sorted: true } })
  }),

  scene("A map of 10,000 elements keeps their order", [numbers], function* () {
    assertEquals(yield* Numbers.run({ count: 10_000 }), { last: { count: 10_000, sorted: true } })
  }),

  scene("A chain of 1,000 steps is skipped to its end", [skipping.handled], function* () {
    const run = yield* ended(yield* skipping.flow.start())
    assertEquals([run.state, run.output], ["completed", "{}"])
    const steps = yield* Runs.steps(run.id)
    const reasons = Map.groupBy(steps, ({ failure }) => failure?.reason)
    assertEquals(
      [...reasons].map(([reason, of]) => [reason, of.length]).sort(),
      [["ConditionUnmet", 1], ["NeedSkipped", 999]],
    )
  }),

  scene("A chain of 100 steps runs in its order", [running.handled], function* () {
    const run = yield* ended(yield* running.flow.start())
    assertEquals(run.state, "completed")
    const slugs = (yield* Runs.steps(run.id)).map(({ step }) => step)
    assertEquals([...slugs].sort((a, b) => Number(a.slice(1)) - Number(b.slice(1))).length, 100)
  }),

  scene("A retry by hand goes on at the step that failed", [mend.handled], function* () {
    const { Charge, seen, world } = mend
    seen.length = 0
    world.mended = false
    const id = yield* Charge.start(1)
    const failed = yield* ended(id)
    assertEquals([failed.state, failed.failure?.reason], ["failed", "StepFailed"])
    assertMatch(failed.failure!.message, /"second"/)
    assertEquals(seen, ["first", "second"])
    world.mended = true
    assertEquals(yield* Runs.retry(id), "ready")
    assertEquals(yield* Charge.await(id), { third: 3 })
    assertEquals(seen, ["first", "second", "second", "third"])
  }),

  scene("A rerun begins at a step, and keeps what came before", [again.handled], function* () {
    const { Charge, seen, world } = again
    world.mended = true
    seen.length = 0
    const id = yield* Charge.start(5)
    yield* ended(id)
    const other = yield* Charge.rerun(id, { from: "third" })
    assertEquals(yield* Charge.await(other), { third: 7 })
    assertEquals(seen, ["first", "second", "third", "third"])
    assert(other !== id)
  }),

  scene("A second start under one id answers the first run", [numbers], function* () {
    const id = yield* RunId.make
    assertEquals(yield* Numbers.start({ count: 1 }, { id }), id)
    assertEquals(yield* Numbers.start({ count: 2 }, { id }), id)
    assertEquals(yield* Numbers.await(id), { last: { count: 1, sorted: true } })
    assertEquals(yield* Numbers.start({ count: 3 }, { id }), id)
    assertEquals((yield* Runs.steps(id)).length, 3)
  }),

  scene("What was done is undone, the newest first, when a run fails", [booking], function* () {
    undone.length = 0
    const id = yield* Booking.start()
    yield* Booking.signal(id, "approve", true)
    assertEquals((yield* ended(id)).state, "failed")
    assertEquals(undone, ["f1", "h1"])
  }),

  scene("What was done is undone when a run is cancelled", [booking], function* () {
    undone.length = 0
    const id = yield* Booking.start()
    yield* until(stateOf(id, "approve"), (state) => state === "ready")
    yield* Runs.cancel(id)
    assertEquals((yield* ended(id)).state, "cancelled")
    assertEquals(undone, ["f1", "h1"])
    const late = yield* Effect.flip(Booking.signal(id, "approve", true))
    assertEquals((late as { readonly reason?: string }).reason, "TooLate")
  }),

  scene("A run that is replaced does nothing more", [kept], function* () {
    lasts.length = 0
    const first = yield* Kept.start()
    yield* until(stateOf(first, "go"), (state) => state === "ready")
    const second = yield* Kept.start()
    assert(first !== second)
    assertEquals((yield* ended(first)).state, "cancelled")
    yield* until(stateOf(second, "go"), (state) => state === "ready")
    assertEquals(yield* stateOf(first, "go"), "cancelled")
    yield* Kept.signal(second, "go", undefined)
    assertEquals((yield* ended(second)).state, "completed")
    assertEquals(lasts, [second])
  }),
]
