/** Prints the trace of each of some seeds, so that two runtimes can be compared. */
import { Job } from "@millrace/core"
import { Simulation } from "@millrace/testing"
import { Effect, Schema } from "effect"
import { simulate } from "../src/simulation/Seed.ts"

const Work = Job.make("work", {
  input: Schema.Int,
  error: Schema.String,
  maxAttempts: 4,
  baseDelay: "5 seconds",
  timeout: "20 seconds",
})

/** Handlers that take time, fail, hang and finish, enqueued over five minutes. */
export const options: Simulation.Options<undefined> = {
  jobs: () => [
    Work.perform((n, ctx) =>
      Effect.gen(function* () {
        yield* Effect.sleep((n % 7) * 500)
        if (n % 5 === 0 && ctx.attempt < 3) yield* Effect.fail("not yet")
        if (n % 11 === 0 && ctx.attempt < 2) yield* Effect.never
      })
    ),
  ],
  load: () =>
    Effect.gen(function* () {
      for (let n = 0; n < 100; n++) {
        yield* Work.enqueue(n, n % 3 === 0 ? { delay: "30 seconds" } : {})
        yield* Effect.sleep("3 seconds")
      }
    }),
}

export const explored = (seed: number) => Simulation.explore({ ...options, seeds: [seed] })

if (import.meta.main) {
  for (let seed = 1; seed <= 10; seed++) {
    const scenario = () => ({
      worker: { jobs: options.jobs?.(undefined) ?? [] },
      workers: 3,
      faults: Simulation.allFaults,
      durationMillis: 600_000,
      patienceMillis: 24 * 60 * 60 * 1000,
      load: options.load(undefined),
      invariants: [],
    })
    const { broken, faults, trace } = simulate(scenario, seed, new Set())
    console.log(`seed ${seed}\n${trace.lines().join("\n")}\n${faults} faults, ${broken ?? "clean"}`)
  }
}
