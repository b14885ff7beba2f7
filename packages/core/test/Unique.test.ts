import { Definition, Driver, Job, Runs } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert"
import { Effect, Schema } from "effect"
import { TestClock } from "effect/testing"
import { describe, it } from "node:test"
import { claim, onMemory, perform } from "./hand.ts"

const input = { user: Schema.String, page: Schema.Int }
const key = ({ user }: { readonly user: string }) => user
const inputs = [1, 2, 3].map((page) => ({ user: "ada", page }))

const enqueueAll = (job: Job.Job<string, { user: string; page: number }, void, never>) =>
  Effect.forEach(inputs, (one) => job.enqueue(one))

describe("a job whose runs are unique", () => {
  it("answers the run that has the key, until it has ended", () =>
    onMemory(Effect.gen(function* () {
      const Sync = Job.make("sync", { input, unique: { key } })
      const ids = yield* enqueueAll(Sync)
      assertEquals(new Set(ids).size, 1)
      assert(ids[0] !== (yield* Sync.enqueue({ user: "bob", page: 1 })))
      yield* perform("sync", { _tag: "Completed", output: "null" })
      const next = yield* Sync.enqueue(inputs[0]!)
      assert(next !== ids[0])
    })))

  it("answers one id for each input of many", () =>
    onMemory(Effect.gen(function* () {
      const Sync = Job.make("sync", { input, unique: { key } })
      const [a, b, c, d] = yield* Sync.enqueueMany([...inputs, { user: "bob", page: 1 }])
      assertEquals([a === b, b === c, c === d], [true, true, false])
    })))

  it("replaces the run that waits, so that the last input counts", () =>
    onMemory(Effect.gen(function* () {
      const Sync = Job.make("sync", { input, unique: { key, onClash: "replace" } })
      const ids = yield* enqueueAll(Sync)
      const [first] = yield* Effect.forEach(ids, Runs.get)
      assertEquals(first?.failure?.message, `replaced by run ${ids[1]}`)
      const tasks = yield* claim("sync", 10)
      assertEquals(tasks.map((task) => task.input), [`{"user":"ada","page":3}`])
    })))

  it("is put off with each enqueue where it debounces", () =>
    onMemory(Effect.gen(function* () {
      const unique = { key, onClash: "debounce", period: "5 seconds" } as const
      const Sync = Job.make("sync", { input, unique })
      for (const one of inputs) {
        yield* Sync.enqueue(one)
        yield* TestClock.adjust("4 seconds")
        assertEquals(yield* claim("sync", 10), [])
      }
      yield* TestClock.adjust("1 second")
      const tasks = yield* claim("sync", 10)
      assertEquals(tasks.map((task) => task.input), [`{"user":"ada","page":3}`])
      const delayed = yield* Effect.flip(Sync.enqueue(inputs[0]!, { delay: "1 second" }))
      assertStringIncludes(delayed.message, "the job debounces, and its period is the delay")
    })))

  it("is stored once in a period where it throttles, though it has ended", () =>
    onMemory(Effect.gen(function* () {
      const unique = { key, onClash: "throttle", period: "1 minute" } as const
      const Sync = Job.make("sync", { input, unique })
      const first = yield* Sync.enqueue(inputs[0]!)
      yield* perform("sync", { _tag: "Completed", output: "null" })
      yield* TestClock.adjust("59 seconds")
      assertEquals(yield* Sync.enqueue(inputs[1]!), first)
      yield* TestClock.adjust("1 second")
      assert(first !== (yield* Sync.enqueue(inputs[1]!)))
    })))
})

describe("a key", () => {
  const bad: ReadonlyArray<readonly [unknown, string]> = [
    [1, "a value of type number"],
    [null, "a value of type null"],
    [undefined, "a value of type undefined"],
    ["", "an empty one"],
    ["k".repeat(256), "one of 256"],
    ["a\u0000b", "one with characters that cannot be stored"],
    ["\ud800", "one with characters that cannot be stored"],
  ]
  for (const [answer, got] of bad) {
    it(`is refused where it is ${got}, and nothing is stored`, () =>
      onMemory(Effect.gen(function* () {
        const Odd = Job.make("odd", { unique: { key: () => answer as string } })
        const error = yield* Effect.flip(Odd.enqueue())
        assertEquals([error._tag, error.message], [
          "InputInvalid",
          `Cannot enqueue job "odd": unique.key must answer a text of 1 to 255 characters, ` +
          `got ${got}`,
        ])
        assertEquals(yield* (yield* Driver.Driver).find({ limit: 1 }), [])
      })))
  }

  it("that throws is refused, and its error is not shown", () =>
    onMemory(Effect.gen(function* () {
      const Odd = Job.make("odd", {
        unique: {
          key: () => {
            throw new Error("secret")
          },
        },
      })
      const error = yield* Effect.flip(Odd.enqueueMany([undefined]))
      assertStringIncludes(error.message, "(input 0): unique.key must answer")
      assert(!error.message.includes("secret"))
    })))

  it("of 255 characters is taken", () =>
    onMemory(Effect.gen(function* () {
      const Long = Job.make("long", { unique: { key: () => "漢".repeat(255) } })
      assertEquals(yield* Long.enqueue(), yield* Long.enqueue())
    })))
})

describe("the option unique", () => {
  const refused: ReadonlyArray<readonly [unknown, string]> = [
    [true, "unique must be an object with a key, got true"],
    [[], "unique must be an object with a key, got a value of type array"],
    [{}, "unique.key must be a function of the input, got undefined"],
    [{ key: "user" }, `unique.key must be a function of the input, got "user"`],
    [{ key, onClash: "drop" }, "unique.onClash must be one of ignore, replace, debounce, throttle"],
    [{ key, states: [] }, "unique.states must be some of waiting, ready, running, completed"],
    [{ key, states: ["done"] }, "unique.states must be some of waiting, ready, running"],
    [{ key, onClash: "replace", states: ["completed"] }, "unique.states must be some of waiting"],
    [{ key, onClash: "debounce" }, `unique.period is needed with onClash "debounce"`],
    [{ key, onClash: "throttle" }, `unique.period is needed with onClash "throttle"`],
    [{ key, onClash: "throttle", period: 5, states: ["ready"] }, "unique.states cannot be given"],
    [{ key, period: 0 }, "unique.period must be a duration from 1ms to 3650d, got 0"],
    [{ key, period: NaN }, "unique.period must be a duration from 1ms to 3650d, got NaN"],
    [{ key, ttl: 5 }, "unique.ttl is no option of unique"],
  ]
  for (const [unique, message] of refused) {
    it(`is refused at definition: ${message}`, () => {
      const problems = Definition.check([{ slug: "sync", unique }])
      assertEquals(problems.length, 1)
      assertStringIncludes(problems[0]!.message, `Cannot define job "sync": ${message}`)
      assertThrows(() => Job.make("sync", { unique } as never), Error, problems[0]!.message)
    })
  }

  it("that differs between two definitions of one job is named", () => {
    const one = Job.make("sync", { input, unique: { key } })
    const other = Job.make("sync", { input, unique: { key, onClash: "replace" } })
    assertStringIncludes(
      Definition.check([one, other]).map(({ message }) => message).join(),
      "their uniqueness differs: ignore over ready, running, waiting and replace over ready, waiting",
    )
  })

  it("that differs is refused when the second definition enqueues on the same storage", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const one = Job.make("sync", { input, unique: { key } })
        const same = Job.make("sync", { input, unique: { key } })
        const none = Job.make("sync", { input })
        yield* one.enqueue(inputs[0]!)
        yield* same.enqueue(inputs[0]!)
        const error = yield* Effect.flip(none.enqueue(inputs[0]!))
        assertEquals(
          error.message,
          `Cannot enqueue job "sync": the job is defined twice with different uniqueness ` +
            `(ignore over ready, running, waiting and none); define it once`,
        )
      }).pipe(Effect.provide(MemoryDriver.layer)),
    ))
})
