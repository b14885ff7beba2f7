/** Simulates seeds of a bench until one is found to be wrong: `simulated.ts BENCH SEEDS`. */
import { Effect } from "effect"
import process from "node:process"
import { bench } from "./Bench.ts"

const [name, seeds] = process.argv.slice(2)
const explore = bench[name as keyof typeof bench]

for (let seed = 1; seed <= Number(seeds); seed++) {
  const result = await Effect.runPromise(Effect.result(explore([seed])))
  if (result._tag === "Success") continue
  console.log(`BROKEN ${seed} ${result.failure.broken}`)
  process.exit(1)
}
console.log(`CLEAN ${seeds}`)
