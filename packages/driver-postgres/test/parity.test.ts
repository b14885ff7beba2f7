/** The parity table on the storage that is kept: its rows are those of the memory driver's test. */
import { Embedded, Postgres } from "@millrace/driver-postgres"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { parityRows } from "../../core/test/parity.ts"
import { open, type Opened } from "./fixtures.ts"
import { databaseUrl, dropSchema, schemaName } from "./server.ts"

describe("parity with the model, on PostgreSQL", () => {
  const schema = schemaName()
  let opened: Opened
  before(async () => {
    opened = await open(Postgres.layer({ url: databaseUrl(), schema }))
  })
  after(async () => {
    await opened[Symbol.asyncDispose]()
    await dropSchema(schema)
  })
  for (const { name, run } of parityRows) it(name, () => opened.run(run))
})

describe("parity with the model, on the embedded database", () => {
  const directory = mkdtempSync(join(tmpdir(), "millrace-parity-"))
  let opened: Opened
  before(async () => {
    opened = await open(Embedded.layer({ directory }))
  })
  after(async () => {
    await opened[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true, force: true })
  })
  for (const { name, run } of parityRows) it(name, () => opened.run(run))
})
