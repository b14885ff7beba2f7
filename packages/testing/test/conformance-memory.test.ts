import { assert, assertEquals, assertThrows } from "@std/assert"
import { MemoryDriver } from "@millrace/driver-memory"
import { Conformance } from "@millrace/testing"
import { Effect, Layer } from "effect"
import { readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { skips } from "./skips.ts"

describe("the memory driver", () => {
  for (const { name, effect } of Conformance.run({ skip: skips })) {
    it(name, () => Effect.runPromise(Effect.provide(effect, Layer.fresh(MemoryDriver.layer))))
  }
})

/** The lines under **Details** of each member of the port. */
function guarantees(): ReadonlyArray<string> {
  const source = readFileSync(new URL("../../core/src/Driver.ts", import.meta.url), "utf8")
  const port = source.slice(source.indexOf("export class Driver extends"))
  return [...port.matchAll(/^ +\* - (.+)$/gm)].map((match) => match[1]!)
}

describe("the conformance cases", () => {
  const names = Conformance.cases.map(({ name }) => name)

  it("are many", () => assert(names.length >= 150, `${names.length} cases`))

  it("have a name each", () => {
    assertEquals(names.filter((name, index) => names.indexOf(name) !== index), [])
  })

  it("have sentences as names", () => {
    assertEquals(names.filter((name) => !/^[A-Z1-9].*[^.]$/.test(name) || !name.includes(" ")), [])
  })

  it("check every guarantee of the port, word for word", () => {
    assert(guarantees().length >= 20, "the guarantees were not found")
    assertEquals(guarantees().filter((line) => !names.includes(line)), [])
  })

  it("list what is missing with what it needs", () => {
    assert(Conformance.later.length > 0)
    assertEquals(Conformance.later.filter(({ reason }) => reason === ""), [])
    assertEquals(Conformance.later.filter(({ name }) => names.includes(name)), [])
  })
})

describe("the conformance runner", () => {
  const [first] = Conformance.cases
  const name = first!.name

  it("lists every case", () => {
    assertEquals(Conformance.run().length, Conformance.cases.length)
  })

  it("shows a skipped case with its reason", () => {
    const listed = Conformance.run({ skip: [{ name, reason: "no time" }] })
    assertEquals(listed.length, Conformance.cases.length)
    assertEquals(listed[0]?.name, `${name} (skipped: no time)`)
  })

  it("fails a skipped case that the driver passes", async () => {
    const [registration] = Conformance.run({ skip: [{ name, reason: "no time" }] })
    const exit = await Effect.runPromiseExit(
      Effect.provide(registration!.effect, Layer.fresh(MemoryDriver.layer)),
    )
    assertEquals(exit._tag, "Failure")
  })

  it("refuses to skip what is no case, or without a reason", () => {
    assertThrows(() => Conformance.run({ skip: [{ name: "x", reason: "y" }] }), Error, "no case")
    assertThrows(() => Conformance.run({ skip: [{ name, reason: " " }] }), Error, "a reason")
  })
})
