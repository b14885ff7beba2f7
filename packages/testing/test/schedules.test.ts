import { assert, assertEquals } from "@std/assert"
import { MemoryDriver } from "@millrace/driver-memory"
import { Conformance } from "@millrace/testing"
import { Effect, Layer } from "effect"
import { readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { embedded, onServer, serverUrl } from "./stores.ts"

const cases = Conformance.schedulingCases

describe("schedules in memory", () => {
  for (const { name, run } of cases) {
    it(name, () => Effect.runPromise(Effect.provide(run, Layer.fresh(MemoryDriver.layer))))
  }
})

describe("schedules of the embedded driver", () => {
  const store = embedded()
  for (const { name, run } of cases) it(name, () => store.run(run))
})

describe("schedules of a server", { skip: serverUrl === undefined && "no DATABASE_URL" }, () => {
  const store = onServer()
  for (const { name, run } of cases) it(name, () => store.run(run))
})

describe("the cases of schedules", () => {
  const names = cases.map(({ name }) => name)
  const source = readFileSync(new URL("../../core/src/ScheduleStore.ts", import.meta.url), "utf8")
  const guarantees = [...source.matchAll(/^ +\* - (.+)$/gm)].map((match) => match[1]!)

  it("have a name each", () => {
    assertEquals(names.filter((name, index) => names.indexOf(name) !== index), [])
  })

  it("check every guarantee of the port, word for word", () => {
    assert(guarantees.length >= 10, "the guarantees were not found")
    assertEquals(guarantees.filter((line) => !names.includes(line)), [])
  })
})
