import { assert } from "@std/assert"
import { Simulation } from "@millrace/testing"
import { Effect } from "effect"
import { describe, it } from "node:test"
import { shop } from "./shop.ts"

describe("the simulated shop", () => {
  it("keeps every promise, whatever strikes", { timeout: 120_000 }, async () => {
    const report = await Effect.runPromise(
      Simulation.explore({ ...shop, seeds: 10, duration: "3 minutes" }),
    )
    assert(report.faults > 100, `only ${report.faults} faults`)
  })
})
