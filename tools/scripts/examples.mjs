/** Runs every numbered example on Bun and on Deno, and compares what it prints. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { forwardSignals, root, run } from "./command.mjs"

const runtimes = { bun: ["run"], deno: ["run", "--allow-all", "--no-check"] }
const timeoutMillis = 2 * 60_000

forwardSignals()
let passed = 0
let failed = 0
const files = readdirSync(join(root, "examples")).filter((name) => /^\d.*\.ts$/.test(name)).sort()
for (const file of files) {
  for (const [runtime, args] of Object.entries(runtimes)) {
    const path = `examples/${file}`
    const result = await run(runtime, [...args, path], { capture: true, timeoutMillis })
    const problem = problemOf(result, expected(file))
    if (problem === undefined) passed++
    else failed++
    console.log(problem === undefined ? `ok   ${runtime} ${path}` : `FAIL ${runtime} ${path}`)
    if (problem !== undefined) console.log(problem)
  }
}
if (files.length === 0) failed++
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)

function expected(file) {
  try {
    return readFileSync(join(root, "examples", file.replace(/\.ts$/, ".expected.txt")), "utf8")
  } catch {
    return undefined // Reported below: an example that nobody compares would rot.
  }
}

function problemOf(result, expectedOutput) {
  if (result.timedOut) return `did not end within ${timeoutMillis} ms\n${result.output}`
  if (result.code !== 0) return `ended with code ${result.code}\n${result.output}`
  if (expectedOutput === undefined) return "has no .expected.txt beside it"
  if (result.stdout === expectedOutput) return
  return `printed:\n${result.stdout}\nexpected:\n${expectedOutput}`
}
