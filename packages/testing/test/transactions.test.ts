import { MemoryDriver } from "@millrace/driver-memory"
import { Conformance } from "@millrace/testing"
import { Effect, Layer } from "effect"
import { describe, it } from "node:test"
import { completeCases } from "./complete.ts"
import { embedded, onServer, serverUrl } from "./stores.ts"

describe("transactions in memory", () => {
  for (const { name, run } of Conformance.transactionCases) {
    it(name, () => Effect.runPromise(Effect.provide(run, Layer.fresh(MemoryDriver.layer))))
  }
})

describe("a handler that completes in a transaction in memory", () => {
  for (const { name, run } of completeCases) {
    it(name, () => Effect.runPromise(Effect.provide(run, Layer.fresh(MemoryDriver.layer))))
  }
})

describe("a handler that completes in a transaction of the embedded driver", () => {
  const store = embedded("database")
  for (const { name, run } of completeCases) it(name, () => store.run(run))
})

describe("a handler that completes in a transaction of a server", {
  skip: serverUrl === undefined && "no DATABASE_URL",
}, () => {
  const store = onServer("database")
  for (const { name, run } of completeCases) it(name, () => store.run(run))
})

describe("transactions of the embedded driver", () => {
  const store = embedded()
  for (const { name, run } of Conformance.transactionCases) it(name, () => store.run(run))
})

describe("transactions of a server", { skip: serverUrl === undefined && "no DATABASE_URL" }, () => {
  const store = onServer()
  for (const { name, run } of Conformance.transactionCases) it(name, () => store.run(run))
})
