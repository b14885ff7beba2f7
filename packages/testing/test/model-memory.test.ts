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
        "   5. 499 ms pass",
        "   6. worker 2 beats for 1000 ms, holding task 6, task 2, task 4, task 3",
        "   7. 499 ms pass",
        '   8. limit queue 0 to {"concurrency":1}',
        '   9. insert task 6 into queue 0, priority 0, 2 attempts, 1 crashes, awaited, input "x", step b of task 1, else collect, to be undone, waiting; task 8 into queue 0, priority 0, delay 500 ms, 2 attempts, 2 crashes, input "x", step a of task 0, else collect, waiting; task 1 into queue 1, priority 0, delay 1 ms, 3 attempts, 1 crashes, input "x", step b of task 0, else skip; task 6 into queue 1, priority 5, 2 attempts, 2 crashes, input "", step b of task 2, else fail, to be undone, waiting, ended as {"state":"skipped","failure":{"reason":"ConditionUnmet","message":"it\'s {NULL}"}}',
        '  10. limit queue 1 to {"rate":{"count":3,"periodMillis":1000,"burst":2},"maxDepth":3,"keys":{"concurrency":3,"onFailure":"skip"}}',
        '  11. limit queue 1 to {"concurrency":1}',
        "  12. worker 1 claims at most 1 of queue 0 and 2 of queue 1",
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
