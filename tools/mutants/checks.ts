/** The checks that look for mutants, and how their findings are read. */
import type { Check } from "./Mutant.ts"
import type { Ran, Sandbox } from "./Sandbox.ts"

/** What a check came to. */
export type Verdict =
  /** A case or an invariant failed; of a simulation also how many seeds it took. */
  | { readonly _tag: "found"; readonly by: string; readonly seeds: string }
  | { readonly _tag: "clean" }
  /** It broke down without naming what is wrong, which proves nothing. */
  | { readonly _tag: "broken"; readonly output: string }

/** How long one check may look for one mutant. */
export const limitMillis = 60_000

/** How long it may take where nothing is broken: it runs to its end then, on a busy machine too. */
export const cleanLimitMillis = 300_000

const tests: Readonly<Partial<Record<Check, string>>> = {
  memory: "./packages/testing/test/conformance-memory.test.ts",
  pglite: "./packages/testing/test/conformance-pglite.test.ts",
  expiry: "./packages/testing/test/conformance-pglite.test.ts",
  schedules: "./packages/testing/test/schedules.test.ts",
  races: "./packages/driver-postgres/test/races.test.ts",
  flows: "./packages/driver-postgres/test/races-flows.test.ts",
  graphs: "./packages/testing/test/flow-model.test.ts",
}

/** The names of the cases, where not all of a file are run. */
const only: Readonly<Partial<Record<Check, string>>> = { expiry: "expir|overdue|begun" }

const seeds: Readonly<Partial<Record<Check, number>>> = { calm: 5, storm: 60, deaf: 20, slots: 40 }

/** Runs a check in the sandbox. */
export const look = async (
  sandbox: Sandbox,
  check: Check,
  millis = limitMillis,
): Promise<Verdict> => {
  const test = tests[check]
  return test === undefined
    ? ofSimulation(check, await sandbox.bun(simulation(check), millis))
    : ofTests(check, await sandbox.bun(["test", "--bail=1", ...named(check), test], millis))
}

const named = (check: Check): ReadonlyArray<string> => {
  const name = only[check]
  return name === undefined ? [] : ["-t", name]
}

const simulation = (check: Check) => [
  "run",
  "./tools/mutants/simulated.ts",
  check,
  String(seeds[check]),
]

const words: Readonly<Record<Check, string>> = {
  memory: "conformance",
  pglite: "conformance on PGlite",
  expiry: "conformance on PGlite",
  schedules: "cases of schedules",
  races: "races",
  flows: "races of runs",
  graphs: "random flows",
  calm: "simulation without faults",
  storm: "simulation with faults",
  deaf: "simulation with lost wakeups",
  slots: "simulation of schedules and limits",
}

const ofTests = (check: Check, { code, output }: Ran): Verdict => {
  // A case that the mutant makes wait for ever is found by its time running out.
  const failed = /^\(fail\) (.+?)(?: \[[\d.]+ms\])?$/m.exec(output)
  if (failed !== null && !/error: (SyntaxError|Cannot find)/.test(output)) {
    return { _tag: "found", by: `${words[check]}: ${failed[1]}`, seeds: "" }
  }
  return code === 0 ? { _tag: "clean" } : { _tag: "broken", output }
}

const ofSimulation = (check: Check, { code, output }: Ran): Verdict => {
  const broken = /^BROKEN (\d+) (.+)$/m.exec(output)
  if (broken !== null) {
    return { _tag: "found", by: `${words[check]}: ${broken[2]}`, seeds: broken[1]! }
  }
  return code === 0 && output.includes("CLEAN") ? { _tag: "clean" } : { _tag: "broken", output }
}
