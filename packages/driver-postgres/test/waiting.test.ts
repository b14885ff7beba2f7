import { assert, assertEquals } from "@std/assert"
import { Effect, Stream } from "effect"
import { after, describe, it } from "node:test"
import * as F from "./fixtures.ts"
import { connect, databaseUrl, dropSchema, schemaName } from "./server.ts"
import postgres from "postgres"

const schema = schemaName()
after(() => dropSchema(schema))

const waitFor = async (condition: () => boolean) => {
  for (let nth = 0; nth < 200 && !condition(); nth++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return condition()
}

/** Waits until somebody waits for a lock. */
const blocked = async (sql: postgres.Sql) => {
  while (true) {
    const [row] = await sql`select count(*)::int as waiting from pg_locks where not granted`
    if (row!["waiting"] > 0) return
  }
}

describe("waking", () => {
  it("happens only while somebody waits", { timeout: 60_000 }, async () => {
    await using opened = await F.openSchema(schema)
    const { driver, run } = opened
    const heard: Array<string> = []
    const listener = postgres(databaseUrl(), { max: 1 })
    await listener.listen(`${schema}_wakeups`, (payload) => void heard.push(payload))
    await run(driver.heartbeat(F.beatOf("sleeper")))
    const claim = { ...F.claimOf("sleeper", 10, "quiet"), waits: true }

    await run(driver.insert(F.newTasks(1, { queue: "quiet" })))
    await run(driver.claim(claim))
    assertEquals((await run(driver.claim(claim))).tasks, [])
    await run(driver.insert(F.newTasks(1, { queue: "other" })))
    await run(driver.insert(F.newTasks(1, { queue: "quiet", delayMillis: 60_000 })))
    await run(driver.insert(F.newTasks(5, { queue: "quiet" })))
    assert(await waitFor(() => heard.length > 0))
    for (let nth = 0; nth < 4; nth++) {
      await run(driver.claim(claim))
      await run(driver.insert(F.newTasks(20, { queue: "quiet" })))
    }
    const before = heard.length
    await run(driver.insert(F.newTasks(5, { queue: "quiet" })))
    await new Promise((resolve) => setTimeout(resolve, 100))
    assertEquals(heard.length, before, "A busy worker has been woken")
    assertEquals([...new Set(heard)], ["ready quiet"])
    await listener.end()
  })

  it("is not left to the poll where an insert began before somebody waited", {
    timeout: 60_000,
  }, async () => {
    await using opened = await F.openSchema(schema)
    const { driver, run } = opened
    const [task] = F.newTasks(1, { queue: "slow" })
    await run(driver.heartbeat(F.beatOf("third")))
    await run(driver.claim({ ...F.claimOf("third", 10, "slow"), waits: false }))
    const sql = connect()
    // Who stores the same id first, and takes it back, keeps the insert waiting.
    const other = postgres(databaseUrl(), { max: 1 })
    await other.unsafe("begin")
    await other.unsafe(
      `insert into "${schema}".tasks (id, run_id, created_at, queue_id, index, max_attempts,
        priority, max_crashes, awaited, flow_type, flow, step, input)
      values ('${task!.id}', '${task!.id}', now(), 1, 0, 1, 5, 0, false, 'job', 'f', 's', 'null')`,
    )
    const insert = run(driver.insert([task!]))
    await blocked(sql)
    const claim = await run(driver.claim({ ...F.claimOf("third", 10, "slow"), waits: true }))
    assertEquals(claim.tasks, [])
    await other.unsafe("rollback")
    await insert
    await Promise.all([sql.end(), other.end()])

    assert((claim.nextDueMillis ?? Infinity) <= 100, "it is to look again soon")
    const again = await run(driver.claim({ ...F.claimOf("third", 10, "slow"), waits: true }))
    assertEquals(again.tasks.map(({ id }) => id), [task!.id])
    assertEquals(again.nextDueMillis, undefined)
  })

  it("comes through the stream, also when the listener lost its connection", {
    timeout: 60_000,
  }, async () => {
    await using opened = await F.openSchema(schema)
    const { driver, run } = opened
    const heard: Array<string> = []
    const fiber = Effect.runFork(
      Stream.runForEach(
        driver.wakeups,
        (wakeup) =>
          Effect.sync(() => void heard.push(wakeup._tag === "Ended" ? wakeup.runId : wakeup._tag)),
      ),
    )
    const sql = connect()
    const pids = () =>
      sql`select pid from pg_stat_activity where query like ${`listen "${schema}%`}`
    const end = async () => {
      const task = F.newTask({ queue: "awaited", awaited: true })
      await run(driver.insert([task]))
      await run(driver.transact({ _tag: "Tasks", ids: [task.id] }, F.cancelling))
      return task.id
    }
    while ((await pids()).length === 0);
    const missed = () => heard.filter((tag) => tag === "Missed").length
    assert(await waitFor(() => missed() === 1), "who begins to listen is to look for itself")
    const first = await end()
    assert(await waitFor(() => heard.includes(first)))
    const [{ pid }] = await pids() as unknown as [{ pid: number }]
    await sql`select pg_terminate_backend(${pid})`
    const again = async () => (await pids()).some((row) => row.pid !== pid)
    while (!await again()) await new Promise((resolve) => setTimeout(resolve, 20))
    assert(await waitFor(() => missed() === 2), "what came meanwhile is to be looked for")
    const second = await end()
    assert(await waitFor(() => heard.includes(second)))
    fiber.interruptUnsafe()
    await sql.end()
  })

  it("of a transaction comes with its commit", { timeout: 60_000 }, async () => {
    const { drizzle } = await import("drizzle-orm/postgres-js")
    const { Postgres } = await import("@millrace/driver-postgres")
    await using opened = await F.openSchema(schema)
    const heard: Array<string> = []
    const listener = postgres(databaseUrl(), { max: 1 })
    await listener.listen(`${schema}_wakeups`, (payload) => void heard.push(payload))
    const client = connect()
    await drizzle({ client }).transaction(async (transaction) => {
      await opened.run(
        opened.driver.insert(F.newTasks(2, { queue: "later" })).pipe(Postgres.within(transaction)),
      )
      await new Promise((resolve) => setTimeout(resolve, 50))
      assertEquals(heard, [])
    })
    assert(await waitFor(() => heard.includes("ready later")))
    await client.end()
    await listener.end()
  })
})
