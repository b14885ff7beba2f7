/** Connections that are lost in a transaction: its caller is told, and the process lives on. */
import { assert, assertEquals, assertRejects } from "@std/assert"
import { sql } from "drizzle-orm"
import net from "node:net"
import { after, before, describe, it } from "node:test"
import type { Connection, Query } from "../src/Connection.ts"
import { codeOf, isLostConnection } from "../src/DatabaseError.ts"
import * as PostgresConnection from "../src/PostgresConnection.ts"
import { connect, databaseUrl } from "./server.ts"

const make = (url = databaseUrl()): Connection =>
  PostgresConnection.make({
    url,
    maxConnections: 2,
    maxTransactions: 2,
    prepare: true,
    answerMillis: 5000,
  })

const backendOf = async (query: Query): Promise<number> =>
  Number((await query("select pg_backend_pid() as pid", []))[0]!.pid)

const lostBy = async (promise: Promise<unknown>): Promise<void> => {
  const error = await assertRejects(() => promise)
  const code = codeOf(error)
  assert(code !== undefined && isLostConnection(code), `${code}: ${error}`)
}

describe("a connection that is lost in a transaction", () => {
  const killer = connect()
  let connection: Connection
  before(() => {
    connection = make()
  })
  after(async () => {
    await connection.close()
    await killer.end()
  })

  /** Ends a back-end; resolves once it has gone. */
  const end = async (pid: number): Promise<void> => {
    await killer`select pg_terminate_backend(${pid}, 5000)`
  }

  const works = async (): Promise<void> => {
    assertEquals((await connection.query("select $1::text as one", ["1"]))[0], { one: "1" })
    await connection.transaction(async (query) => {
      assertEquals((await query("select $1::text as two", ["2"]))[0], { two: "2" })
    })
  }

  it("fails the statement that is under way", async () => {
    let sleeping: Promise<unknown> | undefined
    await lostBy(connection.transaction(async (query) => {
      const pid = await backendOf(query)
      sleeping = query("select pg_sleep(30)", [])
      await Promise.all([sleeping, end(pid)])
    }))
    await lostBy(sleeping!)
    await works()
  })

  it("fails each further statement, whatever its function makes of that", async () => {
    let answered = 0
    const ended = Promise.withResolvers<void>()
    await lostBy(connection.transaction(async (query) => {
      await end(await backendOf(query))
      for (let nth = 0; nth < 3; nth++) {
        await lostBy(query("select 1", []))
        answered++
      }
      ended.resolve()
    }))
    await ended.promise
    assertEquals(answered, 3)
    await works()
  })

  it("fails the transaction, if its function fails of its own", async () => {
    await lostBy(connection.transaction(async (query) => {
      await end(await backendOf(query))
      throw new Error("of its own")
    }))
    await works()
  })

  it("ends a transaction of a handler, and the parts of it", async () => {
    const begun = await connection.begin()
    const lost = new Promise<unknown>((resolve) => begun.onLost(resolve))
    const pid = await backendOf(begun.query)
    const part = await begun.begin()
    const inner = await part.begin()
    const sleeping = lostBy(inner.query("select pg_sleep(30)", []))
    await end(pid)
    await sleeping
    assert(isLostConnection(codeOf(await lost)!))
    await lostBy(inner.query("select 1", []))
    await inner.rollback()
    await lostBy(part.begin())
    await lostBy(part.commit())
    await lostBy(begun.query("select 1", []))
    // Drizzle reads what it selects in another form.
    await lostBy(begun.database!.select({ one: sql`1` }).from(sql`(select 1) as t`))
    await lostBy(begun.commit())
    await begun.rollback()
    const next = await connection.begin()
    assert(await backendOf(next.query) !== pid)
    await next.commit()
    await works()
  })
})

describe("a statement that is to be stopped while the server takes no connections", () => {
  it("is left to the server, and the process lives on", async () => {
    // Passes all on, until it takes nobody any more.
    const target = new URL(databaseUrl())
    const sockets: Array<net.Socket> = []
    const door = net.createServer((client) => {
      const upstream = net.connect(Number(target.port || 5432), target.hostname)
      sockets.push(client, upstream)
      client.pipe(upstream).pipe(client)
      for (const socket of [client, upstream]) socket.on("error", () => undefined)
    })
    await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", resolve))
    const url = new URL(target.href)
    url.hostname = "127.0.0.1"
    url.port = String((door.address() as net.AddressInfo).port)
    const connection = make(url.href)
    const begun = await connection.begin()
    const sleeping = begun.query("select pg_sleep(0.5)", []).catch((error) => error)
    await connection.query("select 1", [])
    door.close()
    await begun.rollback()
    await sleeping
    for (const socket of sockets) socket.destroy()
    await connection.close()
  })
})
