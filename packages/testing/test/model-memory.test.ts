import { assert, assertEquals, assertStringIncludes } from "@std/assert"
import type { Driver, ScheduleStore } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Conformance, Model } from "@millrace/testing"
import { Effect, Layer } from "effect"
import { describe, it } from "node:test"
import { mutants, storeMutants } from "./mutants.ts"

const seeds = Array.from({ length: 60 }, (_, seed) => seed)

/** The first seed whose program shows a difference. */
const firstDivergence = (driver: Layer.Layer<Driver.Driver | ScheduleStore.ScheduleStore>) =>
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
      Model.print(19, 12).split("\n"),
      [
        "   1. worker 0 beats for 5000 ms, holding nothing",
        "   2. worker 1 beats for 5000 ms, holding nothing",
        "   3. worker 2 beats for 5000 ms, holding nothing",
        "   4. remove schedule 1",
        '   5. insert task 1 into queue 0, priority 0, due at now + 1 ms, 1 attempts, 2 crashes, awaited, input "x", step a of task 0, else fail; task 1 into queue 1, priority 9, 3 attempts, 1 crashes, awaited, input "", group c, tagged y; task 6 into queue 0, priority 5, delay 500 ms, 1 attempts, 0 crashes, awaited, input 1, key a while waiting or ready or running, else ignore, with {"y":""}; task 7 into queue 1, priority 0, 1 attempts, 0 crashes, input "x", step a of task 0, else fail',
        "   6. recover what expired",
        '   7. settle task 0 as Completed {"output":"1"}, after 250 ms; task 12 as Snoozed {"delayMillis":0}, after 250 ms; task 4 as Interrupted, after 250 ms',
        '   8. signal "" to task 9, task 7',
        '   9. settle task 14 as Snoozed {"delayMillis":0}, after 250 ms',
        "  10. reschedule task 4 by 5000 ms",
        "  11. worker 2 claims at most 2 of queue 1",
        '  12. insert task 8 into queue 1, priority 5, due at now + 1000 ms, delay 5000 ms, expires after 1000 ms, 3 attempts, 1 crashes, input {"a":[1,{"b":"c,d"}]}; task 4 into queue 0, priority 9, 1 attempts, 0 crashes, awaited, input {"a":[1,{"b":"c,d"}]}, step a of task 0, else collect; task 11 into queue 1, priority 0, 1 attempts, 1 crashes, input "x", key b while ready or running or completed or failed or cancelled, else replace, with {"x":""}; task 2 into queue 1, priority 5, delay 5000 ms, expires after 500 ms, 1 attempts, 2 crashes, awaited, input "", key a while ready or running or completed or failed or cancelled, else ignore, group c, tagged y and y',
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

describe("a broken storage of schedules", () => {
  for (const { name, layer } of storeMutants) {
    it(`is found by a random program and shrunk: ${name}`, async () => {
      const found = await Effect.runPromise(firstDivergence(layer))
      assert(found !== undefined, "no program showed it")
      assert(found.program.length <= 10, found.message)
    })

    it(`is found by the cases: ${name}`, async () => {
      const exits = await Promise.all(
        Conformance.schedulingCases.map(({ run }) =>
          Effect.runPromiseExit(Effect.provide(run, Layer.fresh(layer)))
        ),
      )
      assert(exits.some(({ _tag }) => _tag === "Failure"), "no case showed it")
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
