import { PGlite } from "@electric-sql/pglite"
import { assertEquals, assertRejects } from "@std/assert"
import { Embedded, Postgres, Tables } from "@millrace/driver-postgres"
import { eq } from "drizzle-orm"
import { drizzle as drizzlePglite } from "drizzle-orm/pglite"
import { drizzle } from "drizzle-orm/postgres-js"
import { Effect } from "effect"
import type { RawTransaction } from "@millrace/driver-postgres/Executor"
import { after, describe, it } from "node:test"
import * as F from "./fixtures.ts"
import { connect, dropSchema, schemaName } from "./server.ts"

const schema = schemaName()
const client = connect(3)
const db = drizzle({ client })
after(async () => {
  await client.end()
  await dropSchema(schema)
})

describe("a task that is stored in a caller's transaction", () => {
  const counted = (transaction: RawTransaction) => {
    const sent: Array<string> = []
    const raw: RawTransaction = {
      unsafe: (text, ...rest) => {
        sent.push(text)
        return transaction.unsafe(text, ...rest)
      },
      savepoint: (run) => transaction.savepoint(run),
    }
    return { raw, sent }
  }

  it("costs one statement where the transaction has written, and its id is asked else", async () => {
    await using opened = await F.openSchema(schema)
    const store = (raw: RawTransaction) =>
      opened.run(opened.driver.insert([F.newTask()]).pipe(Postgres.within(raw)))
    for (
      const { writes, statements } of [{ writes: true, statements: 1 }, {
        writes: false,
        statements: 3,
      }]
    ) {
      await client.begin(async (transaction) => {
        if (writes) await transaction.unsafe("create temporary table written (a int)")
        const { raw, sent } = counted(transaction as unknown as RawTransaction)
        await store(raw)
        assertEquals(sent.length, statements)
        await store(raw)
        assertEquals(sent.length, statements + 1)
      })
    }
  })
})

describe("a caller's Drizzle transaction", () => {
  it("that is rolled back leaves no task", async () => {
    await using opened = await F.openSchema(schema)
    const tasks = F.newTasks(3, { queue: "rolled_back", input: `{"a":"b\\"c"}` })
    await assertRejects(
      () =>
        db.transaction(async (transaction) => {
          const answers = await opened.run(
            opened.driver.insert(tasks).pipe(Postgres.within(transaction)),
          )
          assertEquals(answers.map(({ inserted }) => inserted), [true, true, true])
          throw new Error("changed my mind")
        }),
      Error,
      "changed my mind",
    )
    assertEquals(await opened.run(opened.driver.find({ queue: "rolled_back", limit: 10 })), [])
  })

  it("that is committed has stored its tasks, and nobody saw them before", async () => {
    await using opened = await F.openSchema(schema)
    const tasks = F.newTasks(3, { queue: "committed", input: `{"a":"b\\"c"}`, trace: "t" })
    const find = opened.driver.find({ queue: "committed", limit: 10 })
    await db.transaction(async (transaction) => {
      await opened.run(opened.driver.insert(tasks).pipe(Postgres.within(transaction)))
      assertEquals(await opened.run(find), [])
      await transaction.transaction(async (savepoint) => {
        await opened.run(
          opened.driver.insert([F.newTask({ queue: "committed" })]).pipe(
            Postgres.within(savepoint),
          ),
        )
        throw new Error("inner")
      }).catch(() => undefined)
    })
    const found = await opened.run(find)
    assertEquals(
      found.map(({ id, input }) => [id, input]),
      tasks.map(({ id, input }) => [id, input]),
    )
  })

  it("that had failed is a rejection", async () => {
    await using opened = await F.openSchema(schema)
    await db.transaction(async (transaction) => {
      await transaction.execute("select 1/0").then(() => undefined, () => undefined)
      const error = await opened.run(
        Effect.flip(opened.driver.insert(F.newTasks(1)).pipe(Postgres.within(transaction))),
      )
      assertEquals(
        error.message,
        "Cannot insert: the transaction had failed before; roll it back (25P02)",
      )
      throw error
    }).catch(() => undefined)
  })

  it("works on PGlite", { timeout: 60_000 }, async () => {
    const database = await PGlite.create()
    const opened = await F.open(Embedded.layerClient(database))
    const pglite = drizzlePglite({ client: database })
    const [kept, dropped] = [F.newTask({ queue: "kept" }), F.newTask({ queue: "dropped" })]
    await pglite.transaction(async (transaction) => {
      await opened.run(opened.driver.insert([kept]).pipe(Postgres.within(transaction)))
    })
    await pglite.transaction(async (transaction) => {
      await opened.run(opened.driver.insert([dropped]).pipe(Postgres.within(transaction)))
      transaction.rollback()
    }).catch(() => undefined)
    const found = await opened.run(opened.driver.find({ limit: 10 }))
    assertEquals(found.map(({ id }) => id), [kept.id])
    await opened[Symbol.asyncDispose]()
    await database.close()
  })
})

describe("the tables", () => {
  it("are queried and joined with Drizzle", async () => {
    await using opened = await F.openSchema(schema)
    const task = F.newTask({ queue: "joined", input: `{"n":1}` })
    await opened.run(Effect.gen(function* () {
      yield* opened.driver.insert([task])
      yield* opened.driver.heartbeat(F.beatOf("joiner"))
      const { tasks } = yield* opened.driver.claim(F.claimOf("joiner", 1, "joined"))
      yield* opened.driver.settle(tasks.map(F.completed))
    }))
    const { attempts, queues, tasks, taskStates } = Tables.tables(schema)
    const rows = await db.select({ queue: queues.name, input: tasks.input, kind: attempts.kind })
      .from(tasks)
      .innerJoin(queues, eq(queues.id, tasks.queueId))
      .innerJoin(attempts, eq(attempts.taskId, tasks.id))
      .where(eq(tasks.id, task.id))
    assertEquals(rows, [{ queue: "joined", input: { n: 1 }, kind: "completed" }])
    const [state] = await db.select().from(taskStates).where(eq(taskStates.id, task.id))
    assertEquals([state?.state, state?.queue, state?.lastKind], [
      "completed",
      "joined",
      "completed",
    ])
  })

  it("have the columns that the database has", async () => {
    await using _opened = await F.openSchema(schema)
    const tables = Tables.tables(schema)
    for (const table of Object.values(tables)) await db.select().from(table).limit(0)
    const columns = await client`
      select table_name, count(*)::int as count from information_schema.columns
      where table_schema = ${schema} and table_name <> 'migrations' group by 1`
    assertEquals(columns.length, Object.keys(tables).length)
  })
})
