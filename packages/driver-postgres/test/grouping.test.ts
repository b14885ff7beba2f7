/** Inserts that come at a time: who shares a statement, and what each is answered. */
import { assert, assertEquals, assertRejects } from "@std/assert"
import type { Driver } from "@millrace/core"
import { Embedded } from "@millrace/driver-postgres"
import { Effect, Fiber } from "effect"
import { describe, it } from "node:test"
import type { Row } from "../src/Connection.ts"
import { Grouping } from "../src/Grouping.ts"
import * as F from "./fixtures.ts"

interface Sent {
  readonly ids: ReadonlyArray<string>
  readonly now: string | null
  readonly answer: (rows?: ReadonlyArray<Row>) => Promise<void>
  readonly refuse: (error: Error) => Promise<void>
}

const task = (id: string, input = "1") => ({ ...F.newTasks(1)[0]!, id, input })

/** Lets all that is ready run. */
const turn = () => new Promise<void>((resolve) => setTimeout(resolve))

/** A grouping whose statements end when the test says so. */
const held = (isRetryable = false) => {
  const sent: Array<Sent> = []
  const grouping = new Grouping((now, tasks) => {
    const ids = tasks.map(({ id }) => id)
    const { promise, resolve, reject } = Promise.withResolvers<ReadonlyArray<Row>>()
    sent.push({
      ids,
      now,
      answer: (rows = ids.map((id) => ({ id }))) => (resolve(rows), turn()),
      refuse: (error) => (reject(error), turn()),
    })
    return promise
  }, () => isRetryable)
  const insert = (id: string, now: string | null = null) => grouping.insert(now, [task(id)])
  return { sent, grouping, insert, groups: () => sent.map(({ ids }) => ids.join(" ")) }
}

const idsOf = (rows: ReadonlyArray<Row>) => rows.map(({ id }) => id)

describe("grouped inserts", () => {
  it("wait for nobody when alone, and else share the next statement", async () => {
    const { sent, insert, groups } = held()
    const answers = ["a", "b", "c", "d", "e"].map((id) => insert(id))
    assertEquals(groups(), ["a"])
    await sent[0]!.answer()
    assertEquals(groups(), ["a", "b c d e"])
    await sent[1]!.answer()
    assertEquals((await Promise.all(answers)).map(idsOf), [["a"], ["b"], ["c"], ["d"], ["e"]])
    const later = insert("f")
    assertEquals(groups().at(-1), "f")
    await sent[2]!.answer([])
    assertEquals(await later, [])
  })

  it("share the next one again when those of one statement go on one after the other", async () => {
    const { sent, insert, groups } = held()
    const caller = async (id: string, steps: number) => {
      await insert(`${id}1`)
      // One has more to do than another before it comes again.
      for (let step = 0; step < steps; step++) await Promise.resolve()
      await insert(`${id}2`)
    }
    insert("x")
    for (const [index, id] of ["a", "b", "c"].entries()) void caller(id, index * 20)
    await sent[0]!.answer()
    await sent[1]!.answer()
    assertEquals(groups(), ["x", "a1 b1 c1", "a2 b2 c2"])
  })

  it("answer each caller for its own tasks; the first to bring an id has stored it", async () => {
    const { sent, insert } = held()
    insert("x")
    const answers = [insert("a"), insert("a"), insert("there"), insert("b")]
    await sent[0]!.answer()
    assertEquals(sent[1]!.ids, ["a", "a", "there", "b"])
    await sent[1]!.answer([{ id: "b" }, { id: "a" }])
    assertEquals((await Promise.all(answers)).map(idsOf), [["a"], [], [], ["b"]])
  })

  it("are tried alone where they are refused together", async () => {
    const { sent, insert, groups } = held()
    insert("x")
    const good = insert("good")
    const bad = assertRejects(() => insert("bad"), Error, "no")
    const last = insert("last")
    await sent[0]!.answer()
    await sent[1]!.refuse(new Error("one of them"))
    await sent[2]!.answer()
    await sent[3]!.refuse(new Error("no"))
    await sent[4]!.answer()
    assertEquals(groups().slice(1), ["good bad last", "good", "bad", "last"])
    await bad
    assertEquals([idsOf(await good), idsOf(await last)], [["good"], ["last"]])
  })

  it("fail together where the storage is away, since nobody knows what it stored", async () => {
    const { sent, insert, groups } = held(true)
    insert("x")
    const lost = ["a", "b"].map((id) => assertRejects(() => insert(id), Error, "away"))
    await sent[0]!.answer()
    await sent[1]!.refuse(new Error("away"))
    await Promise.all(lost)
    assertEquals(groups(), ["x", "a b"])
  })

  it("share a statement only at one instant, and none that grows too large", async () => {
    const { sent, grouping, insert, groups } = held()
    insert("x")
    insert("a", "1")
    insert("b", "1")
    insert("c", "2")
    void grouping.insert("2", [task("wide", "x".repeat(1024 * 1024))])
    insert("d", "2")
    const many = Array.from({ length: 101 }, (_, index) => task(`m${index}`))
    void grouping.insert("2", many)
    assertEquals(sent.length, 2, "a large one goes by itself, and at once")
    await sent[0]!.answer()
    assertEquals([groups()[2], sent[2]!.now], ["a b", "1"])
    await sent[2]!.answer()
    assertEquals(groups()[3], "c")
    await sent[3]!.answer()
    assertEquals(groups()[4], "wide")
    await sent[4]!.answer()
    assertEquals(groups()[5], "d")
  })

  it("do not wait for ever behind a statement that waits for a lock", async () => {
    const { sent, insert, groups } = held()
    insert("blocked")
    insert("a")
    while (sent.length < 2) await turn()
    assertEquals(groups(), ["blocked", "a"])
    await sent[1]!.answer()
    insert("b")
    assertEquals(groups().at(-1), "b")
    await sent[0]!.answer()
  })
})

describe("inserts of many callers at a time", () => {
  it("are stored once each, also those whose caller went away", { timeout: 60_000 }, async () => {
    await using opened = await F.open(Embedded.layer({ directory: undefined }))
    const { driver, run } = opened
    const tasks = F.newTasks(300, { queue: "grouped" })
    const all = (each: (task: Driver.NewTask) => Effect.Effect<unknown, unknown>) =>
      Effect.forEach(tasks, each, { concurrency: "unbounded" })
    const answers = await run(all((one) => driver.insert([one])))
    assertEquals(answers, tasks.map(({ id }) => [{ id, inserted: true }]))
    const again = await run(all((one) => driver.insert([one])))
    assertEquals(again, tasks.map(({ id }) => [{ id, inserted: false }]))
    const left = F.newTasks(20, { queue: "left" })
    await run(Effect.gen(function* () {
      const fibers = yield* Effect.forEach(left, (one) => Effect.forkChild(driver.insert([one])))
      yield* Effect.yieldNow
      yield* Fiber.interruptAll(fibers)
      yield* driver.insert(F.newTasks(1, { queue: "left" }))
    }))
    const found = await run(driver.find({ queue: "left", limit: 100 }))
    assertEquals(found.length, new Set(found.map(({ id }) => id)).size)
    assert(found.length >= 1 && found.length <= 21)
  })
})
