import { MemoryDriver } from "@millrace/driver-memory"
import { Conformance } from "@millrace/testing"
import { Effect, Layer } from "effect"
import { describe, it } from "node:test"
import { embedded, onServer, serverUrl } from "./stores.ts"

describe("transactions in memory", () => {
  for (const { name, run } of Conformance.transactionCases) {
    it(name, () => Effect.runPromise(Effect.provide(run, Layer.fresh(MemoryDriver.layer))))
  }
})

describe("transactions of the embedded driver", () => {
  const store = embedded()
  for (const { name, run } of Conformance.transactionCases) it(name, () => store.run(run))
})

describe("transactions of a server", { skip: serverUrl === undefined && "no DATABASE_URL" }, () => {
  const store = onServer()
  for (const { name, run } of Conformance.transactionCases) it(name, () => store.run(run))
})
