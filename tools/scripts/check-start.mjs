/**
 * Checks `npm start` as a newcomer sees it: no database set, it ends by itself, with a summary.
 *
 * What the summary must say is the list below; it belongs to `examples/worker.ts`.
 */
import process from "node:process"
import { forwardSignals, localEnvironment, run } from "./command.mjs"

const summary = [/^\W*delivered: *[1-9]\d*/im]
const lastLines = 20
const timeoutMillis = 3 * 60_000

forwardSignals()
const { DATABASE_URL: _, ...env } = localEnvironment()
const result = await run("npm", ["start"], { env, capture: "tee", timeoutMillis })
const end = result.output.trimEnd().split("\n").slice(-lastLines).join("\n")
const problems = summary.filter((line) => !line.test(end)).map((line) => `no line like ${line}`)
if (result.code !== 0) problems.push(`code ${result.code}`)
if (result.timedOut) problems.push(`not ended within ${timeoutMillis} ms`)

for (const problem of problems) console.log(`  failed: npm start: ${problem}`)
console.log(problems.length === 0 ? "1 passed, 0 failed" : "0 passed, 1 failed")
process.exit(problems.length === 0 ? 0 : 1)
