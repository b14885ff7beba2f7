import { FilterInvalid, Flow, Job, Runs } from "@millrace/core"
import { assert, assertEquals } from "@std/assert"
import { Effect, Schema } from "effect"
import { TestClock } from "effect/testing"
import { describe, it } from "node:test"
import { onMemory, perform } from "./hand.ts"

class Mail extends Job.make("mail", { input: { to: Schema.String }, group: ({ to }) => to }) {}
class Report extends Job.make("report", { unique: { key: () => "daily" } }) {}
const Parcel = Flow.make("parcel").step("pack").step("send", { needs: ["pack"] })

const completed = { _tag: "Completed", output: "null" } as const

const idsOf = (options?: Runs.ListOptions) =>
  Effect.map(Runs.list(options), ({ runs }) => runs.map((run) => run.id))

const refused = (options: unknown) =>
  Effect.map(Effect.flip(Runs.list(options as Runs.ListOptions)), (error) => {
    assert(error instanceof FilterInvalid, String(error))
    return error.message
  })

describe("Runs.list", () => {
  it("answers runs of jobs and flows, the newest first, and no steps", () =>
    onMemory(Effect.gen(function* () {
      const mail = yield* Mail.enqueue({ to: "a" })
      const parcel = yield* Parcel.start()
      const report = yield* Report.enqueue()
      assertEquals(yield* idsOf(), [report, parcel, mail])
      assertEquals(yield* idsOf({ order: "oldest" }), [mail, parcel, report])
    })))

  it("goes on with the cursor of a page, in both orders, until there is no more", () =>
    onMemory(Effect.gen(function* () {
      const all = yield* Mail.enqueueMany(Array.from({ length: 7 }, () => ({ to: "a" })))
      for (const order of ["newest", "oldest"] as const) {
        const found: Array<string> = []
        const sizes: Array<number> = []
        let cursor: string | undefined
        do {
          const page: Runs.Page = yield* Runs.list({ order, limit: 3, cursor })
          sizes.push(page.runs.length)
          found.push(...page.runs.map((run) => run.id))
          cursor = page.cursor
        } while (cursor !== undefined)
        assertEquals(found, order === "oldest" ? all : all.toReversed())
        assertEquals(sizes, [3, 3, 1])
      }
      assertEquals((yield* Runs.list({ limit: 7 })).cursor, undefined)
    })))

  it("answers what every condition holds for", () =>
    onMemory(Effect.gen(function* () {
      const a = yield* Mail.enqueue({ to: "a" })
      yield* TestClock.setTime(5000)
      const b = yield* Mail.enqueue({ to: "b" }, { delay: "1 hour" })
      const report = yield* Report.enqueue()
      yield* perform("mail", completed)
      assertEquals(yield* idsOf({ job: Mail }), [b, a])
      assertEquals(yield* idsOf({ job: "report" }), [report])
      assertEquals(yield* idsOf({ queue: "mail", states: ["ready"] }), [b])
      assertEquals(yield* idsOf({ states: ["completed"] }), [a])
      assertEquals(yield* idsOf({ states: [] }), [])
      assertEquals(yield* idsOf({ group: "b" }), [b])
      assertEquals(yield* idsOf({ job: Report, key: "daily" }), [report])
      assertEquals(yield* idsOf({ enqueuedAfter: 5000, job: Mail }), [b])
      assertEquals(yield* idsOf({ enqueuedBefore: new Date(5000) }), [a])
      assertEquals(yield* idsOf({ job: undefined, cursor: undefined, queue: "none" }), [])
    })))

  it("shows each run as Runs.get does", () =>
    onMemory(Effect.gen(function* () {
      const id = yield* Mail.enqueue({ to: "a" })
      yield* perform("mail", completed)
      const { runs } = yield* Runs.list()
      assertEquals(runs, [yield* Runs.get(id)])
      assertEquals(runs[0]?.group, "a")
    })))

  it("refuses what is no condition, with what would be one", () =>
    onMemory(Effect.gen(function* () {
      const states = "waiting, ready, running, completed, failed, cancelled, skipped"
      const text = "a text of 1 to 255 characters that can be stored"
      const wrong: ReadonlyArray<readonly [unknown, string]> = [
        [null, "give an object of conditions, got null"],
        [[], "give an object of conditions, got a value of type array"],
        [{ sates: ["ready"] }, `there is no condition "sates"`],
        [{ __proto__: { job: 1 }, toString: 1 }, `there is no condition "toString"`],
        [{ job: 7 }, "job must be a job, a flow or a slug"],
        [{ job: null }, "job must be a job, a flow or a slug"],
        [{ queue: "" }, "queue must be the name of a queue"],
        [{ states: "ready" }, `states must be a list of ${states}`],
        [{ states: ["gone"] }, `states must be a list of ${states}`],
        [{ group: "" }, `group must be ${text}, got one of 0`],
        [{ group: "\u0000" }, `group must be ${text}, got one of 1`],
        [{ group: "\ud800" }, `group must be ${text}, got one of 1`],
        [{ key: "k".repeat(256), job: "a" }, `key must be ${text}, got one of 256`],
        [{ key: "k" }, "key needs the job that it is a key of"],
        [{ enqueuedAfter: "today" }, "enqueuedAfter must be a date from the year 0 to 9999"],
        [{ enqueuedBefore: NaN }, "enqueuedBefore must be a date from the year 0 to 9999"],
        [{ order: "up" }, `order must be "newest" or "oldest"`],
        [{ limit: 0 }, "limit must be an integer from 1 to 1000, got 0"],
        [{ limit: 1001 }, "limit must be an integer from 1 to 1000, got 1001"],
        [{ limit: "5" }, `limit must be an integer from 1 to 1000, got "5"`],
        [{ cursor: "" }, "cursor must be one that a page answered"],
        [{ cursor: "newest_' or 1=1" }, "cursor must be one that a page answered"],
        [{ cursor: 5 }, "cursor must be one that a page answered"],
      ]
      for (const [options, detail] of wrong) {
        assertEquals(yield* refused(options), `Cannot find runs: ${detail}`)
      }
      yield* Mail.enqueueMany([{ to: "a" }, { to: "b" }])
      const { cursor } = yield* Runs.list({ limit: 1 })
      assertEquals(
        yield* refused({ cursor, order: "oldest" }),
        "Cannot find runs: the cursor is of a list in the other order",
      )
    })))
})
