/** Random flows on every driver: the production worker, the real clock, the interpreter. */
import { MemoryDriver } from "@millrace/driver-memory"
import { FlowModel } from "@millrace/testing"
import { Effect, Layer, References } from "effect"
import { describe, it } from "node:test"
import { embedded, onServer, serverUrl } from "./stores.ts"

const seeds = Array.from({ length: 12 }, (_, seed) => 1 + seed)

const quiet = Layer.succeed(References.MinimumLogLevel, "None")

const check = (seed: number) => Effect.provide(FlowModel.checkOn(seed), quiet)

describe("the memory driver", () => {
  for (const seed of seeds) {
    it(`runs the flow of seed ${seed} as the interpreter says`, () =>
      Effect.runPromise(Effect.provide(check(seed), Layer.fresh(MemoryDriver.layer))))
  }
})

describe("the embedded driver", () => {
  const { run } = embedded("database")
  for (const seed of seeds) {
    it(`runs the flow of seed ${seed} as the interpreter says`, () => run(check(seed)))
  }
})

describe("the PostgreSQL driver", { skip: serverUrl === undefined && "no DATABASE_URL" }, () => {
  const { run } = onServer("database")
  for (const seed of seeds) {
    it(`runs the flow of seed ${seed} as the interpreter says`, () => run(check(seed)))
  }
})
