/** The scenes of flows on every driver. */
import { MemoryDriver } from "@millrace/driver-memory"
import { Effect, Layer } from "effect"
import { describe, it } from "node:test"
import { scenes } from "./flow-scenes.ts"
import { embedded, onServer, serverUrl } from "./stores.ts"

describe("the memory driver", () => {
  for (const { name, run } of scenes) {
    it(name, () => Effect.runPromise(Effect.provide(run, Layer.fresh(MemoryDriver.layer))))
  }
})

describe("the embedded driver", () => {
  const store = embedded("database")
  for (const { name, run } of scenes) it(name, () => store.run(run))
})

describe("the PostgreSQL driver", { skip: serverUrl === undefined && "no DATABASE_URL" }, () => {
  const store = onServer("database")
  for (const { name, run } of scenes) it(name, () => store.run(run))
})
