import { ok, strictEqual } from "node:assert/strict"
import { describe, it } from "node:test"
import { Driver, Job } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Simulation } from "@millrace/testing"
import { Ledger } from "../src/simulation/Ledger.ts"
import { Effect, Random, Schema } from "effect"
import { newTask } from "./tasks.ts"

describe("unique runs in the simulation", () => {
  const Sync = Job.make("sync", {
    input: Schema.Int,
    maxAttempts: 3,
    maxCrashes: 5,
    unique: { key: (n) => `account ${n % 4}` },
  })
  const Index = Job.make("index", {
    input: Schema.Int,
    maxCrashes: 50,
    unique: { key: (n) => `page ${n % 3}`, onClash: "debounce", period: "8 seconds" },
  })

  it("have their key until they end, whatever strikes, and no key is leaked", async () => {
    let most = 0
    const report = await Effect.runPromise(Simulation.explore({
      state: () => new Map<number, number>(),
      jobs: (running) => [
        Sync.perform((n) =>
          Effect.gen(function* () {
            const key = n % 4
            running.set(key, (running.get(key) ?? 0) + 1)
            most = Math.max(most, running.get(key)!)
            yield* Effect.sleep((yield* Random.nextIntBetween(1, 9)) * 1000)
            if (n % 5 === 0) yield* Effect.die("broken")
            running.set(key, running.get(key)! - 1)
          })
        ),
        Index.perform(() => Effect.sleep("2 seconds")),
      ],
      load: () =>
        Effect.gen(function* () {
          for (let n = 0; n < 150; n++) {
            yield* Sync.enqueue(n)
            yield* Index.enqueueMany([n, n + 1])
            yield* Effect.sleep("3 seconds")
          }
        }),
      seeds: 40,
    }))
    ok(report.faults > 40, `only ${report.faults} faults`)
    ok(most > 0)
  })

  const broken = (answer: Partial<Driver.Inserted>) => {
    const ledger = new Ledger()
    const unique = { key: "a", states: ["ready", "running"], onClash: "ignore" } as const
    const [first, second] = [newTask({ unique }), newTask({ unique })]
    ledger.inserted([first], [{ id: first.id, inserted: true }], 0)
    ledger.inserted([second], [{ id: second.id, inserted: false, ...answer }], 0)
    return ledger.broken
  }

  it("are checked: a second one with the key, or one that is refused for nothing, is found", () => {
    strictEqual(broken({ inserted: true }), 'Task "send_email 1" lost its key while it had it')
    strictEqual(
      broken({ holder: "01890a5d-ac96-774b-bcce-b302099a8057" }),
      'Task "an unknown task" has a key that nobody could be refused for',
    )
  })

  it("are the same in memory as in the books", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const driver = yield* Driver.Driver
        const ledger = new Ledger()
        const unique = { key: "a", states: ["ready"], onClash: "replace" } as const
        const tasks = Array.from({ length: 3 }, () => newTask({ unique }))
        ledger.inserted(tasks, yield* driver.insert(tasks), 0)
        strictEqual(ledger.broken, undefined)
        strictEqual(ledger.open, 1)
      }).pipe(Effect.provide(MemoryDriver.layer)),
    ))
})
