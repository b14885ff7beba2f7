import { Driver, DriverError, type InputInvalid, Job, QueueFull, Runs } from "@millrace/core"
import { assert, assertEquals, assertFalse, assertInstanceOf } from "@std/assert"
import { DateTime, Duration, Effect, Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import { describe, it } from "node:test"
import { claim, onMemory, perform } from "./hand.ts"

class Bounced extends Schema.TaggedError<Bounced>()("Bounced", { code: Schema.Int }) {}

class Mail extends Job.make("mail", {
  input: { to: Schema.String, at: Schema.optionalKey(Schema.Date) },
  output: { sent: Schema.Boolean },
  error: Bounced,
  maxAttempts: 2,
  priority: 3,
}) {}

class Plain extends Job.make("plain", { queue: "mail" }) {}

const someId = "01890a5d-ac96-774b-bcce-b302099a8057"

const refused = (
  enqueued: Effect.Effect<unknown, InputInvalid | QueueFull | DriverError, Driver.Driver>,
) =>
  onMemory(Effect.gen(function* () {
    const error = yield* Effect.flip(enqueued)
    const driver = yield* Driver.Driver
    assertEquals(yield* driver.find({ limit: 10 }), [], "something was stored")
    if (error instanceof DriverError || error instanceof QueueFull) throw error
    return error
  }))

describe("enqueue", () => {
  it("stores a task that is ready, with what its definition says", () =>
    onMemory(Effect.gen(function* () {
      yield* TestClock.setTime(5000)
      const runId = yield* Mail.enqueue({ to: "ada", at: new Date(0) })
      const run = yield* Runs.get(runId)
      assertEquals(run, {
        id: runId,
        job: "mail",
        queue: "mail",
        priority: 3,
        state: "ready",
        enqueuedAt: 5000,
        dueAt: undefined,
        group: undefined,
        expiresAt: undefined,
        tags: [],
        meta: {},
        progress: undefined,
        input: `{"to":"ada","at":"1970-01-01T00:00:00.000Z"}`,
        output: undefined,
        failure: undefined,
        attempts: [],
        history: [],
      })
      const [task] = yield* claim("mail")
      assertEquals([task?.maxAttempts, task?.maxCrashes, task?.step], [2, 3, "mail"])
    })))

  it("gives each run another id, and the ids grow", () =>
    onMemory(Effect.gen(function* () {
      const ids: Array<string> = []
      for (let count = 0; count < 100; count++) ids.push(yield* Plain.enqueue())
      assertEquals([...new Set(ids)].sort(), ids)
    })))

  it("with a delay is due that long after now, and not before", () =>
    onMemory(Effect.gen(function* () {
      yield* TestClock.setTime(1000)
      const runId = yield* Mail.enqueue({ to: "ada" }, { delay: "2 minutes" })
      const run = yield* Runs.get(runId)
      assertEquals([run.state, run.dueAt], ["ready", 121_000])
      yield* TestClock.setTime(120_999)
      assertEquals(yield* claim("mail"), [])
      yield* TestClock.setTime(121_000)
      assertEquals((yield* claim("mail")).map((task) => task.id), [runId])
    })))

  it("at an instant is due then, whichever way the instant is written", () =>
    onMemory(Effect.gen(function* () {
      for (const at of [new Date(60_000), 60_000, DateTime.makeUnsafe(60_000)]) {
        const runId = yield* Mail.enqueue({ to: "ada" }, { at })
        assertEquals((yield* Runs.get(runId)).dueAt, 60_000)
      }
      const late = yield* Mail.enqueue({ to: "ada" }, { at: new Date("2199-12-31T00:00:00Z") })
      assertEquals((yield* Runs.get(late)).dueAt, Date.UTC(2199, 11, 31))
    })))

  it("with a fraction of a millisecond is due at the nearest whole one", () =>
    onMemory(Effect.gen(function* () {
      const options = [{ delay: 1000.4 }, { delay: "999.5 millis" }, { at: 1000.4 }, { at: 999.5 }]
      for (const one of options) {
        const runId = yield* Mail.enqueue({ to: "ada" }, one as never)
        assertEquals((yield* Runs.get(runId)).dueAt, 1000)
      }
    })))

  it("at an instant that has passed is due at once", () =>
    onMemory(Effect.gen(function* () {
      yield* TestClock.setTime(60_000)
      const runId = yield* Mail.enqueue({ to: "ada" }, { at: 59_999 })
      assertEquals((yield* Runs.get(runId)).dueAt, undefined)
      assertEquals((yield* claim("mail")).length, 1)
    })))

  it("with another priority overtakes", () =>
    onMemory(Effect.gen(function* () {
      const late = yield* Mail.enqueue({ to: "ada" }, { priority: 9 })
      const usual = yield* Mail.enqueue({ to: "ada" })
      const soon = yield* Mail.enqueue({ to: "ada" }, { priority: 0 })
      const order = (yield* claim("mail", 10)).map((task) => task.id)
      assertEquals(order, [soon, usual, late])
    })))

  it("a second time with the same id stores nothing and answers it", () =>
    onMemory(Effect.gen(function* () {
      assertEquals(yield* Mail.enqueue({ to: "ada" }, { id: someId }), someId)
      assertEquals(yield* Mail.enqueue({ to: "bob" }, { id: someId, priority: 0 }), someId)
      const run = yield* Runs.get(someId)
      assertEquals([run.input, run.priority], [`{"to":"ada"}`, 3])
      assertEquals((yield* claim("mail", 10)).length, 1)
    })))

  it("a second time with the id of a run that ended leaves it ended", () =>
    onMemory(Effect.gen(function* () {
      yield* Mail.enqueue({ to: "ada" }, { id: someId })
      yield* perform("mail", { _tag: "Completed", output: `{"sent":true}` })
      yield* Mail.enqueue({ to: "ada" }, { id: someId })
      assertEquals((yield* Runs.get(someId)).state, "completed")
      assertEquals(yield* claim("mail"), [])
    })))

  it("takes the options at their bounds", () =>
    onMemory(Effect.gen(function* () {
      const bounds: ReadonlyArray<Parameters<typeof Plain.enqueue>[1] & object> = [
        {},
        { delay: 0 },
        { delay: "3650 days" },
        { delay: Duration.zero },
        { at: 0 },
        { at: new Date("0000-01-01T00:00:00Z") },
        { at: 253_402_300_799_999 },
        { priority: 0 },
        { priority: 9 },
      ]
      for (const options of bounds) yield* Plain.enqueue(undefined, options)
    })))
})

describe("an input that is refused", () => {
  it("is named with the place, without a value of it, and nothing is stored", async () => {
    const error = await refused(Mail.enqueue({ to: 4711 as never }))
    assertEquals([error._tag, error.job, error.index], ["InputInvalid", "mail", undefined])
    assertEquals(error.message, `Cannot enqueue job "mail": Expected string at ["to"]`)
    for (const input of ["hunter2", null, { to: ["hunter2"] }, { to: "a", at: "hunter2" }]) {
      assertFalse((await refused(Mail.enqueue(input as never))).message.includes("hunter2"))
    }
  })

  it("is named with its number among many, and none is stored", async () => {
    const inputs = [{ to: "ada" }, { to: "bob" }, { to: 4711 as never }, { to: null as never }]
    const error = await refused(Mail.enqueueMany(inputs))
    assertEquals(error.index, 2)
    assertEquals(error.message, `Cannot enqueue job "mail" (input 2): Expected string at ["to"]`)
  })

  it("is named with its number among many also where it is the first", async () => {
    const error = await refused(Mail.enqueueMany([{ to: 4711 as never }]))
    assertEquals(error.index, 0)
    assertEquals(error.message, `Cannot enqueue job "mail" (input 0): Expected string at ["to"]`)
  })

  it("is refused over the limit of a mebibyte, and accepted at it", async () => {
    const room = 1024 * 1024 - `{"to":""}`.length
    await onMemory(Mail.enqueue({ to: "a".repeat(room) }))
    const error = await refused(Mail.enqueue({ to: "a".repeat(room + 1) }))
    assertEquals(error.detail, "it is 1048577 bytes of JSON, more than the limit of 1048576")
  })

  it("is refused for what no storage can hold", async () => {
    const error = await refused(Mail.enqueue({ to: "hunter2\0" }))
    assertEquals(error.detail, "it contains a NUL character or half of a surrogate pair")
  })
})

describe("an option of enqueueing that is refused", () => {
  const delay = "delay must be a duration from 0 to 10 years"
  const expiresIn = "expiresIn must be a duration from 1 millisecond to 10 years"
  const at = "at must be a date from the year 0 to 9999"
  const id = "id must be a UUID in lower case"
  const priority = (given: unknown) => `priority must be an integer from 0 to 9, got ${given}`
  const cases: ReadonlyArray<readonly [options: Record<string, unknown>, detail: string]> = [
    ...[-1, NaN, Infinity, "-1 second", "Infinity", "soon", {}, { hour: 1 }, "3651 days", null]
      .map((given) => [{ delay: given }, delay] as const),
    ...[0, 0.9, -1, NaN, Infinity, "soon", {}, { hour: 1 }, "3651 days", null]
      .map((given) => [{ expiresIn: given }, expiresIn] as const),
    ...[NaN, Infinity, new Date(NaN), 253_402_300_800_000, "tomorrow", null, {}, true]
      .map((given) => [{ at: given }, at] as const),
    ...[-62_167_219_200_001, new Date("-000001-12-31T23:59:59Z"), -253_402_300_799_999]
      .map((given) => [{ at: given }, at] as const),
    ...[-1, 10, 1.5, NaN, "3", true, null].map((given) =>
      [{ priority: given }, priority(given)] as const
    ),
    ...["", "1", someId.toUpperCase(), `${someId} `, `{${someId}}`, 5, "' or 1=1 --"]
      .map((given) => [{ id: given }, id] as const),
    [{ delay: 1, at: 1 }, "give either delay or at, not both"],
  ]
  for (const [options, detail] of cases) {
    const shown = Object.entries(options).map(([name, given]) => `${name}: ${String(given)}`)
    it(`${shown.join(", ")}`, async () => {
      const error = await refused(Mail.enqueue({ to: "ada" }, options as never))
      assertEquals(error.message, `Cannot enqueue job "mail": ${detail}`)
    })
  }
})

describe("enqueueMany", () => {
  it("stores a run of each input and answers their ids in order", () =>
    onMemory(Effect.gen(function* () {
      const to = ["ada", "bob", "cy"]
      const ids = yield* Mail.enqueueMany(to.map((one) => ({ to: one })), { delay: "1 minute" })
      for (const [index, id] of ids.entries()) {
        const run = yield* Runs.get(id)
        assertEquals([run.input, run.dueAt], [`{"to":"${to[index]}"}`, 60_000])
      }
    })))

  it("takes no id, since one cannot serve many runs", async () => {
    for (const id of [someId, null]) {
      const error = await refused(Mail.enqueueMany([{ to: "ada" }], { id } as never))
      assertEquals(
        error.message,
        `Cannot enqueue job "mail": id cannot be given for many inputs, which are a run each`,
      )
    }
  })

  it("stores nothing of no inputs", async () => {
    assertEquals(await onMemory(Mail.enqueueMany([])), [])
  })

  it("calls the driver once for each thousand", () =>
    onMemory(Effect.gen(function* () {
      const driver = yield* Driver.Driver
      const sizes: Array<number> = []
      const spy = Driver.Driver.of({
        ...driver,
        insert: (tasks) => Effect.suspend(() => (sizes.push(tasks.length), driver.insert(tasks))),
      })
      const inputs = Array.from({ length: 2001 }, (_, index) => ({ to: String(index) }))
      const ids = yield* Effect.provideService(Mail.enqueueMany(inputs), Driver.Driver, spy)
      assertEquals(sizes, [1000, 1000, 1])
      assertEquals([...new Set(ids)].length, 2001)
    })))
})

describe("run and await", () => {
  it("answer the decoded output, as soon as the run has ended", () =>
    onMemory(Effect.gen(function* () {
      const running = yield* Effect.forkChild(Mail.run({ to: "ada" }), { startImmediately: true })
      yield* Effect.yieldNow
      const task = yield* perform("mail", { _tag: "Completed", output: `{"sent":false}` })
      assert(task.awaited)
      assertEquals(yield* Fiber.join(running), { sent: false })
      assertEquals(yield* Mail.await(task.runId), { sent: false })
    })))

  it("fail with the job's own error, decoded to its class", () =>
    onMemory(Effect.gen(function* () {
      const runId = yield* Mail.enqueue({ to: "ada" })
      const error = `{"_tag":"Bounced","code":550}`
      const failure = { reason: "Discarded", message: "no such user", error } as const
      yield* perform("mail", { _tag: "Discarded", failure })
      const failed = yield* Effect.flip(Mail.await(runId))
      assert(failed._tag === "RunFailed")
      assertEquals([failed.job, failed.reason], ["mail", "Discarded"])
      assertInstanceOf(failed.error, Bounced)
      assertEquals(failed.error.code, 550)
      const message = `Run "${runId}" of job "mail" failed (Discarded): no such user`
      assertEquals(failed.message, message)
    })))

  it("fail without a typed error where the job did not foresee it", () =>
    onMemory(Effect.gen(function* () {
      const runId = yield* Mail.enqueue({ to: "ada" })
      const failure = { reason: "Defect", message: "boom" } as const
      yield* perform("mail", { _tag: "Failed", failure, retryDelayMillis: undefined })
      const failed = yield* Effect.flip(Mail.await(runId))
      assert(failed._tag === "RunFailed")
      assertEquals([failed.reason, failed.error], ["Defect", undefined])
    })))

  it("fail with a reason where the stored output is not what the schema says", () =>
    onMemory(Effect.gen(function* () {
      for (const output of [`{"sent":"hunter2"}`, `{"sent":`]) {
        const runId = yield* Mail.enqueue({ to: "ada" })
        yield* perform("mail", { _tag: "Completed", output })
        const failed = yield* Effect.flip(Mail.await(runId))
        assert(failed._tag === "RunFailed")
        assertEquals(failed.reason, "OutputInvalid")
        assertFalse(failed.message.includes("hunter2"))
      }
    })))

  it("fail for a run that was cancelled, with the reason", () =>
    onMemory(Effect.gen(function* () {
      const runId = yield* Mail.enqueue({ to: "ada" })
      yield* Runs.cancel(runId, { reason: "not wanted" })
      const cancelled = yield* Effect.flip(Mail.await(runId))
      assertEquals(cancelled.message, `Run "${runId}" was cancelled: not wanted`)
      assertEquals(cancelled._tag, "RunCancelled")
    })))

  it("find no run that is another job's", () =>
    onMemory(Effect.gen(function* () {
      const runId = yield* Plain.enqueue()
      yield* perform("mail", { _tag: "Completed", output: "null" })
      assertEquals(yield* Plain.await(runId), undefined)
      assertEquals((yield* Effect.flip(Mail.await(runId)))._tag, "RunNotFound")
    })))
})
