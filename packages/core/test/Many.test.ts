import { Driver, Flow, Job, Runs } from "@millrace/core"
import { assert, assertEquals } from "@std/assert"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { describe, it } from "node:test"
import { claim, onMemory, perform, settle } from "./hand.ts"

class Mail extends Job.make("mail") {}
class Report extends Job.make("report") {}
const Parcel = Flow.make("parcel").step("pack").step("send", { needs: ["pack"] })

const mails = (count: number) => Mail.enqueueMany(Array.from({ length: count }, () => undefined))

const statesOf = (filter?: Runs.Filter) =>
  Effect.map(Runs.list({ ...filter, order: "oldest", limit: 1000 }), ({ runs }) => {
    const counts: Record<string, number> = {}
    for (const { state } of runs) counts[state] = (counts[state] ?? 0) + 1
    return counts
  })

describe("Runs.cancelMany", () => {
  it("cancels what its filter finds and has not ended, page by page, and nothing else", () =>
    onMemory(Effect.gen(function* () {
      yield* mails(250)
      yield* perform("mail", { _tag: "Completed", output: "null" })
      yield* claim("mail", 10)
      const other = yield* Report.enqueue()
      const answer = yield* Runs.cancelMany({ job: Mail }, { reason: "not needed" })
      assertEquals(answer, { found: 249, changed: 249 })
      assertEquals(yield* statesOf({ job: Mail }), { completed: 1, cancelled: 249 })
      assertEquals((yield* Runs.get(other)).state, "ready")
      const { runs: [one] } = yield* Runs.list({ job: Mail, states: ["cancelled"], limit: 1 })
      assertEquals(one?.failure, { reason: "Cancelled", message: "not needed" })
      assertEquals(yield* Runs.cancelMany({ job: Mail }), { found: 0, changed: 0 })
    })))

  it("stops when so many have changed, the oldest first", () =>
    onMemory(Effect.gen(function* () {
      const all = yield* mails(5)
      assertEquals(yield* Runs.cancelMany({ job: Mail }, { limit: 2 }), { found: 2, changed: 2 })
      const { runs } = yield* Runs.list({ states: ["cancelled"], order: "oldest" })
      assertEquals(runs.map((run) => run.id), all.slice(0, 2))
    })))

  it("of states that are given, only of those", () =>
    onMemory(Effect.gen(function* () {
      yield* mails(3)
      yield* claim("mail")
      assertEquals(yield* Runs.cancelMany({ states: ["ready"] }), { found: 2, changed: 2 })
      const ended = yield* Runs.cancelMany({ states: ["completed", "cancelled"] })
      assertEquals(ended, { found: 0, changed: 0 })
      assertEquals(yield* statesOf(), { running: 1, cancelled: 2 })
    })))

  it("of ids that are given, only of those", () =>
    onMemory(Effect.gen(function* () {
      const [first, , third] = yield* mails(3)
      const ids = [third!, first!, "01890a5d-ac96-774b-bcce-b302099a8057"]
      assertEquals(yield* Runs.cancelMany({ ids }), { found: 2, changed: 2 })
      assertEquals(yield* Runs.cancelMany({ ids: [] }), { found: 0, changed: 0 })
      assertEquals(yield* statesOf(), { ready: 1, cancelled: 2 })
    })))

  it("takes the steps of flows along, of each run its own", () =>
    onMemory(Effect.gen(function* () {
      const runs = yield* Effect.forEach(Array.from({ length: 23 }), () => Parcel.start())
      const [kept, ...others] = runs
      const answer = yield* Runs.cancelMany({ ids: others })
      assertEquals(answer, { found: 22, changed: 22 })
      const driver = yield* Driver.Driver
      const steps = yield* driver.find({ parents: runs, limit: 100 })
      const open = steps.filter(({ state }) => state !== "cancelled")
      assertEquals(open.map(({ branch, state }) => [branch?.parent, state]), [[kept, "ready"]])
    })))

  it("of everything, where that is said", () =>
    onMemory(Effect.gen(function* () {
      yield* mails(2)
      yield* Report.enqueue()
      yield* Parcel.start()
      assertEquals(yield* Runs.cancelMany({ everything: true }), { found: 4, changed: 4 })
    })))
})

describe("Runs.discardMany", () => {
  it("gives runs up", () =>
    onMemory(Effect.gen(function* () {
      yield* mails(3)
      const answer = yield* Runs.discardMany({ queue: "mail" }, { reason: "too old", limit: 2 })
      assertEquals(answer, { found: 2, changed: 2 })
      const { runs } = yield* Runs.list({ states: ["failed"] })
      assertEquals(runs.map(({ failure }) => failure), [
        { reason: "Discarded", message: "too old" },
        { reason: "Discarded", message: "too old" },
      ])
    })))
})

describe("Runs.retryMany", () => {
  it("makes failed and cancelled runs ready again", () =>
    onMemory(Effect.gen(function* () {
      yield* mails(3)
      yield* perform("mail", { _tag: "Discarded", failure: { reason: "Error", message: "no" } })
      yield* perform("mail", { _tag: "Completed", output: "null" })
      yield* Runs.cancelMany({ job: Mail })
      assertEquals(yield* Runs.retryMany({ job: Mail }), { found: 2, changed: 2 })
      assertEquals(yield* statesOf(), { completed: 1, ready: 2 })
    })))

  it("leaves those alone that are found, and move before they are changed", () =>
    onMemory(Effect.gen(function* () {
      const [first] = yield* mails(2)
      yield* Runs.cancelMany({ job: Mail })
      const driver = yield* Driver.Driver
      const slow = Driver.Driver.of({
        ...driver,
        find: (query) =>
          Effect.tap(
            driver.find(query),
            () => query.descending === true ? Effect.void : retried(driver, first!),
          ),
      })
      const many = Runs.retryMany({ job: Mail })
      const answer = yield* Effect.provideService(many, Driver.Driver, slow)
      assertEquals(answer, { found: 2, changed: 1 })
      assertEquals((yield* Runs.get(first!)).history.length, 2)
    })))
})

const retried = (driver: Driver.Driver["Service"], id: string) =>
  Effect.orDie(Effect.provideService(Runs.retry(id), Driver.Driver, driver))

describe("Runs.rescheduleMany", () => {
  it("puts ready runs off, and hurries them", () =>
    onMemory(Effect.gen(function* () {
      yield* mails(3)
      const [running] = yield* claim("mail")
      const off = yield* Runs.rescheduleMany({ job: Mail }, { delay: "1 hour" })
      assertEquals(off, { found: 2, changed: 2 })
      assertEquals(yield* claim("mail"), [])
      yield* TestClock.adjust("30 minutes")
      const on = yield* Runs.rescheduleMany({ job: Mail }, { at: 0 }, { limit: 1 })
      assertEquals(on, { found: 1, changed: 1 })
      assertEquals((yield* claim("mail", 10)).length, 1)
      yield* settle(running!, { _tag: "Completed", output: "null" })
    })))

  it("refuses a time that is none", () =>
    onMemory(Effect.gen(function* () {
      const error = yield* Effect.flip(Runs.rescheduleMany({ job: Mail }, {} as Runs.When))
      assertEquals(error.message, "Cannot reschedule: give either delay or at")
    })))
})

describe("a selection", () => {
  it("that is empty or wrong is refused, and nothing is changed", () =>
    onMemory(Effect.gen(function* () {
      yield* mails(1)
      const wrong: ReadonlyArray<readonly [unknown, unknown, string]> = [
        [{}, {}, "give a condition, or say everything: true"],
        [{ job: undefined }, {}, "give a condition, or say everything: true"],
        [undefined, {}, "give an object of conditions, got undefined"],
        [{ everything: false }, {}, "everything must be true, or left out"],
        [{ everything: true, job: Mail }, {}, "give either conditions or everything: true"],
        [{ jop: "mail" }, {}, `there is no condition "jop"`],
        [{ limit: 5 }, {}, `there is no condition "limit"`],
        [{ ids: ["1"] }, {}, "ids must be a list of at most 1000 ids of runs"],
        [{ job: Mail }, { limit: 0 }, "limit must be an integer of at least 1, got 0"],
        [{ job: Mail }, { limit: "1" }, `limit must be an integer of at least 1, got "1"`],
      ]
      for (const [selection, options, detail] of wrong) {
        for (const change of [Runs.cancelMany, Runs.discardMany, Runs.retryMany]) {
          const error = yield* Effect.flip(
            change(selection as Runs.Selection, options as Runs.ManyOptions),
          )
          assert(error._tag === "FilterInvalid")
          assertEquals(error.message, `Cannot find runs: ${detail}`)
        }
      }
      assertEquals(yield* statesOf(), { ready: 1 })
    })))
})
