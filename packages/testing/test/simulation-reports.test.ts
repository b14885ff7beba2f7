import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict"
import { describe, it } from "node:test"
import { Job, Runs } from "@millrace/core"
import { Simulation } from "@millrace/testing"
import { Clock, DateTime, Effect, Random, Schema } from "effect"

const Charge = Job.make("charge", { input: Schema.Int, maxAttempts: 2, timeout: "5 seconds" })

/** Explores one seed of a handler, and answers the report of what is broken. */
const reportOf = async (
  handler: () => Effect.Effect<unknown, never>,
  others: Partial<Simulation.Options<undefined>> = {},
) => {
  const exploration = Simulation.explore({
    jobs: () => [Charge.perform(() => Effect.asVoid(Effect.suspend(handler)))],
    load: () => Charge.enqueue(1),
    faults: Simulation.noFaults,
    seeds: [1],
    ...others,
  })
  return await Effect.runPromise(Effect.flip(exploration))
}

const uses: ReadonlyArray<readonly [name: string, use: () => unknown, instead: string]> = [
  ["Date.now", () => Date.now(), "Clock.currentTimeMillis"],
  ["new Date()", () => new Date(), "DateTime.now"],
  ["new Date()", () => Date(), "DateTime.now"],
  ["performance.now", () => performance.now(), "Clock.monotonicTimeNanos"],
  ["Math.random", () => Math.random(), "Effect's Random"],
  ["crypto.randomUUID", () => crypto.randomUUID(), "Effect's Random"],
  ["crypto.getRandomValues", () => crypto.getRandomValues(new Uint8Array(1)), "Effect's Random"],
  ["setTimeout", () => setTimeout(() => {}, 1), "Effect.sleep"],
  ["setInterval", () => setInterval(() => {}, 1), "Effect.sleep"],
  ["setImmediate", () => setImmediate(() => {}), "Effect.sleep"],
  ["queueMicrotask", () => queueMicrotask(() => {}), "Effect.yieldNow"],
  ["fetch", () => fetch("http://localhost:1"), "a service"],
]

describe("the real world in a simulation", () => {
  for (const [name, use, instead] of uses) {
    it(`is named with the job that uses it: ${use.toString().slice(6)}`, async () => {
      const { broken } = await reportOf(() =>
        Effect.andThen(Effect.sleep("3 seconds"), Effect.sync(use))
      )
      const [said, advice] = broken.split(" of virtual time: use ")
      match(said!, /^Job "charge" used .+ at 3\.\d{3} s$/)
      ok(said!.includes(` used ${name} at `), broken)
      ok(advice!.startsWith(instead), broken)
    })
  }

  it("is named also where the handler catches what that throws", async () => {
    const { broken } = await reportOf(() =>
      Effect.sync(() => {
        try {
          return Math.random()
        } catch {
          return 4
        }
      })
    )
    match(broken, /^Job "charge" used Math\.random at /)
  })

  it("is named where a fiber that a handler forked uses it", async () => {
    const { broken } = await reportOf(() =>
      Effect.all([Effect.sleep("1 second"), Effect.sync(() => Date.now())], {
        concurrency: "unbounded",
      })
    )
    match(broken, /^Job "charge" used Date\.now at /)
  })

  it("is reported where an async function that nobody awaits changes the state", async () => {
    const forgetful = (bank: { charges: number }) => async () => {
      await undefined
      bank.charges++
    }
    const exploration = Simulation.explore({
      state: () => ({ charges: 0 }),
      jobs: (bank) => [Charge.perform(() => Effect.sync(() => void forgetful(bank)()))],
      load: () => Charge.enqueue(1),
      faults: Simulation.noFaults,
      seeds: [7],
    })
    const failed = await Effect.runPromise(Effect.flip(exploration))
    match(
      failed.broken,
      /^The option state changed after the seed had ended: job "charge" or the load calls an async /,
    )
    strictEqual(failed.seed, 7)
  })

  it("is named where a runtime of its own uses it", async () => {
    const { broken } = await reportOf(() =>
      Effect.sync(() => Effect.runSync(Clock.currentTimeMillis))
    )
    match(broken, /^Job "charge" used Date\.now at /)
  })

  it("is named where a handler awaits a promise", async () => {
    for (
      const handler of [
        () => Effect.promise(() => Promise.resolve(1)),
        () => Effect.promise(() => Promise.reject(new Error("nobody looks"))),
        () => Effect.ignore(Effect.tryPromise(async () => await Promise.resolve(1))),
      ]
    ) {
      const { broken } = await reportOf(handler)
      match(broken, /^Job "charge" waits for something outside of the simulation \(a promise\) at /)
    }
  })

  it("is named where the load or an invariant uses it", async () => {
    const load = () => Effect.sync(() => void Date.now())
    match((await reportOf(() => Effect.void, { load })).broken, /^The load used Date\.now at /)
    const jobs = () => {
      Math.random()
      return [Charge.perform(() => Effect.void)]
    }
    const early = (await reportOf(() => Effect.void, { jobs })).broken
    match(early, /^The state, the jobs or the load of the simulation used Math\.random at 0\.000 s/)
    const invariants = { fresh: () => new Date().getTime() < 0 ? "long ago" : undefined }
    const { broken } = await reportOf(() => Effect.void, { invariants })
    match(broken, /^The invariant "fresh" used new Date\(\) at /)
  })

  it("is there again after a seed, whether that was clean, failed or threw", async () => {
    const now = () => [
      Date,
      Date.now,
      Math.random,
      setTimeout,
      setImmediate,
      queueMicrotask,
      fetch,
      performance.now,
      crypto.randomUUID,
      Object.getOwnPropertyDescriptor(crypto, "randomUUID"),
      Promise.prototype.then,
    ]
    const before = now()
    await reportOf(() => Effect.sync(() => Date.now()))
    deepStrictEqual(now(), before)
    const jobs = () => {
      throw new Error("no jobs today")
    }
    const exit = await Effect.runPromiseExit(Simulation.explore({ jobs, load: () => Effect.void }))
    strictEqual(exit._tag, "Failure")
    deepStrictEqual(now(), before)
  })

  it("is not what Effect's own time, chance, dates and spans are", async () => {
    const report = await Effect.runPromise(Simulation.explore({
      jobs: () => [
        Charge.perform(() =>
          Effect.gen(function* () {
            yield* DateTime.now
            yield* Random.next
            yield* Effect.logInfo(new Date(0).toISOString())
            yield* Effect.withSpan(Effect.sleep("1 second"), "a span")
          })
        ),
      ],
      load: () => Charge.enqueue(1),
      seeds: 3,
    }))
    strictEqual(report.seeds, 3)
  })
})

describe("what ends in a clear report", () => {
  it("a handler that goes on for ever at one instant", async () => {
    const { broken } = await reportOf(() =>
      Effect.andThen(Effect.sleep("1 second"), Effect.forever(Effect.yieldNow))
    )
    match(broken, /^Job "charge" runs for ever at one instant of virtual time: .*let it sleep/)
  })

  it("a handler that waits for ever and cannot be interrupted", async () => {
    const { broken } = await reportOf(
      () => Effect.uninterruptible(Effect.callback<void>(() => {})),
      { worker: { pollInterval: "1 hour", lease: "1 hour" } },
    )
    match(broken, /^Not all runs end: charge 1 is running; job "charge" may wait for something out/)
  })

  it("two runs of one seed that differ, with the first line that does", async () => {
    let calls = 0
    const { broken } = await reportOf(() => Effect.suspend(() => Effect.sleep(++calls * 1000)))
    match(broken, /^Two runs of one seed differ: .*; line \d+ is "1\.\d+ s .*" in the first and "2/)
  })

  it("an invariant that throws what is no error", async () => {
    const invariants = {
      odd: () => {
        throw Object.create(null)
      },
    }
    const { broken } = await reportOf(() => Effect.void, { invariants })
    strictEqual(broken, "odd: it threw a value that cannot be shown")
  })

  it("an invariant that answers what is no text", async () => {
    const invariants = { odd: (() => false) as unknown as () => undefined }
    const { broken } = await reportOf(() => Effect.void, { invariants })
    match(broken, /^odd: it answered false, where a text or undefined/)
  })

  it("a load that throws, fails or dies with what is no error", async () => {
    for (const failure of [Effect.die(null), Effect.fail(undefined), Effect.interrupt]) {
      const { broken } = await reportOf(() => Effect.void, { load: () => failure })
      match(broken, /^The load failed: ./)
    }
  })
})

describe("a handler that does what it should not ends its run as on any worker", () => {
  const Odd = Job.make("odd", {
    output: Schema.Union([Schema.Int, Schema.Array(Schema.String)]),
    maxAttempts: 2,
    baseDelay: "1 second",
  })
  const handlers: ReadonlyArray<readonly [string, () => unknown, RegExp]> = [
    ["throws no error", () => {
      throw null
    }, /^null$/],
    [
      "dies with an object without a prototype",
      () => Effect.die(Object.create(null)),
      /^A value of type object$/,
    ],
    ["answers no effect", () => 7, /Not a valid effect: 7/],
    [
      "answers what its schema refuses",
      () => Effect.succeed("seven"),
      /^The output does not match its schema/,
    ],
    [
      "answers more than a payload may hold",
      () => Effect.succeed(["x".repeat(3_000_000)]),
      /bytes/,
    ],
    ["interrupts itself", () => Effect.interrupt, /^The handler interrupted itself$/],
  ]
  for (const [what, handler, why] of handlers) {
    it(what, async () => {
      const seen: Array<string> = []
      const report = await Effect.runPromise(Simulation.explore({
        jobs: () => [Odd.perform(handler as () => Effect.Effect<number>)],
        load: () =>
          Effect.gen(function* () {
            const id = yield* Odd.enqueue(undefined)
            yield* Effect.sleep("5 minutes")
            const run = yield* Runs.get(id)
            strictEqual(run.state, "failed")
            seen.push(run.failure!.message)
          }),
        seeds: 2,
      }))
      strictEqual(report.seeds, 2)
      for (const message of seen) match(message, why)
      strictEqual(seen.length, 3)
    })
  }
})
