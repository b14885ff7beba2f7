import { MemoryDriver } from "@millrace/driver-memory"
import { describe, it } from "node:test"
import { parityCases } from "./parity.ts"

describe("parity with the model, on the memory driver", () => {
  for (const { name, run } of parityCases(MemoryDriver.layer)) it(name, run)
})
