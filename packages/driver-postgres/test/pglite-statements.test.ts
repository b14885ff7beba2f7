import { assertEquals, assertRejects } from "@std/assert"
import { PGlite } from "@electric-sql/pglite"
import { after, before, describe, it } from "node:test"
import type { Connection } from "../src/Connection.ts"
import { codeOf } from "../src/DatabaseError.ts"
import * as PgliteConnection from "../src/PgliteConnection.ts"

describe("statements of PGlite", () => {
  let database: PGlite
  let connection: Connection
  const prepared = async () =>
    (await database.query<{ n: number }>("select count(*)::int as n from pg_prepared_statements"))
      .rows[0]!.n

  before(async () => {
    database = await PGlite.create("memory://")
    connection = PgliteConnection.over(database)
    await database.exec("create table t (id int primary key, name text)")
  })
  after(() => connection.close())

  const add = "insert into t select $1::text::int, $2::text returning id, name"

  it("are planned once, and answer what PGlite's own do", async () => {
    const text = "select $1::text::int as n, $2::text as t, $3::text::bool as b, '[1]'::json as j"
    for (const params of [["1", "a", "t"], ["2", null, "f"], [null, "", null]]) {
      const found = await connection.query(text, params)
      assertEquals(found, (await database.query<Record<string, unknown>>(text, params)).rows)
    }
    assertEquals(await prepared(), 1)
  })

  it("of two connections on one database have no name in common", async () => {
    const other = PgliteConnection.over(database)
    assertEquals(await other.query("select $1::text as other", ["x"]), [{ other: "x" }])
    assertEquals(await connection.query("select $1::text as mine", ["y"]), [{ mine: "y" }])
    assertEquals(await other.query("select $1::text as mine", ["z"]), [{ mine: "z" }])
  })

  it("are as good after one that failed, however often", async () => {
    const before = await prepared()
    for (let nth = 0; nth < 5; nth++) {
      const error = await assertRejects(() => connection.query(add, ["no number", "x"]))
      assertEquals(codeOf(error), "22P02")
    }
    assertEquals(await connection.query(add, ["1", "one"]), [{ id: 1, name: "one" }])
    assertEquals(codeOf(await assertRejects(() => connection.query(add, ["1", "again"]))), "23505")
    assertEquals(await connection.query(add, ["2", "two"]), [{ id: 2, name: "two" }])
    assertEquals(await prepared(), before + 1)
  })

  it("wait for an open transaction, and are part of their own", async () => {
    const begun = Promise.withResolvers<void>()
    const go = Promise.withResolvers<void>()
    const failing = assertRejects(() =>
      connection.transaction(async (query) => {
        await query(add, ["10", "undone"])
        begun.resolve()
        await go.promise
        throw new Error("undone")
      })
    )
    await begun.promise
    const alone = connection.query("select count(*)::int as n from t where id = $1::text::int", [
      "10",
    ])
    const beside = connection.query(add, ["11", "kept"])
    go.resolve()
    await failing
    assertEquals(await alone, [{ n: 0 }])
    assertEquals(await beside, [{ id: 11, name: "kept" }])
    await connection.transaction((query) => query(add, ["12", "kept"]))
    const { rows } = await database.query("select id from t where id >= 10 order by id")
    assertEquals(rows, [{ id: 11 }, { id: 12 }])
  })

  it("tell who listens", async () => {
    const heard = Promise.withResolvers<string>()
    const stop = await connection.listen("bell", heard.resolve, () => undefined)
    await connection.query("select pg_notify('bell', $1::text)", ["rung"])
    assertEquals(await heard.promise, "rung")
    await stop()
  })

  it("wait until the database is ready, and are refused once it is closed", async () => {
    const other = PgliteConnection.over(new PGlite("memory://"))
    assertEquals(await other.query("select $1::text as early", ["e"]), [{ early: "e" }])
    await other.close()
    const late = await assertRejects(() => other.query("select $1::text as early", ["l"]), Error)
    assertEquals(late.message, "PGlite is closed")
  })

  it("of a client that is not PGlite itself go through its own query", async () => {
    const asked: Array<string> = []
    const other = PgliteConnection.over({
      query: (text, params) => (asked.push(text), database.query(text, params)),
      transaction: (f) => database.transaction((session) => f(session)),
      listen: (channel, onNotify) => database.listen(channel, onNotify),
      close: () => Promise.resolve(),
    })
    assertEquals(await other.query("select $1::text as plain", ["p"]), [{ plain: "p" }])
    assertEquals(asked, ["select $1::text as plain"])
  })

  it("are planned again where the session forgot them, or their columns changed", async () => {
    const text = "select * from t where id = $1::text::int"
    assertEquals(await connection.query(text, ["1"]), [{ id: 1, name: "one" }])
    await database.exec("deallocate all")
    assertEquals(await connection.query(text, ["1"]), [{ id: 1, name: "one" }])
    await database.exec("alter table t add column more int default 7")
    assertEquals(await connection.query(text, ["1"]), [{ id: 1, name: "one", more: 7 }])
    await database.exec("alter table t drop column more; deallocate all")
    const lost = connection.transaction((query) => query(text, ["1"]))
    assertEquals(codeOf(await assertRejects(() => lost)), "26000")
    assertEquals(
      await connection.transaction((query) => query(text, ["1"])),
      [{ id: 1, name: "one" }],
    )
  })
})
