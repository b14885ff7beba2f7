import { assert, assertEquals, assertStringIncludes } from "@std/assert"
import type { Driver } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Conformance, Model } from "@millrace/testing"
import { Effect, Layer } from "effect"
import { describe, it } from "node:test"
import { mutants } from "./mutants.ts"

const seeds = Array.from({ length: 60 }, (_, seed) => seed)

/** The first seed whose program shows a difference. */
const firstDivergence = (driver: Layer.Layer<Driver.Driver>) =>
  Effect.gen(function* () {
    for (const seed of seeds) {
      const found = yield* Effect.flip(Model.check({ seed, commands: 150, driver })).pipe(
        Effect.catchCause(() => Effect.undefined),
      )
      if (found !== undefined) return found
    }
    return undefined
  })

describe("the memory driver against itself", () => {
  it("never differs", async () => {
    for (const seed of seeds) {
      await Effect.runPromise(Model.check({ seed, commands: 300, driver: MemoryDriver.layer }))
    }
  })
})

describe("a random program", () => {
  it("is the same for the same seed, on every runtime", () => {
    assertEquals(
      Model.print(7, 12).split("\n"),
      [
        "   1. worker 0 beats for 5000 ms, holding nothing",
        "   2. worker 1 beats for 5000 ms, holding nothing",
        "   3. worker 2 beats for 5000 ms, holding nothing",
        "   4. 500 ms pass",
        '   5. settle task 6 as TimedOut {"failure":{"reason":"TimedOut","message":"no luck"},"retryDelayMillis":1}',
        '   6. settle task 3 as Failed {"failure":{"reason":"Error","message":"no luck","error":"\\"\\""}}; task 6 as Completed {"output":"{\\"a\\":[1,{\\"b\\":\\"c,d\\"}]}"}, after 250 ms',
        '   7. insert task 4 into queue 1, priority 5, delay 500 ms, 2 attempts, 0 crashes, awaited, input "x", group a, a run',
        "   8. settle task 8 as Interrupted, after 250 ms",
        "   9. limit queue 1 to {}",
        '  10. insert task 3 into queue 1, priority 9, delay 5000 ms, 3 attempts, 1 crashes, input "it\'s {NULL} $1 \\\\ 漢字", key a while waiting or ready for 5000 ms, else replace; task 7 into queue 1, priority 9, 2 attempts, 1 crashes, awaited, input null, group c, step b of task 2, else fail; task 10 into queue 1, priority 9, delay 500 ms, 3 attempts, 1 crashes, awaited, input {"a":[1,{"b":"c,d"}]}',
        "  11. worker 1 claims at most 1 of queue 0 and 2 of queue 1",
        '  12. settle task 2 as Failed {"failure":{"reason":"Error","message":"no luck"},"retryDelayMillis":5000}; task 4 as Advanced all but 2 wakes seen starting (task 6 into queue 1, priority 9, delay 1000 ms, 2 attempts, 2 crashes, awaited, input null, step a of task 1, else skip, waiting) and (task 9 into queue 1, priority 9, delay 1000 ms, 2 attempts, 2 crashes, input {"a":[1,{"b":"c,d"}]}, step a of task 1, else skip, waiting) and (task 1 into queue 1, priority 9, 1 attempts, 2 crashes, input "it\'s {NULL} $1 \\\\ 漢字", step b of task 0, else skip, waiting)',
      ],
    )
  })

  it("is another for another seed", () => {
    assert(Model.print(1, 20) !== Model.print(2, 20))
  })
})

describe("a broken driver", () => {
  for (const { name, layer } of mutants) {
    it(`is found by a random program and shrunk: ${name}`, async () => {
      const found = await Effect.runPromise(firstDivergence(layer))
      assert(found !== undefined, "no program showed it")
      assert(found.program.length <= 10, found.message)
      assertStringIncludes(found.message, `at seed ${found.seed}`)
      assertStringIncludes(found.message, "expected")
    })

    it(`is found by the cases: ${name}`, async () => {
      const failed: Array<string> = []
      for (const one of Conformance.run()) {
        if (one.name.includes("survives as") || one.name.includes("announced")) continue
        const exit = await Effect.runPromiseExit(Effect.provide(one.effect, Layer.fresh(layer)))
        if (exit._tag === "Failure") failed.push(one.name)
      }
      const sound = new Set(await failures())
      assert(failed.some((one) => !sound.has(one)), "no case showed it")
    })
  }
})

/** The cases that the sound memory driver fails too. */
async function failures(): Promise<ReadonlyArray<string>> {
  const failed: Array<string> = []
  for (const one of Conformance.run()) {
    const exit = await Effect.runPromiseExit(
      Effect.provide(one.effect, Layer.fresh(MemoryDriver.layer)),
    )
    if (exit._tag === "Failure") failed.push(one.name)
  }
  return failed
}
