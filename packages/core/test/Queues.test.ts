import { Job, Problem, QueueFull, Queues, Runs, Worker } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
  assertThrows,
} from "@std/assert"
import { Effect, Fiber, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import { describe, it } from "node:test"
import { claim, onMemory } from "./hand.ts"

const Mail = Job.make("mail", { input: Schema.Int, maxAttempts: 2 })

describe("limits that are out of bounds", () => {
  const refused: ReadonlyArray<readonly [unknown, string]> = [
    [undefined, "limits must be an object, got undefined"],
    [[], "limits must be an object, got a value of type array"],
    [{ concurrency: 0 }, "concurrency must be an integer of at least 1, got 0"],
    [{ concurrency: 1.5 }, "concurrency must be an integer of at least 1, got 1.5"],
    [{ concurrency: -1 }, "concurrency must be an integer of at least 1, got -1"],
    [{ concurrency: NaN }, "concurrency must be an integer of at least 1, got NaN"],
    [{ concurrency: "5" }, `concurrency must be an integer of at least 1, got "5"`],
    [{ concurrency: 1_000_001 }, "concurrency must be an integer of at most 1000000, got 1000001"],
    [{ rate: 5 }, "rate must be an object, got 5"],
    [{ rate: { count: 5 } }, "rate.per must be a duration from 1ms to 31d, got undefined"],
    [{ rate: { per: "1 second" } }, "rate.count must be an integer of at least 1, got undefined"],
    [{ rate: { count: 0, per: 5 } }, "rate.count must be an integer of at least 1, got 0"],
    [{ rate: { count: 0.5, per: 5 } }, "rate.count must be an integer of at least 1, got 0.5"],
    [{ rate: { count: 5, per: 0 } }, "rate.per must be a duration from 1ms to 31d, got 0"],
    [{ rate: { count: 5, per: "32 days" } }, "rate.per must be a duration from 1ms to 31d"],
    [
      { rate: { count: 5, per: 5, burst: 0 } },
      "rate.burst must be an integer of at least 1, got 0",
    ],
    [{ maxDepth: 0 }, "maxDepth must be an integer of at least 1, got 0"],
    [{ maxDepth: 100_001 }, "maxDepth must be an integer of at most 100000, got 100001"],
    [{ perKey: { concurrency: 0 } }, "perKey.concurrency must be an integer of at least 1, got 0"],
    [{ perKey: { onFailure: "stop" } }, `perKey.onFailure must be "block" or "skip", got "stop"`],
    [{ perKey: { weights: { a: 0 } } }, `perKey.weights of "a" must be an integer of at least 1`],
    [{ perKey: { weights: 2 } }, "perKey.weights must be an object of weights, got 2"],
    [{ perKey: { rate: { count: 1, per: -1 } } }, "perKey.rate.per must be a duration"],
  ]
  for (const [limits, message] of refused) {
    it(`are refused when they are said: ${message}`, () => {
      const thrown = assertThrows(
        () => Queues.limit("mail", limits as never),
        Problem.DefinitionError,
      )
      assertStringIncludes(thrown.message, `Cannot define limits of queue "mail": ${message}`)
    })
  }

  it("are refused where a worker is made", () => {
    const mail = Mail.perform(() => Effect.void)
    for (const limits of [{ concurrency: 0 }, { speed: 5 }, null]) {
      const queues = { mail: { limits: limits as never } }
      assertThrows(() => Worker.layer({ jobs: [mail], queues }), Problem.DefinitionError)
    }
    const unknown = assertThrows(
      () => Worker.layer({ jobs: [mail], queues: { mail: { limits: { speed: 5 } as never } } }),
      Error,
    )
    assertStringIncludes(unknown.message, `there is no option "speed"`)
  })

  it("are refused for what is no queue", () => {
    assertThrows(() => Queues.limit("No Queue", { concurrency: 1 }), Problem.DefinitionError)
  })

  it("at their bounds are taken, and read as they hold", () =>
    onMemory(Effect.gen(function* () {
      const rate = { count: 1_000_000, per: "31 days", burst: 1 } as const
      const perKey = {
        concurrency: 1_000_000,
        rate,
        onFailure: "skip",
        weights: { a: 100 },
      } as const
      yield* Queues.limit("mail", { concurrency: 1_000_000, rate, maxDepth: 100_000, perKey })
      const stored = { count: 1_000_000, periodMillis: 31 * 86_400_000, burst: 1 }
      assertEquals(yield* Queues.limits("mail"), {
        concurrency: 1_000_000,
        rate: stored,
        maxDepth: 100_000,
        keys: { concurrency: 1_000_000, rate: stored, onFailure: "skip", weights: { a: 100 } },
      })
      yield* Queues.unlimit("mail")
      assertEquals(yield* Queues.limits("mail"), undefined)
    })))
})

describe("a queue that is full", () => {
  it("refuses with an error that names it, and stores nothing", () =>
    onMemory(Effect.gen(function* () {
      yield* Queues.limit("mail", { maxDepth: 2 })
      const ids = yield* Mail.enqueueMany([1, 2])
      const full = yield* Effect.flip(Mail.enqueue(3))
      assertInstanceOf(full, QueueFull)
      assertEquals(
        full.message,
        `Cannot enqueue job "mail": queue "mail" holds as many as it may; ` +
          `try again later, or give whenFull: "wait"`,
      )
      assertEquals((yield* claim("mail", 10)).map(({ id }) => id), [...ids])
    })))

  it("is waited for, as asked", () =>
    onMemory(Effect.gen(function* () {
      yield* Queues.limit("mail", { maxDepth: 1 })
      yield* Mail.enqueue(1)
      const waiting = yield* Effect.forkChild(Mail.enqueue(2, { whenFull: "wait" }), {
        startImmediately: true,
      })
      yield* TestClock.adjust("1 minute")
      assertEquals(waiting.pollUnsafe(), undefined)
      yield* claim("mail")
      yield* TestClock.adjust("1 second")
      const runId = yield* Fiber.join(waiting)
      assertEquals((yield* Runs.get(runId)).input, "2")
    })))

  it("is waited for only where that is what was asked", () =>
    onMemory(Effect.gen(function* () {
      const error = yield* Effect.flip(Mail.enqueue(1, { whenFull: "drop" as never }))
      assertStringIncludes(error.message, `whenFull must be "fail" or "wait", got "drop"`)
    })))
})

describe("a group", () => {
  const Step = Job.make("step", { input: Schema.String, group: (account) => account })

  it("lets one of its runs through at a time", () =>
    onMemory(Effect.gen(function* () {
      yield* Step.enqueueMany(["ada", "ada", "bob"])
      assertEquals((yield* claim("step", 10)).map(({ input }) => input), [`"ada"`, `"bob"`])
    })))

  it("takes no priority, and no key that is none", () =>
    onMemory(Effect.gen(function* () {
      const priority = yield* Effect.flip(Step.enqueue("ada", { priority: 0 }))
      assertStringIncludes(priority.message, "priority cannot be given")
      const empty = yield* Effect.flip(Step.enqueue(""))
      assertStringIncludes(empty.message, "group must answer a text of 1 to 255 characters")
      assertThrows(() => Job.make("step", { group: "account" as never }), Problem.DefinitionError)
    })))
})

describe("workers of queues with limits", () => {
  const served = (
    options: Omit<Worker.Options<[]>, "jobs">,
    handler: (n: number) => Effect.Effect<void>,
    program: Effect.Effect<void, unknown, any>,
  ) => {
    const workers = [1, 2, 3].map(() =>
      Layer.fresh(Worker.layer({ ...options, jobs: [Mail.perform(handler)] }))
    )
    const live = Layer.mergeAll(workers[0]!, workers[1]!, workers[2]!).pipe(
      Layer.provideMerge(Layer.fresh(MemoryDriver.layer)),
      Layer.provideMerge(TestClock.layer()),
    )
    return Effect.runPromise(Effect.provide(program, live) as Effect.Effect<void, unknown>)
  }

  it("run no more at a time than the limit, and go on as soon as one has ended", async () => {
    let running = 0
    let most = 0
    let done = 0
    await served(
      { queues: { mail: { limits: { concurrency: 4 } } }, pollInterval: "1 hour" },
      () =>
        Effect.gen(function* () {
          most = Math.max(most, ++running)
          yield* Effect.sleep("1 second")
          running--
          done++
        }),
      Effect.gen(function* () {
        yield* Mail.enqueueMany(Array.from({ length: 20 }, (_, n) => n))
        yield* TestClock.adjust("7 seconds")
      }),
    )
    assertEquals(most, 4)
    // Without a wait for the poll 4 end each second.
    assert(done >= 20, `only ${done} were done`)
  })

  it("begin no more in a period than the rate, though they have places", async () => {
    const starts: Array<number> = []
    await served(
      { queues: { mail: { limits: { rate: { count: 5, per: "10 seconds", burst: 2 } } } } },
      () =>
        Effect.gen(function* () {
          starts.push(yield* Effect.clockWith((clock) => clock.currentTimeMillis))
          yield* Effect.sleep("3 seconds")
        }),
      Effect.gen(function* () {
        yield* Mail.enqueueMany(Array.from({ length: 20 }, (_, n) => n))
        for (let second = 0; second < 60; second++) yield* TestClock.adjust("1 second")
      }),
    )
    assertEquals(starts.length, 20)
    for (const [index, start] of starts.entries()) {
      const within = starts.slice(index).filter((other) => other - start < 10_000).length
      assert(within <= 7, `${within} began within 10 seconds`)
    }
  })
})

describe("priorities", () => {
  it("do not starve: of tasks that never wait one in some is of the lowest priority", async () => {
    const Low = Job.make("low", { queue: "mail", priority: 9 })
    let high = 0
    let low = 0
    let beside = 0
    const busy = Mail.perform(() =>
      Effect.gen(function* () {
        high++
        // As many come as are done, until there were enough.
        if (high < 300) yield* Effect.orDie(Mail.enqueue(high, { priority: 0 }))
      })
    )
    const live = Worker.layer({
      jobs: [busy, Low.perform(() => Effect.sync(() => void low++))],
      concurrency: 1,
    }).pipe(Layer.provideMerge(MemoryDriver.layer), Layer.provideMerge(TestClock.layer()))
    const program = Effect.gen(function* () {
      yield* Mail.enqueueMany([1, 2, 3], { priority: 0 })
      yield* Low.enqueueMany(Array.from({ length: 10 }, () => undefined))
      while (high < 300) yield* TestClock.adjust("10 millis")
      beside = low
    })
    await Effect.runPromise(Effect.provide(program, live))
    assert(beside >= 5, `only ${beside} of the low priority were run beside 300 others`)
  })
})

describe("Queues.list", () => {
  it("says what waits and runs, and what limits there are", () =>
    onMemory(Effect.gen(function* () {
      assertEquals(yield* Queues.list, [])
      yield* TestClock.setTime(1000)
      yield* Mail.enqueueMany([1, 2, 3])
      yield* Mail.enqueue(4, { delay: "1 hour" })
      yield* claim("mail")
      yield* Queues.limit("idle", { concurrency: 2 })
      yield* Queues.pause("mail")
      yield* TestClock.adjust(500)
      assertEquals(yield* Queues.list, [
        {
          ...{ queue: "idle", ready: 0, scheduled: 0, running: 0, paused: false },
          ...{ limits: { concurrency: 2 }, eldestMillis: undefined },
        },
        {
          ...{ queue: "mail", ready: 2, scheduled: 1, running: 1, paused: true },
          ...{ limits: { paused: true }, eldestMillis: 500 },
        },
      ])
    })))
})
