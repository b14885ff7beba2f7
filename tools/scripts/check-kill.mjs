/**
 * Checks that nothing is lost when the example worker is killed in the middle and started again:
 * every recipient is delivered, or has failed for a reason.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { spawn } from "node:child_process"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { localEnvironment, root } from "./command.mjs"

const timeoutMillis = 2 * 60_000
const folder = mkdtempSync(join(tmpdir(), "millrace-kill-"))
const { DATABASE_URL: _, ...env } = localEnvironment()

const problems = []

for (const runtime of [["bun", "run"], ["deno", "run", "--allow-all", "--no-check"]]) {
  rmSync(join(folder, ".millrace"), { recursive: true, force: true })
  const first = await start(runtime, /^delivered [1-9]\d* of/m)
  if (!first.killed) problems.push(`${runtime[0]}: it ended before it could be killed`)
  const second = await start(runtime)
  const summary = /^delivered: (\d+).*\nfailed: (\d+)\n((?: {2}.*\n)*)/m.exec(second.output)
  const problem = second.code === 0 && summary !== null
    ? problemOf(summary, second.output)
    : `code ${second.code}, and no summary:\n${second.output}`
  if (problem !== undefined) problems.push(`${runtime[0]}: ${problem}`)
}
rmSync(folder, { recursive: true, force: true })

for (const problem of problems) console.log(`  failed: kill and start again: ${problem}`)
console.log(problems.length === 0 ? "2 passed, 0 failed" : `0 passed, ${problems.length} failed`)
process.exit(problems.length === 0 ? 0 : 1)

/** Runs the example to its end, or kills it as soon as it has printed something. */
function start([command, ...args], killAt) {
  return new Promise((resolve) => {
    const path = join(root, "node_modules/.bin", command)
    const child = spawn(path, [...args, join(root, "examples/worker.ts")], {
      cwd: folder,
      env,
      detached: true,
    })
    let output = ""
    let killed = false
    const kill = () => {
      try {
        // The group: what is in node_modules/.bin may be a starter of the runtime.
        process.kill(-child.pid, "SIGKILL")
      } catch {
        // It has ended already.
      }
    }
    const timer = setTimeout(kill, timeoutMillis)
    const read = (chunk) => {
      output += chunk
      if (killAt === undefined || killed || !killAt.test(output)) return
      killed = true
      kill()
    }
    child.stdout.on("data", read)
    child.stderr.on("data", read)
    child.on("close", (code) => {
      clearTimeout(timer)
      console.log(output.trimEnd().split("\n").slice(-7).join("\n"))
      resolve({ output, code, killed })
    })
  })
}

function problemOf([, delivered, failed, reasons], output) {
  const csv = readFileSync(join(root, "examples/recipients.csv"), "utf8")
  const addresses = [...csv.matchAll(/^"?([^\s@,<>"]+@[^\s@,<>"]+\.[a-z]+)"?,/gm)]
  const known = new Set(addresses.map(([, address]) => address))
  const mailbox = join(folder, ".millrace/mailbox")
  const mails = readdirSync(mailbox).filter((name) => name.endsWith(".eml"))
  const reached = new Set(
    mails.flatMap((name) =>
      [...readFileSync(join(mailbox, name), "utf8").matchAll(/^Delivered-To: (\S+)\r$/gm)]
        .map(([, address]) => address)
    ),
  )
  const enqueued = Number(/^enqueued (\d+)/m.exec(output)?.[1])
  if (Number(delivered) + Number(failed) !== enqueued) return "the summary does not add up"
  if (mails.length !== Number(delivered)) return `${mails.length} mails, but ${delivered} delivered`
  const missing = [...known].filter((address) =>
    !reached.has(address) && !reasons.includes(address)
  )
  return missing.length === 0 ? undefined : `nothing is known of ${missing.join(", ")}`
}
