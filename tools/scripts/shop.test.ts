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

  it("is clean at the seeds that once found something", { timeout: 60_000 }, async () => {
    // A worker that met a run under two leases; a run of a group that was put off by hand.
    await Effect.runPromise(
      Simulation.explore({ ...shop, seeds: [106, 1506, 2144], duration: "1 minute" }),
    )
  })
})
