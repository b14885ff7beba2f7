/**
 * Stops a throw-away PostgreSQL and removes its folder as soon as standard input ends.
 *
 * The pipe to the program that started the server closes however that program ends, `kill -9`
 * included, so this is the one and only way in which a throw-away server goes away.
 */
import { readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { setTimeout as sleep } from "node:timers/promises"

const folder = process.argv[2]
const pollMillis = 25
const patienceMillis = 10_000

for await (const _ of process.stdin);

const pid = readPid()
if (pid !== undefined) {
  send("SIGINT")
  const deadline = Date.now() + patienceMillis
  // The file goes last, and unlike the process id it is not kept by a parent who never reaps.
  while (readPid() === pid && send(0) && Date.now() < deadline) await sleep(pollMillis)
  // SIGQUIT is the immediate shutdown: it also ends the server's children, as SIGKILL would not.
  if (readPid() === pid && send("SIGQUIT")) await sleep(1_000)
}
rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })

function readPid() {
  try {
    return Number.parseInt(readFileSync(join(folder, "data", "postmaster.pid"), "utf8"))
  } catch {
    return undefined // The server never started, or has stopped by itself.
  }
}

/** Sends a signal and answers whether the server was still there; 0 only asks. */
function send(signal) {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}
