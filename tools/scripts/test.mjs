/**
 * `npm test`: every check, then every suite on Bun and on Deno against one real PostgreSQL.
 *
 *     npm test -- [--bun-only | --deno-only] [--no-checks] [--filter PART_OF_A_PATH]
 *
 * Two parts of the suites run at a time, each with a throw-away server of its own, since a runtime
 * has one thread. With `DATABASE_URL` they share that server, one after the other.
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

const partsOfASuite = 6

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
  const suites = runtimes.map((runtime) => ({ runtime, results: [], seconds: 0 }))
  // What both runtimes have to do, in turn; whoever is free takes the next part.
  const parts = partsOf(files).flatMap((part) => suites.map((suite) => ({ suite, part })))
  const lane = async (env) => {
    for (let next; (next = parts.shift()) !== undefined && !stopSignal();) {
      const { suite, part } = next
      const startedAt = Date.now()
      suite.results.push(await runSuites(suite.runtime, part, env))
      suite.seconds += (Date.now() - startedAt) / 1000
    }
  }
  if (process.env.DATABASE_URL) await lane(localEnvironment())
  else await Promise.all([onServer(lane), onServer(lane)])
  for (const { runtime, results, seconds } of suites) {
    report(`${runtime} test`, merged(results, files), seconds)
  }
}

async function onServer(lane) {
  const server = await startPostgres()
  try {
    await lane({ ...localEnvironment(), DATABASE_URL: server.url })
  } finally {
    await server.stop()
  }
}

/** The files in parts that take about as long as each other: neighbours are alike. */
function partsOf(files) {
  const parts = Array.from({ length: partsOfASuite }, () => [])
  files.forEach((file, index) => parts[index % parts.length].push(file))
  return parts.filter((part) => part.length > 0)
}

function merged(results, files) {
  if (files.length === 0) return { passed: 0, skipped: 0, failed: ["no test file"], output: "" }
  return {
    passed: results.reduce((sum, { passed }) => sum + passed, 0),
    skipped: results.reduce((sum, { skipped }) => sum + skipped, 0),
    failed: results.flatMap(({ failed }) => failed),
    output: results.filter(({ failed }) => failed.length > 0).map(({ output }) => output).join(""),
  }
}

/** Runs one step and reports it. */
async function step(name, action) {
  if (stopSignal()) return
  const startedAt = Date.now()
  report(name, await action(), (Date.now() - startedAt) / 1000)
}

/** Adds up what a step counted, and shows its output only if something failed. */
function report(name, result, seconds) {
  if (stopSignal()) return
  passed += result.passed
  failed += result.failed.length
  if (result.failed.length > 0) {
    console.log(result.output.trim())
    for (const title of result.failed) console.log(`  failed: ${title}`)
  }
  const mark = result.failed.length === 0 ? "ok  " : "FAIL"
  const skipped = result.skipped ? `, ${result.skipped} skipped` : ""
  console.log(`${mark} ${name}: ${result.passed} passed${skipped} (${seconds.toFixed(1)} s)`)
}
