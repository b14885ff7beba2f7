import { assert, assertEquals, assertStringIncludes } from "@std/assert"
import type { Driver, ScheduleStore } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Conformance, Model } from "@millrace/testing"
import { Effect, Exit, Layer, Option } from "effect"
import { describe, it } from "node:test"
import { mutants, storeMutants } from "./mutants.ts"

const seeds = Array.from({ length: 100 }, (_, seed) => seed)

/** Some mutants need a rare order of things. */
const triedSeeds = 4 * seeds.length

/** The first seed whose program shows a difference. */
const firstDivergence = (driver: Layer.Layer<Driver.Driver | ScheduleStore.ScheduleStore>) =>
  Effect.gen(function* () {
    for (let seed = 0; seed < triedSeeds; seed++) {
      const found = yield* Effect.flip(Model.check({ seed, commands: 150, driver })).pipe(
        Effect.catchCause(() => Effect.undefined),
      )
      if (found !== undefined) return found
    }
    return undefined
  })

describe("the memory driver against itself", () => {
  it("never differs", async () => {
    for (const seed of seeds.slice(0, 60)) {
      await Effect.runPromise(Model.check({ seed, commands: 300, driver: MemoryDriver.layer }))
    }
  })
})

describe("a random program", () => {
  it("is the same for the same seed, on every runtime", () => {
    assertEquals(
      Model.print(16, 12).split("\n"),
      [
        "   1. worker 0 beats for 5000 ms, holding nothing",
        "   2. worker 1 beats for 5000 ms, holding nothing",
        "   3. worker 2 beats for 5000 ms, holding nothing",
        "   4. 90000 ms pass",
        "   5. make schedule 0 every 3000 ms + 0 ms, making up for 1, jitter 0 ms: task 0 into queue 1, priority 5, expires after 1000 ms, 1 attempts, 1 crashes, input null, key a while ready or running or completed or failed or cancelled for 5000 ms, else replace",
        "   6. list 100 tasks, the last first, from task 9",
        "   7. worker 0 claims at most 3 of queue 0",
        "   8. worker 0 claims at most 2 of queue 0",
        "   9. pause schedule 0",
        '  10. limit queue 0 to {"rate":{"count":2,"periodMillis":7000,"burst":1}}',
        '  11. settle task 6 as Snoozed {"delayMillis":1000}, after 250 ms; task 2 as Failed {"failure":{"reason":"Error","message":"it\'s {NULL}"}}, after 0 ms',
        '  12. settle task 7 (2 claims before the last) as Expired, after 0 ms; task 10 as Snoozed {"delayMillis":0}; task 3 as Discarded {"failure":{"reason":"Discarded","message":"","error":"\\"it\'s {NULL} $1 \\\\\\\\ 漢字\\""}}',
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
      assert(await foundBy(layer) !== undefined, "no case showed it")
    })
  }
})

describe("a broken storage of schedules", () => {
  for (const { name, layer } of storeMutants) {
    it(`is found by a random program and shrunk: ${name}`, async () => {
      const found = await Effect.runPromise(firstDivergence(layer))
      assert(found !== undefined, "no program showed it")
      assert(found.program.length <= 10, found.message)
    })

    it(`is found by the cases: ${name}`, async () => {
      const failed = Conformance.schedulingCases.map(({ run }) =>
        Effect.map(Effect.exit(Effect.provide(run, Layer.fresh(layer))), Exit.isFailure)
      )
      const found = await Effect.runPromise(Effect.findFirst(failed, (one) => one))
      assert(Option.isSome(found), "no case showed it")
    })
  }
})

/** The first case that shows what is broken. */
async function foundBy(layer: Layer.Layer<Driver.Driver>): Promise<string | undefined> {
  for (const { effect, name } of Conformance.run()) {
    const run = (layer: Layer.Layer<Driver.Driver>) =>
      Effect.runPromiseExit(Effect.provide(effect, Layer.fresh(layer)))
    if ((await run(layer))._tag === "Success") continue
    // One that the sound driver fails too shows nothing.
    if ((await run(MemoryDriver.layer))._tag === "Success") return name
  }
  return undefined
}
