import type { Driver, ScheduleStore } from "@millrace/core"
import { Model } from "@millrace/testing"
import { Effect, Layer } from "effect"
import { describe, it } from "node:test"
import { embedded, serverLayer, serverUrl } from "./stores.ts"

const seeds = [1, 2, 3, 4, 5, 6, 7, 8]
const commands = 250

describe("the PostgreSQL driver", { skip: serverUrl === undefined && "no DATABASE_URL" }, () => {
  for (const seed of seeds) {
    it(`does what the memory driver does, with seed ${seed}`, () =>
      Effect.runPromise(Model.check({ seed, commands, driver: serverLayer() })))
  }
})

describe("the embedded driver", () => {
  // A new database takes seconds, so that all programs run in one.
  const { run } = embedded()
  for (const seed of seeds) {
    it(`does what the memory driver does, with seed ${seed}`, () =>
      run(
        Effect.flatMap(
          Effect.context<Driver.Driver | ScheduleStore.ScheduleStore>(),
          (context) => Model.check({ seed, commands, driver: Layer.succeedContext(context) }),
        ),
      ))
  }
})
