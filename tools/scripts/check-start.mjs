/**
 * Checks `npm start` as a newcomer sees it: no database set, it ends by itself, and its summary
 * accounts for every recipient.
 */
import process from "node:process"
import { summaryProblems } from "./campaign.mjs"
import { forwardSignals, localEnvironment, run } from "./command.mjs"

const timeoutMillis = 3 * 60_000

forwardSignals()
const { DATABASE_URL: _, ...env } = localEnvironment()
const result = await run("npm", ["start"], { env, capture: "tee", timeoutMillis })
const problems = summaryProblems(result.stdout)
if (result.code !== 0) problems.push(`code ${result.code}`)
if (result.timedOut) problems.push(`not ended within ${timeoutMillis} ms`)

for (const problem of problems) console.log(`  failed: npm start: ${problem}`)
console.log(problems.length === 0 ? "1 passed, 0 failed" : "0 passed, 1 failed")
process.exit(problems.length === 0 ? 0 : 1)
