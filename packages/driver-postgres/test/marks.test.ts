import { Postgres } from "@millrace/driver-postgres"
import { Marks } from "@millrace/driver-postgres/Marks"
import type { RawTransaction } from "@millrace/driver-postgres/Executor"
import { assertEquals } from "@std/assert"
import { after, describe, it } from "node:test"
import * as F from "./fixtures.ts"
import { connect, dropSchema, schemaName } from "./server.ts"

const schema = schemaName()
const client = connect(3)
after(async () => {
  await client.end()
  await dropSchema(schema)
})

describe("claims that go on from where others found their first task", () => {
  const begin = async () => {
    const opened = await F.openSchema(schema)
    const { driver, run } = opened
    await run(driver.heartbeat(F.beatOf("w")))
    const insert = (more: Parameters<typeof F.newTask>[0] = {}) => {
      const task = F.newTask({ queue: F.newId().replaceAll("-", "_"), ...more })
      return run(driver.insert([task])).then(() => task)
    }
    const claim = async (queue: string, limit: number) => {
      const lanes = [{ queue, limit }]
      const { tasks } = await run(driver.claim({ worker: "w", lanes, waits: false }))
      return tasks.map(({ id }) => id)
    }
    return { opened, insert, claim, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() }
  }

  it("take what is more urgent first, and the rest in its order", async () => {
    await using scene = await begin()
    const queue = "urgent"
    const ids: Array<string> = []
    for (let nth = 0; nth < 6; nth++) ids.push((await scene.insert({ queue, priority: 5 })).id)
    assertEquals(await scene.claim(queue, 2), ids.slice(0, 2))
    assertEquals(await scene.claim(queue, 1), ids.slice(2, 3))
    const urgent = await scene.insert({ queue, priority: 1 })
    const lazy = await scene.insert({ queue, priority: 9 })
    assertEquals(await scene.claim(queue, 2), [urgent.id, ids[3]])
    assertEquals(await scene.claim(queue, 2), ids.slice(4))
    assertEquals(await scene.claim(queue, 2), [lazy.id])
  })

  it("find what was stored before, and committed after others were claimed", async () => {
    await using scene = await begin()
    const queue = "late"
    const late = F.newTask({ queue })
    let others: Array<string> = []
    await client.begin(async (transaction) => {
      const raw = transaction as unknown as RawTransaction
      await scene.opened.run(scene.opened.driver.insert([late]).pipe(Postgres.within(raw)))
      for (let nth = 0; nth < 4; nth++) others.push((await scene.insert({ queue })).id)
      assertEquals(await scene.claim(queue, 1), others.slice(0, 1))
      assertEquals(await scene.claim(queue, 1), others.slice(1, 2))
    })
    others = others.slice(2)
    assertEquals(await scene.claim(queue, 1), [late.id])
    assertEquals(await scene.claim(queue, 2), others)
  })

  it("find what another session had locked, at the latest when nothing else is left", async () => {
    await using scene = await begin()
    const queue = "locked"
    const locked = await scene.insert({ queue })
    const others = [await scene.insert({ queue }), await scene.insert({ queue })]
    await client.begin(async (transaction) => {
      await transaction.unsafe(
        `select 1 from "${schema}".ready where task_id = '${locked.id}' for update`,
      )
      for (const { id } of others) assertEquals(await scene.claim(queue, 1), [id])
    })
    assertEquals(await scene.claim(queue, 1), [locked.id])
  })
})

describe("marks", () => {
  const front = { queueId: 1, priority: 5, born: 40n, horizon: 50n }
  const bornsOf = (marks: Marks) => marks.of([1])?.[2]

  it("are the first task's in its priority, the horizon in higher ones", () => {
    const marks = new Marks(() => 0)
    assertEquals(bornsOf(marks), undefined)
    marks.learn([front])
    assertEquals(bornsOf(marks), "{50,50,50,50,50,40,0,0,0,0}")
    marks.learn([{ ...front, priority: 6, born: 70n, horizon: 60n }])
    assertEquals(bornsOf(marks), "{60,60,60,60,60,60,60,0,0,0}")
  })

  it("are forgotten after a second, however often they are renewed", () => {
    let now = 0
    const marks = new Marks(() => now)
    for (; now <= 1000; now += 250) {
      marks.learn([front])
      assertEquals(bornsOf(marks)?.slice(0, 3), "{50")
    }
    assertEquals(bornsOf(marks), undefined)
    marks.learn([front])
    marks.forget([1])
    assertEquals(bornsOf(marks), undefined)
  })
})
