import { assert, assertEquals } from "@std/assert"
import { type Driver, type Task, Transaction } from "@millrace/core"
import { Effect } from "effect"
import { after, describe, it } from "node:test"
import * as F from "./fixtures.ts"
import { connect, dropSchema, schemaName } from "./server.ts"

const schema = schemaName()
after(() => dropSchema(schema))

const timeout = 240_000
const open: ReadonlyArray<Task.State> = ["waiting", "ready", "running"]

const keyed = (key: string, more: Partial<Driver.NewTask> = {}) =>
  F.newTask({ queue: "unique", unique: { key, states: open, onClash: "ignore" }, ...more })

const storedOf = (answers: ReadonlyArray<ReadonlyArray<Driver.Inserted>>) =>
  answers.flat().filter(({ inserted }) => inserted).map(({ id }) => id)

describe("keys with real connections", () => {
  it("1,000 inserts of one key store one task, each of 100 rounds", { timeout }, async () => {
    await using one = await F.openSchema(schema, { maxConnections: 8 })
    await using two = await F.openSchema(schema, { maxConnections: 8 })
    for (let round = 0; round < 100; round++) {
      // Most share a statement within their process; those of 101 tasks have one of their own.
      const singles = Array.from({ length: 998 }, () => [keyed(`race ${round}`)])
      const batches = [101, 101].map((length) =>
        Array.from({ length }, (_, index) => keyed(index === 50 ? `race ${round}` : F.newId()))
      )
      const inserts = [...singles, ...batches].map((tasks, index) =>
        (index % 2 === 0 ? one : two).driver.insert(tasks)
      )
      const answers = await one.run(Effect.all(inserts, { concurrency: "unbounded" }))
      const ofKey = answers.map((all) => all.length === 1 ? all[0]! : all[50]!)
      const stored = storedOf([ofKey])
      assertEquals(stored.length, 1, `round ${round}`)
      const holders = ofKey.filter(({ inserted }) => !inserted).map(({ holder }) => holder)
      assertEquals([...new Set(holders)], stored, `round ${round}`)
      assertEquals(holders.length, 999)
    }
  })

  it(
    "a key goes from a task that ends to one that comes, and never to two",
    { timeout },
    async () => {
      await using one = await F.openSchema(schema, { maxConnections: 8 })
      await using two = await F.openSchema(schema, { maxConnections: 8 })
      await one.run(one.driver.heartbeat(F.beatOf("ender")))
      let during = 0
      for (let round = 0; round < 100; round++) {
        const queue = `ends_${round}`
        const first = keyed(queue, { queue })
        await one.run(one.driver.insert([first]))
        const { tasks } = await one.run(one.driver.claim(F.claimOf("ender", 1, queue)))
        const others = Array.from({ length: 16 }, () => keyed(queue, { queue }))
        const [, ...answers] = await one.run(Effect.all([
          one.driver.settle(tasks.map(F.completed)),
          ...others.map((task, index) => (index % 2 ? one : two).driver.insert([task])),
        ], { concurrency: "unbounded" }))
        const stored = storedOf(answers as ReadonlyArray<ReadonlyArray<Driver.Inserted>>)
        assert(stored.length <= 1, `round ${round}: ${stored.length} were stored`)
        during += stored.length
        const found = await one.run(one.driver.find({ queue, states: open, limit: 100 }))
        assertEquals(found.map(({ id }) => id), stored)
      }
      assert(during > 0, "the end never came first")
    },
  )

  it("replacing and claiming leave one task that has not ended", { timeout }, async () => {
    await using one = await F.openSchema(schema, { maxConnections: 8 })
    await one.run(one.driver.heartbeat(F.beatOf("replaced")))
    let claimed = 0
    for (let round = 0; round < 100; round++) {
      const queue = `replace_${round}`
      const next = () =>
        keyed(queue, {
          queue,
          unique: { key: queue, states: ["waiting", "ready"], onClash: "replace" },
        })
      await one.run(one.driver.insert([next()]))
      const [claim] = await one.run(Effect.all([
        one.driver.claim(F.claimOf("replaced", 10, queue)),
        ...Array.from({ length: 8 }, () => one.driver.insert([next()])),
      ], { concurrency: "unbounded" }))
      claimed += claim.tasks.length
      const all = await one.run(one.driver.find({ queue, limit: 100 }))
      const count = (state: string) => all.filter((task) => task.state === state).length
      assertEquals(count("ready") <= 1 && count("running") === claim.tasks.length, true)
      assertEquals(count("ready") + count("running") + count("cancelled"), 9, `round ${round}`)
    }
    assert(claimed > 0, "no claim found anything")
  })

  it("a key that a transaction took is free again when that is rolled back", async () => {
    await using opened = await F.openSchema(schema)
    const { driver, run } = opened
    const rolledBack = Transaction.run(
      Effect.andThen(driver.insert([keyed("rolled back")]), Effect.fail("no")),
    )
    assertEquals(await run(Effect.flip(rolledBack)), "no")
    const [answer] = await run(driver.insert([keyed("rolled back")]))
    assertEquals(answer?.inserted, true)
  })

  it("what waits is not claimed before the transaction that was answered it has ended", async () => {
    await using opened = await F.openSchema(schema, { maxConnections: 4 })
    const { driver, run } = opened
    const first = keyed("kept", { queue: "kept" })
    await run(Effect.andThen(driver.insert([first]), driver.heartbeat(F.beatOf("keeper"))))
    const claim = driver.claim(F.claimOf("keeper", 1, "kept"))
    const [answer, inside] = await run(Transaction.run(
      Effect.all([driver.insert([keyed("kept", { queue: "kept" })]), claim]),
    ))
    assertEquals(answer[0]?.holder, first.id)
    assertEquals(inside.tasks, [])
    const { tasks } = await run(claim)
    assertEquals(tasks.map(({ id }) => id), [first.id])
  })

  it("no key is left when its tasks are pruned", async () => {
    await using opened = await F.openSchema(schema)
    const { driver, run } = opened
    const tasks = Array.from({ length: 20 }, (_, index) => keyed(`pruned ${index}`))
    await run(driver.insert(tasks))
    const ids = tasks.map(({ id }) => id)
    await run(driver.transact({ _tag: "Tasks", ids }, F.cancelling))
    await run(driver.prune({ olderThanMillis: 0, limit: 10_000 }))
    const sql = connect()
    const [left] = await sql.unsafe(
      `select count(*)::int as keys from "${schema}".keys where key like 'pruned %'`,
    )
    await sql.end()
    assertEquals(left?.keys, 0)
  })
})
