import { deepStrictEqual, match, ok } from "node:assert/strict"
import { describe, it } from "node:test"
import { Attempt, Backoff, Job } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { JobTest } from "@millrace/testing"
import { Context, Effect, References, Schema } from "effect"

const hour = 60 * 60 * 1000

function run<A, E>(effect: Effect.Effect<A, E>): Promise<A> {
  return Effect.runPromise(Effect.provideService(effect, References.MinimumLogLevel, "None"))
}

describe("drain", () => {
  it("runs a week of retries at the exact instants, and waits for none of them", async () => {
    const Sync = Job.make("sync", {
      error: Schema.String,
      maxAttempts: 10,
      backoff: Backoff.exponential({ base: "30 minutes", factor: 2, cap: "4 days" }),
    })
    const sync = Sync.perform(() => Effect.fail("the bank is closed"))
    const began = performance.now()
    const [ended] = await run(JobTest.drain(sync, [undefined]))
    const tookMillis = performance.now() - began
    deepStrictEqual(
      ended?.attempts.map((attempt) => (attempt.startedAt! - ended.enqueuedAt) / hour),
      [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 63.5, 127.5, 223.5],
    )
    deepStrictEqual([ended?.state, ended?.error], ["failed", "the bank is closed"])
    ok(tookMillis < 223.5 * hour / 1000, `it took ${tookMillis} ms`)
  })

  it("waits for handlers that sleep, and interrupts those that sleep too long", async () => {
    const Nap = Job.make("nap", { input: Schema.Int, output: Schema.Int, timeout: "2 hours" })
    const nap = Nap.perform((hours) => Effect.as(Effect.sleep(hours * hour), hours))
    const ended = await run(JobTest.drain(nap, [1, 3]))
    deepStrictEqual(ended.map((one) => one.output), [1, undefined])
    deepStrictEqual(ended.map((one) => one.failure?.reason), [undefined, "TimedOut"])
  })

  it("serves what a handler enqueues, and keeps the handlers' requirements", async () => {
    class Greeting extends Context.Service<Greeting, string>()("test/Greeting") {}
    const Child = Job.make("child", { input: Schema.String })
    const heard: Array<string> = []
    const child = Child.perform((text) => Effect.sync(() => void heard.push(text)))
    const Parent = Job.make("parent")
    const parent = Parent.perform(() =>
      Effect.gen(function* () {
        yield* Effect.orDie(Child.enqueue(yield* Greeting))
      })
    )
    const drained = JobTest.drain(parent, [undefined], { others: [child] })
    await run(Effect.provideService(drained, Greeting, "hello"))
    deepStrictEqual(heard, ["hello"])
  })

  it("gives up on a handler that snoozes for ever, and says so", async () => {
    const Owl = Job.make("owl")
    const owl = Owl.perform(() => Effect.fail(Attempt.snooze("1 day")))
    const drained = JobTest.drain(owl, [undefined], { within: "10 days" })
    const error = await run(Effect.flip(drained))
    match(error.message, /^Job "owl" has not drained within 10d of virtual time: run "/)
  })
})

describe("perform", () => {
  const Round = Job.make("round", { input: Schema.Number, output: Schema.Int })

  it("takes input and output through the schemas", async () => {
    const round = Round.perform((n) => Effect.succeed(Math.round(n)))
    deepStrictEqual(await run(JobTest.perform(round, 2.6)), 3)
  })

  it("names an output that the schema refuses", async () => {
    const round = Round.perform((n) => Effect.succeed(n))
    const error = await run(Effect.flip(JobTest.perform(round, 2.6)))
    match(String(error), /Job "round" cannot store this output: /)
  })
})

describe("assertEnqueued", () => {
  const At = Job.make("at", { input: { at: Schema.Date } })
  const program = <A, E>(effect: Effect.Effect<A, E, never>) => run(effect)

  it("finds a run by its decoded input", async () => {
    await program(Effect.provide(
      Effect.gen(function* () {
        yield* At.enqueue({ at: new Date(5) }, { delay: "1 hour" })
        yield* JobTest.assertEnqueued(At, { at: new Date(5) })
        const [one] = yield* JobTest.enqueued(At)
        deepStrictEqual(one?.input, { at: new Date(5) })
      }),
      MemoryDriver.layer,
    ))
  })

  it("lists what is there instead", async () => {
    const error = await program(Effect.provide(
      Effect.gen(function* () {
        yield* At.enqueue({ at: new Date(5) })
        return yield* Effect.flip(JobTest.assertEnqueued(At, { at: new Date(6) }))
      }),
      MemoryDriver.layer,
    ))
    match(error.message, /1 of its runs wait\n {2}\{"at": "1970-01-01T00:00:00.005Z"\}$/)
  })
})
