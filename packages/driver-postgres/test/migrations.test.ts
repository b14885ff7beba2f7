import { assert, assertEquals } from "@std/assert"
import { Migrations, Postgres } from "@millrace/driver-postgres"
import { after, describe, it } from "node:test"
import * as F from "./fixtures.ts"
import { connect, databaseUrl, dropSchema, schemaName } from "./server.ts"

const schemas = Array.from({ length: 3 }, schemaName)
after(() => Promise.all(schemas.map(dropSchema)))
const [raced, newer, absent] = schemas as [string, string, string]

const versions = async (schema: string): Promise<ReadonlyArray<number>> => {
  const sql = connect()
  const rows = await sql.unsafe(`select version from "${schema}".migrations order by version`)
  await sql.end()
  return rows.map((row) => row.version)
}

describe("migrations", () => {
  it("are applied once where ten start at once, and not again", async () => {
    for (let round = 0; round < 2; round++) {
      const opened = await Promise.all(Array.from({ length: 10 }, () => F.openSchema(raced)))
      for (const one of opened) await one[Symbol.asyncDispose]()
      assertEquals(await versions(raced), Migrations.migrations.map(({ version }) => version))
    }
  })

  it("refuse a schema that is newer than the code", async () => {
    await (await F.openSchema(newer))[Symbol.asyncDispose]()
    const sql = connect()
    await sql.unsafe(`insert into "${newer}".migrations (version, name) values (777, 'later')`)
    await sql.end()
    for (const migrate of [true, false]) {
      const error = await F.refusalOf(
        Postgres.layer({ url: databaseUrl(), schema: newer, migrate }),
      )
      assertEquals(error.reason._tag, "Rejected")
      assertEquals(
        error.message,
        `Cannot open schema "${newer}": it is at version 777, but this code knows version ` +
          `${Migrations.knownVersion}; upgrade Millrace`,
      )
    }
  })

  it("are asked for where the schema is missing and must not be made", async () => {
    const error = await F.refusalOf(
      Postgres.layer({ url: databaseUrl(), schema: absent, migrate: false }),
    )
    assertEquals(error.reason._tag, "Rejected")
    assert(error.message.includes("open it once with migrate: true"), error.message)
  })

  it("are numbered without gaps", () => {
    assertEquals(
      Migrations.migrations.map(({ version }) => version),
      Migrations.migrations.map((_, index) => index + 1),
    )
  })

  it("refuse names of schemas that are none", async () => {
    for (const schema of ['a"b', "a;drop table x", "A", "1a", "", "a b", "x".repeat(49), "pg_x"]) {
      const error = await F.refusalOf(Postgres.layer({ url: databaseUrl(), schema }))
      assertEquals(error.reason._tag, "Rejected")
      assert(!error.message.includes("\n"), error.message)
      assert(error.message.startsWith("Cannot open a schema: schema must be"), error.message)
    }
  })
})
