import { assert, assertEquals } from "@std/assert"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, it } from "node:test"
import { Effect } from "effect"
import { mutants } from "./all.ts"
import { bench } from "./Bench.ts"

const root = join(import.meta.dirname!, "../..")

describe("the list of mutants", () => {
  it("is long enough, and names each once", () => {
    const names = mutants.map(({ name }) => name)
    assert(names.length >= 30, `${names.length} mutants`)
    assertEquals(names.filter((name, index) => names.indexOf(name) !== index), [])
  })

  for (const { name, file, find, replace } of mutants) {
    it(`still applies: ${name}`, () => {
      const parts = readFileSync(join(root, file), "utf8").split(find)
      assertEquals(parts.length, 2, `${file} has ${parts.length - 1} places like this: ${find}`)
      assert(find !== replace)
    })
  }
})

describe("without a mutant the simulation is clean", () => {
  const seeds = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

  it("without faults", async () => void await Effect.runPromise(bench.calm(seeds(2))))
  it("with all faults", async () => void await Effect.runPromise(bench.storm(seeds(20))))
  it("of schedules and limits", async () => void await Effect.runPromise(bench.slots(seeds(10))))
  it("with lost wakeups", async () => void await Effect.runPromise(bench.deaf(seeds(5))))
})
