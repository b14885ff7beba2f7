/**
 * Checks that nothing is lost when the example worker is killed and started again, twice in a row:
 * with the embedded database on Bun and on Deno, and with a PostgreSQL server.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { mailboxProblems, summaryProblems } from "./campaign.mjs"
import { forwardSignals, localEnvironment, root, run, signalCode, stopSignal } from "./command.mjs"
import { startPostgres } from "./postgres.mjs"

const timeoutMillis = 60_000

const runtimes = { bun: ["run"], deno: ["run", "--allow-all", "--no-check"] }

/** When to kill, seen from the folder and from what was printed. */
const moments = {
  // Before anybody can have written down that it is delivered, so that it is sent once more.
  "at the first mail": (cwd) => mailboxOf(cwd).length > 0,
  "in the middle": (_, stdout) => progressOf(stdout).some(({ done, all }) => done > all / 2),
}

forwardSignals()
let passed = 0
let failed = 0
await check("bun, embedded", "bun")
await check("deno, embedded", "deno")
if (stopSignal() === undefined) {
  const server = await startPostgres()
  try {
    await check("bun, a server", "bun", server.url)
  } finally {
    await server.stop()
  }
}
if (stopSignal()) process.exit(signalCode(stopSignal()))
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)

async function check(name, runtime, url) {
  if (stopSignal()) return
  const startedAt = Date.now()
  const folder = mkdtempSync(join(tmpdir(), "millrace-kill-"))
  try {
    const { problems, output } = await killTwice(runtime, folder, url)
    if (stopSignal()) return
    if (problems.length === 0) passed++
    else failed++
    if (problems.length > 0) console.log(output.trimEnd())
    for (const problem of problems) console.log(`  failed: killed and started again: ${problem}`)
    const mark = problems.length === 0 ? "ok  " : "FAIL"
    console.log(`${mark} killed twice: ${name} (${((Date.now() - startedAt) / 1000).toFixed(1)} s)`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function killTwice(runtime, cwd, url) {
  const { DATABASE_URL: _, ...env } = localEnvironment()
  if (url !== undefined) env.DATABASE_URL = url
  const args = [...runtimes[runtime], join(root, "examples/worker.ts")]
  const start = (isDue) => {
    const killWhen = isDue && ((stdout) => isDue(cwd, stdout))
    return run(runtime, args, { cwd, env, capture: true, timeoutMillis, killWhen })
  }
  const problems = []
  const stdouts = []
  let output = ""
  for (const [moment, isDue] of [...Object.entries(moments), ["at no time", undefined]]) {
    const result = await start(isDue)
    stdouts.push(result.stdout)
    output += result.output
    if (isDue && !result.killed) problems.push(`not killed ${moment}, but code ${result.code}`)
    if (!isDue && result.code !== 0) problems.push(`code ${result.code}`)
  }
  problems.push(...summaryProblems(stdouts.at(-1)))
  problems.push(...mailboxProblems(mailbox(cwd)))
  problems.push(...forgotten(stdouts))
  if (existsSync(join(cwd, ".millrace/campaign"))) problems.push("the campaign has not ended")
  return { problems, output }
}

/** What was delivered before a kill, as far as it was told, is delivered at the next start. */
function forgotten(stdouts) {
  return stdouts.slice(1).flatMap((stdout, index) => {
    const before = progressOf(stdouts[index]).at(-1)?.done ?? 0
    const after = progressOf(stdout)[0]?.done ?? 0
    return after >= before ? [] : [`${before} were delivered, and after a new start ${after}`]
  })
}

function progressOf(stdout) {
  return [...stdout.matchAll(/^delivered (\d+) of (\d+)/gm)]
    .map(([, done, all]) => ({ done: Number(done), all: Number(all) }))
}

function mailbox(cwd) {
  return join(cwd, ".millrace/mailbox")
}

function mailboxOf(cwd) {
  try {
    return readdirSync(mailbox(cwd)).filter((name) => name.endsWith(".eml"))
  } catch {
    return [] // It has not been made yet.
  }
}
