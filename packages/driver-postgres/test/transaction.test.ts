/** Transactions on a server: what others see, what is interrupted, what is lost. */
import { assert, assertEquals, assertRejects } from "@std/assert"
import { DriverError, Job, Runs, Transaction, Worker } from "@millrace/core"
import { Postgres } from "@millrace/driver-postgres"
import { drizzle } from "drizzle-orm/postgres-js"
import { sql } from "drizzle-orm"
import { integer, pgSchema, text } from "drizzle-orm/pg-core"
import { Deferred, Effect, Fiber, Layer, Schema } from "effect"
import { after, before, describe, it } from "node:test"
import * as F from "./fixtures.ts"
import { startRelay } from "./relay.ts"
import { connect, databaseUrl, dropSchema, schemaName } from "./server.ts"

const schema = schemaName()
const client = connect(4)
const db = drizzle({ client })
const notes = pgSchema(schema).table("notes", {
  id: integer("id").primaryKey(),
  text: text("text"),
})

before(async () => {
  await using _opened = await F.openSchema(schema)
  await client.unsafe(`create table "${schema}".notes (id int primary key, text text)`)
})
after(async () => {
  await client.end()
  await dropSchema(schema)
})

const Greet = Job.make("greet", { input: Schema.String })

const textsOf = (name: string) =>
  Effect.promise(() => client.unsafe(`select text from "${schema}".notes where text = '${name}'`))

const note = (id: number, name: string) =>
  Postgres.query((tx) => tx.insert(notes).values({ id, text: name }))

const enqueued = (opened: F.Opened, queue: string) =>
  Effect.map(opened.driver.find({ queue, limit: 100 }), (found) => found.length)

describe("a transaction of the driver", () => {
  it("is seen by nobody before it is committed", async () => {
    await using opened = await F.openSchema(schema)
    const [seen, id] = await opened.run(Effect.gen(function* () {
      const done = yield* Deferred.make<void>()
      const written = yield* Deferred.make<void>()
      const writing = Effect.gen(function* () {
        yield* note(1, "unseen")
        const id = yield* Greet.enqueue("unseen")
        yield* Deferred.succeed(written, undefined)
        yield* Deferred.await(done)
        return id
      })
      const fiber = yield* Effect.forkChild(Transaction.run(writing))
      yield* Deferred.await(written)
      const seen = [yield* enqueued(opened, "greet"), (yield* textsOf("unseen")).length]
      yield* Deferred.succeed(done, undefined)
      return [seen, yield* Fiber.join(fiber)] as const
    }))
    assertEquals(seen, [0, 0])
    assertEquals((await opened.run(Runs.get(id))).state, "ready")
    assertEquals((await Effect.runPromise(textsOf("unseen"))).length, 1)
  })

  it("says what the database refused, and repeats no value", async () => {
    await using opened = await F.openSchema(schema)
    const twice = Effect.andThen(note(2, "secret"), note(2, "secret"))
    const error = await opened.run(Effect.flip(Transaction.run(twice)))
    assert(error instanceof Postgres.QueryError, String(error))
    assertEquals(
      error.message,
      'Cannot run the query: a row with this key exists, as "notes_pkey" says (23505)',
    )
    assertEquals((await Effect.runPromise(textsOf("secret"))).length, 0)
  })

  it("is rolled back where a failed statement was passed over", async () => {
    await using opened = await F.openSchema(schema)
    const passed = Effect.gen(function* () {
      yield* Greet.enqueue("passed over", { id: F.newId() })
      yield* Effect.ignore(Postgres.query((tx) => tx.execute(sql`select 1 / 0`)))
    })
    const error = await opened.run(Effect.flip(Transaction.run(passed)))
    assertEquals(
      error.message,
      "Cannot commit: the transaction was rolled back, since a statement of it had failed (22012)",
    )
  })

  it("that is interrupted stops its statement and lets go of its locks", async () => {
    await using opened = await F.openSchema(schema)
    await opened.run(Effect.gen(function* () {
      const held = yield* Deferred.make<void>()
      const first = yield* Effect.forkChild(Transaction.run(
        Effect.andThen(
          note(3, "first"),
          Effect.andThen(Deferred.succeed(held, undefined), Effect.never),
        ),
      ))
      yield* Deferred.await(held)
      // Waits for the first one's key.
      const second = yield* Effect.forkChild(Transaction.run(note(3, "second")))
      const waiting = Effect.promise(() =>
        client`select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like ${`%${schema}%`}`
      )
      yield* Effect.repeat(waiting, { until: (rows) => rows.length > 0 })
      yield* Fiber.interrupt(second)
      assertEquals((yield* waiting).length, 0)
      yield* Fiber.interrupt(first)
      yield* Transaction.run(note(3, "third"))
      assertEquals((yield* textsOf("third")).length, 1)
    }))
  })

  it("whose connection is lost fails, and the next one works", async () => {
    await using opened = await F.openSchema(schema)
    const lost = Effect.gen(function* () {
      yield* Greet.enqueue("lost")
      const [backend] = yield* Postgres.execute<{ pid: number }>(
        sql`select pg_backend_pid() as pid`,
      )
      const pid = backend!.pid
      yield* Effect.promise(() => client`select pg_terminate_backend(${pid})`)
      yield* Effect.never
    })
    const error = await opened.run(Effect.flip(Transaction.run(lost)))
    assert(error instanceof DriverError && error.isRetryable, String(error))
    const id = await opened.run(Transaction.run(Greet.enqueue("after")))
    assertEquals((await opened.run(Runs.get(id))).state, "ready")
  })

  for (const [loss, stored] of [["answer", 1], ["request", 0]] as const) {
    it(`whose commit lost its ${loss} says that nobody knows`, async () => {
      const relay = await startRelay()
      const opened = await F.openSchema(schema, { url: relay.url, prepare: false })
      relay.loseNextCommit(loss)
      const text = `lost ${loss}`
      const error = await opened.run(Effect.flip(Transaction.run(note(10 + stored, text))))
      assertEquals(relay.lost(), 1)
      assert(error instanceof DriverError && error.isRetryable, String(error))
      assert(
        error.message.includes("whether the transaction is committed is not known"),
        error.message,
      )
      assertEquals((await Effect.runPromise(textsOf(text))).length, stored)
      await opened.run(Transaction.run(note(20 + stored, "next")))
      await opened[Symbol.asyncDispose]()
      await relay.close()
    })
  }

  it("that takes all connections keeps nobody else waiting", async () => {
    await using opened = await F.openSchema(schema, { maxConnections: 1, maxTransactions: 2 })
    await opened.run(Effect.gen(function* () {
      const done = yield* Deferred.make<void>()
      let begun = 0
      const all = yield* Effect.forkChild(
        Effect.forEach([1, 2, 3], (n) =>
          Transaction.run(Effect.gen(function* () {
            // A queue that is new needs a statement beside the transaction.
            yield* opened.driver.insert([F.newTask({ queue: `beside_${n}` })])
            begun++
            yield* Deferred.await(done)
          })), { concurrency: "unbounded" }),
      )
      yield* Effect.repeat(opened.driver.heartbeat(F.beatOf("beside")), {
        until: () => begun === 2,
      })
      yield* opened.driver.insert([F.newTask({ queue: "beside_4" })])
      assertEquals(begun, 2)
      yield* Deferred.succeed(done, undefined)
      yield* Fiber.join(all)
      assertEquals(begun, 3)
    }))
  })
})

describe("a caller's own transaction", () => {
  const notOpen = "this is no open transaction, or it has ended"

  it("of postgres.js itself takes what is enqueued with it", async () => {
    await using opened = await F.openSchema(schema)
    await client.begin(async (tx) => {
      await opened.run(
        opened.driver.insert([F.newTask({ queue: "raw" })]).pipe(Postgres.within(tx)),
      )
      const part = Effect.andThen(
        opened.driver.insert([F.newTask({ queue: "raw" })]),
        Effect.fail("part"),
      )
      await opened.run(Effect.ignore(Transaction.run(part)).pipe(Postgres.within(tx)))
      assertEquals(await opened.run(enqueued(opened, "raw").pipe(Postgres.within(tx))), 1)
      assertEquals(await opened.run(enqueued(opened, "raw")), 0)
    })
    assertEquals(await opened.run(enqueued(opened, "raw")), 1)
    await assertRejects(
      () =>
        client.begin(async (tx) => {
          await opened.run(Greet.enqueue("x", { id: F.newId() }).pipe(Postgres.within(tx)))
          await opened.run(
            opened.driver.insert([F.newTask({ queue: "raw" })]).pipe(Postgres.within(tx)),
          )
          throw new Error("no")
        }),
      Error,
      "no",
    )
    assertEquals(await opened.run(enqueued(opened, "raw")), 1)
  })

  it("can have a part that is rolled back, and reads and writes with Drizzle", async () => {
    await using opened = await F.openSchema(schema)
    await db.transaction(async (tx) => {
      const inside = Effect.gen(function* () {
        yield* note(30, "whole")
        yield* opened.driver.insert([F.newTask({ queue: "parts" })])
        const part = Effect.andThen(
          note(31, "part"),
          opened.driver.insert([F.newTask({ queue: "parts" })]),
        )
        yield* Effect.ignore(Transaction.run(Effect.andThen(part, Effect.fail("no"))))
      })
      await opened.run(inside.pipe(Postgres.within(tx)))
    })
    assertEquals(await opened.run(enqueued(opened, "parts")), 1)
    assertEquals((await Effect.runPromise(textsOf("whole"))).length, 1)
    assertEquals((await Effect.runPromise(textsOf("part"))).length, 0)
  })

  for (const used of [true, false]) {
    it(`that has ended is refused, ${used ? "used" : "not used"} before it did`, async () => {
      await using opened = await F.openSchema(schema)
      const queue = `ended_${used}`
      const insert = () => opened.driver.insert([F.newTask({ queue })])
      let drizzled: Postgres.Executor | undefined
      await db.transaction(async (tx) => {
        drizzled = tx
        if (used) await opened.run(insert().pipe(Postgres.within(tx)))
      })
      let raw: Postgres.RawTransaction | undefined
      await client.begin(async (tx) => {
        raw = tx
        if (used) await opened.run(insert().pipe(Postgres.within(tx)))
      })
      for (const tx of [drizzled!, raw!]) {
        for (const use of [Effect.asVoid(insert()), Effect.asVoid(enqueued(opened, queue))]) {
          const error = await opened.run(Effect.flip(use.pipe(Postgres.within(tx))))
          assert(error.message.includes(notOpen), error.message)
        }
      }
      assertEquals(await opened.run(enqueued(opened, queue)), used ? 2 : 0)
    })
  }

  it("wakes a worker that waits once it is committed, and not before", async () => {
    const Woken = Job.make("woken", { input: Schema.String, output: Schema.String })
    let begun = 0
    const woken = Woken.perform((name) => Effect.sync(() => `${name} ${++begun}`))
    // The poll never comes: only the wakeup does.
    const worker = Worker.layer({ jobs: [woken], pollInterval: "1 hour" })
    await using opened = await F.open(
      Layer.provideMerge(worker, Postgres.layer({ url: databaseUrl(), schema })),
    )
    const waiting = () =>
      client.unsafe(`select 1 from "${schema}".workers
        where waiting and id like 'worker-%' and expires_at > clock_timestamp()`)
    while ((await waiting()).length === 0) await Effect.runPromise(Effect.sleep(5))
    let before = -1
    const id = await db.transaction(async (tx) => {
      const id = await opened.run(Woken.enqueue("hello").pipe(Postgres.within(tx)))
      await tx.execute(sql`select pg_sleep(0.1)`)
      before = begun
      return id
    })
    assertEquals([before, await opened.run(Woken.await(id))], [0, "hello 1"])
  })

  it("that had failed is refused, and its part that is rolled back is not", async () => {
    await using opened = await F.openSchema(schema)
    await db.transaction(async (tx) => {
      await tx.transaction(async (part) => {
        await part.execute(sql`select 1 / 0`).catch(() => undefined)
        const error = await opened.run(
          Effect.flip(opened.driver.insert(F.newTasks(1)).pipe(Postgres.within(part))),
        )
        assert(error.message.includes("had failed before"), error.message)
        part.rollback()
      }).catch(() => undefined)
      await opened.run(
        opened.driver.insert([F.newTask({ queue: "again" })]).pipe(Postgres.within(tx)),
      )
    })
    assertEquals(await opened.run(enqueued(opened, "again")), 1)
  })

  it("that is none is refused", async () => {
    await using opened = await F.openSchema(schema)
    const insert = opened.driver.insert([F.newTask({ queue: "none" })])
    const error = await opened.run(Effect.flip(insert.pipe(Postgres.within(db))))
    assert(error.message.includes(notOpen), error.message)
    assertEquals(await opened.run(enqueued(opened, "none")), 0)
  })
})

describe("transactions of a caller's own database", () => {
  it("commit and roll back with what is enqueued", async () => {
    const live = Layer.mergeAll(
      Postgres.layer({ url: databaseUrl(), schema }),
    )
    await using opened = await F.open(
      Layer.provideMerge(Postgres.layerTransactions(db), live),
    )
    const insert = opened.driver.insert([F.newTask({ queue: "own" })])
    await opened.run(Transaction.run(Effect.andThen(note(40, "own"), insert)))
    const failing = Effect.andThen(insert, Effect.fail("no"))
    assertEquals(await opened.run(Effect.flip(Transaction.run(failing))), "no")
    assertEquals(await opened.run(enqueued(opened, "own")), 1)
    assertEquals((await Effect.runPromise(textsOf("own"))).length, 1)
  })
})
