import { assert, assertEquals } from "@std/assert"
import { Embedded } from "@millrace/driver-postgres"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, it } from "node:test"
import * as F from "./fixtures.ts"

const directory = mkdtempSync(join(tmpdir(), "millrace-embedded-"))
after(() => rmSync(directory, { recursive: true, force: true }))

describe("an embedded database", () => {
  it("keeps its tasks in its folder", { timeout: 120_000 }, async () => {
    const tasks = F.newTasks(5)
    {
      await using opened = await F.open(Embedded.layer({ directory }))
      assertEquals(opened.driver.name, "embedded")
      await opened.run(opened.driver.insert(tasks))
      const error = await F.refusalOf(Embedded.layer({ directory }))
      assert(error.message.includes("has it open"), error.message)
    }
    await using again = await F.open(Embedded.layer({ directory }))
    const found = await again.run(again.driver.find({ limit: 10 }))
    assertEquals(found.map(({ id }) => id), tasks.map(({ id }) => id))
  })

  it("refuses a schema's name that is none", async () => {
    const error = await F.refusalOf(Embedded.layer({ directory: undefined, schema: 'a"' }))
    assertEquals(error.reason._tag, "Rejected")
  })
})
