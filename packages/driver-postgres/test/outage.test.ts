import { assert, assertEquals } from "@std/assert"
import { type DriverError } from "@millrace/core"
import { Postgres } from "@millrace/driver-postgres"
import { ConfigProvider, Effect, Layer, Redacted, Stream } from "effect"
import { after, describe, it } from "node:test"
import { startPostgres } from "../../../tools/scripts/postgres.mjs"
import * as F from "./fixtures.ts"
import { connect, databaseUrl, dropSchema, schemaName } from "./server.ts"

const schema = schemaName()
after(() => dropSchema(schema))

const secret = "very-secret-password"

const oneLine = (error: DriverError) => {
  assert(!error.message.includes("\n"), error.message)
  assert(!error.message.includes(secret), error.message)
  assert(!JSON.stringify(error).includes(secret))
}

const withUrl = (change: (url: URL) => void) => {
  const url = new URL(databaseUrl())
  change(url)
  return Postgres.layer({ url: Redacted.make(url.href), schema })
}

const configured = (env: Record<string, string>) =>
  Layer.provide(
    Postgres.layerConfig({ schema }),
    ConfigProvider.layer(ConfigProvider.fromUnknown(env)),
  )

describe("a server that cannot be opened", () => {
  const cases: ReadonlyArray<
    readonly [string, () => ReturnType<typeof withUrl>, "Rejected" | "Unavailable", string]
  > = [
    ["no DATABASE_URL", () => configured({}), "Rejected", "DATABASE_URL is not set"],
    [
      "a malformed DATABASE_URL",
      () => configured({ DATABASE_URL: `http://user:${secret}@host/db` }),
      "Rejected",
      "DATABASE_URL is not a PostgreSQL URL",
    ],
    [
      "a URL without a host",
      () => Postgres.layer({ url: `postgres://user:${secret}@:99999999/x` }),
      "Rejected",
      "url is not a PostgreSQL URL",
    ],
    [
      "a wrong password",
      () => withUrl((url) => (url.password = secret)),
      "Rejected",
      "the password is wrong",
    ],
    [
      "a missing database",
      () => withUrl((url) => (url.pathname = "/no_such_database")),
      "Rejected",
      "the database does not exist",
    ],
    [
      "a port where nobody listens",
      () => withUrl((url) => ((url.port = "1"), (url.password = secret))),
      "Unavailable",
      "nothing listens",
    ],
    [
      "a host that is none",
      () => withUrl((url) => ((url.hostname = "no-such-host.invalid"), (url.password = secret))),
      "Unavailable",
      "cannot be",
    ],
  ]
  for (const [name, layer, reason, detail] of cases) {
    it(`says so: ${name}`, { timeout: 20_000 }, async () => {
      const error = await F.refusalOf(layer())
      assertEquals(error.reason._tag, reason, error.message)
      assert(error.message.includes(detail), error.message)
      oneLine(error)
    })
  }

  it("says so: maxConnections out of bounds", async () => {
    for (const maxConnections of [0, 1.5, -1, Number.NaN, 1e6]) {
      const error = await F.refusalOf(Postgres.layer({ url: databaseUrl(), maxConnections }))
      assert(error.message.includes("maxConnections must be an integer"), error.message)
    }
  })

  it("says so: a user without rights", async () => {
    const sql = connect()
    const user = `${schema}_user`
    await sql.unsafe(`create role ${user} login password 'x'`)
    const error = await F.refusalOf(withUrl((url) => {
      url.username = user
      url.password = "x"
    }))
    await sql.unsafe(`drop role ${user}`)
    await sql.end()
    assertEquals(error.reason._tag, "Rejected", error.message)
    assert(error.message.includes("lacks a right"), error.message)
  })
})

describe("a refused value", () => {
  it("is a rejection that does not repeat it", async () => {
    await using opened = await F.openSchema(schema)
    for (
      const task of [
        F.newTask({ input: `"${secret}\0"` }),
        F.newTask({ input: `not json ${secret}` }),
        F.newTask({ id: `no uuid ${secret}` }),
        F.newTask({ queue: `${secret}\0` }),
        F.newTask({ maxAttempts: Number.NaN, flow: secret }),
      ]
    ) {
      const error = await opened.run(Effect.flip(opened.driver.insert([task])))
      assertEquals(error.reason._tag, "Rejected", error.message)
      oneLine(error)
    }
  })
})

describe("a server that goes away", () => {
  it("gives promptly failing calls, and working ones once connections can be made", {
    timeout: 60_000,
  }, async () => {
    await using opened = await F.openSchema(schema)
    const { driver, run } = opened
    const sql = connect()
    for (let round = 0; round < 10; round++) {
      const calls = Effect.all(
        Array.from({ length: 20 }, () => Effect.exit(driver.insert(F.newTasks(20)))),
        { concurrency: "unbounded" },
      )
      const killing = Effect.promise(() =>
        sql`select pg_terminate_backend(pid) from pg_stat_activity
          where application_name = 'millrace' and pid <> pg_backend_pid()`
      )
      const [exits] = await run(Effect.all([calls, killing], { concurrency: "unbounded" }))
      for (const exit of exits) {
        if (exit._tag === "Success") continue
        const error = await Effect.runPromise(
          Effect.flip(Effect.exit(exit).pipe(Effect.flatten)) as Effect.Effect<DriverError>,
        )
        assertEquals(error.reason._tag, "Unavailable", error.message)
      }
    }
    await sql.end()
    await run(driver.insert(F.newTasks(1)))
  })

  it("fails calls while it is down, and serves them and wakes again afterwards", {
    timeout: 120_000,
  }, async () => {
    const server = await startPostgres()
    try {
      await using opened = await F.open(Postgres.layer({ url: server.url }))
      const { driver, run } = opened
      const heard: Array<string> = []
      const listening = Effect.runFork(
        Stream.runForEach(
          driver.wakeups,
          (wakeup) => Effect.sync(() => void heard.push(wakeup._tag)),
        ),
      )
      await run(driver.insert(F.newTasks(1)))
      for (const mode of ["fast", "immediate"] as const) {
        const restarted = server.restart({ mode, downMillis: 1500 })
        let failures = 0
        const until = Date.now() + 1200
        while (Date.now() < until) {
          const before = Date.now()
          const error = await run(
            driver.insert(F.newTasks(1)).pipe(Effect.flip, Effect.option),
          )
          assert(Date.now() - before < 3000, `a call took ${Date.now() - before} ms`)
          if (error._tag === "Some") {
            failures++
            assertEquals(error.value.reason._tag, "Unavailable", error.value.message)
          }
          await new Promise((resolve) => setTimeout(resolve, 50))
        }
        assert(failures > 0, "no call failed")
        await restarted
        await run(driver.insert(F.newTasks(1)).pipe(Effect.retry({ times: 5 })))
      }
      await run(Effect.gen(function* () {
        yield* driver.heartbeat(F.beatOf("waiter"))
        for (let nth = 0; nth < 100 && !heard.includes("Ready"); nth++) {
          const claim = { ...F.claimOf("waiter", 1000), waits: true }
          while ((yield* driver.claim(claim)).tasks.length > 0);
          yield* driver.insert(F.newTasks(1))
          yield* Effect.sleep(50)
        }
      }))
      assert(heard.includes("Ready"), "no wakeup after the restart")
      listening.interruptUnsafe()
    } finally {
      await server.stop()
    }
  })
})
