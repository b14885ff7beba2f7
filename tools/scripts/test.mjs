/**
 * `npm test`: every check, then every suite on Bun and on Deno against one real PostgreSQL.
 *
 *     npm test -- [--bun-only | --deno-only] [--no-checks] [--filter PART_OF_A_PATH]
 *
 * Both runtimes run at once, each with a throw-away server of its own, since each has one thread.
 * With `DATABASE_URL` they share that server, one after the other.
 */
import { rmSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import { forwardSignals, localEnvironment, root, run, signalCode, stopSignal } from "./command.mjs"
import { ensureInstalled } from "./install.mjs"
import { startPostgres } from "./postgres.mjs"
import { runSuites, testFiles } from "./suites.mjs"

const { values: options } = parseArgs({
  options: {
    "bun-only": { type: "boolean" },
    "deno-only": { type: "boolean" },
    "no-checks": { type: "boolean" },
    filter: { type: "string" },
  },
})

const checks = [
  ["tsc", "-p", "."],
  ["deno", "check", "packages", "examples", "tools"],
  ["deno", "lint"],
  ["deno", "fmt", "--check"],
]

let passed = 0
let failed = 0

forwardSignals()
if (await ensureInstalled()) {
  if (!options["no-checks"]) await runChecks()
  await runRuntimes()
} else {
  failed++
}
if (stopSignal()) process.exit(signalCode(stopSignal()))
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed > 0 || passed === 0 ? 1 : 0)

async function runChecks() {
  // A run that was killed may have left programs here, which are not ours to check.
  rmSync(join(root, "tools", "docs", ".tmp"), { recursive: true, force: true })
  for (const [command, ...args] of checks) {
    await step([command, ...args].join(" "), async () => {
      const { code, output } = await run(command, args, { capture: true })
      return {
        passed: code === 0 ? 1 : 0,
        failed: code === 0 ? [] : [[command, ...args].join(" ")],
        output,
      }
    })
  }
}

async function runRuntimes() {
  const files = testFiles(options.filter)
  const runtimes = [!options["deno-only"] && "bun", !options["bun-only"] && "deno"].filter(Boolean)
  const suite = (runtime, env) =>
    step(`${runtime} test`, () => runSuites(runtime, files, env), files.length)
  if (process.env.DATABASE_URL) {
    for (const runtime of runtimes) await suite(runtime, localEnvironment())
    return
  }
  await Promise.all(runtimes.map(async (runtime) => {
    const server = await startPostgres()
    try {
      await suite(runtime, { ...localEnvironment(), DATABASE_URL: server.url })
    } finally {
      await server.stop()
    }
  }))
}

/** Runs one step, adds up what it counted, and shows its output only if something failed. */
async function step(name, action, count = 1) {
  if (stopSignal()) return
  const startedAt = Date.now()
  const result = count === 0 ? { passed: 0, failed: ["no test file"], output: "" } : await action()
  if (stopSignal()) return
  passed += result.passed
  failed += result.failed.length
  if (result.failed.length > 0) {
    console.log(result.output.trim())
    for (const title of result.failed) console.log(`  failed: ${title}`)
  }
  const mark = result.failed.length === 0 ? "ok  " : "FAIL"
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1)
  const skipped = result.skipped ? `, ${result.skipped} skipped` : ""
  console.log(`${mark} ${name}: ${result.passed} passed${skipped} (${seconds} s)`)
}
