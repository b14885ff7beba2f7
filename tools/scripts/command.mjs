/** Runs commands: signals forwarded once, output captured or passed on, nothing left behind. */
import { spawn } from "node:child_process"
import { constants } from "node:os"
import { delimiter, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"

/** The root folder of the repository. */
export const root = fileURLToPath(new URL("../..", import.meta.url))

/** The environment in which the project's own `bun`, `deno` and `tsc` come first. */
export const localEnvironment = () => ({
  ...process.env,
  PATH: join(root, "node_modules", ".bin") + delimiter + process.env.PATH,
})

const forwarded = ["SIGINT", "SIGTERM", "SIGHUP"]
const echoMillis = 200
const killMillis = 5_000
const watchMillis = 2
const running = new Set()
let lastSignal
let lastSignalAt = 0

/** The signal that asked this program to stop, if one did. */
export const stopSignal = () => lastSignal

/** The exit code by which a shell tells of a signal. */
export const signalCode = (signal) => 128 + constants.signals[signal]

/**
 * Catches the signals that ask a program to stop and forwards them to the running commands.
 *
 * Without a running command they only set `stopSignal`: the caller ends by itself, and tidies up.
 */
export function forwardSignals() {
  for (const signal of forwarded) {
    process.on(signal, () => {
      // Ctrl-C comes twice under npm: from the terminal, and again from npm itself.
      if (signal === lastSignal && Date.now() - lastSignalAt < echoMillis) return
      lastSignal = signal
      lastSignalAt = Date.now()
      for (const child of running) killGroup(child, signal)
    })
  }
}

/**
 * Runs a command to its end and answers `{ code, output, stdout, timedOut, killed }`.
 *
 * Output is captured with `capture: true`, copied as well with `capture: "tee"`, and otherwise
 * passed through. After `timeoutMillis` the command and everything it started are ended. As soon as
 * `killWhen` says so, asked all the time, they are killed, with no chance to tidy up.
 */
export function run(command, args, { env = localEnvironment(), cwd = root, ...rest } = {}) {
  const { capture = false, timeoutMillis, killWhen } = rest
  return new Promise((resolve) => {
    // A group of its own, so that a signal reaches it once, and its own children with it.
    const stdio = capture ? ["ignore", "pipe", "pipe"] : "inherit"
    const child = spawn(command, args, { env, cwd, stdio, detached: true })
    running.add(child)
    let output = ""
    let stdout = ""
    let timedOut = false
    let killed = false
    for (const stream of ["stdout", "stderr"]) {
      child[stream]?.setEncoding("utf8").on("data", (text) => {
        output += text
        if (stream === "stdout") stdout += text
        if (capture === "tee") process[stream].write(text)
      })
    }
    const timer = timeoutMillis && setTimeout(() => {
      timedOut = true
      killGroup(child, "SIGTERM")
      setTimeout(() => killGroup(child, "SIGKILL"), killMillis).unref()
    }, timeoutMillis)
    const watch = killWhen && setInterval(() => {
      if (killed || !killWhen(stdout)) return
      killed = true
      killGroup(child, "SIGKILL")
    }, watchMillis)
    const finish = (code) => {
      clearTimeout(timer)
      clearInterval(watch)
      running.delete(child)
      resolve({ code, output, stdout, timedOut, killed })
    }
    child.once("error", (error) => {
      output += `Cannot run "${command}": ${error.message}\n`
      if (!capture) process.stderr.write(output)
      finish(127)
    })
    child.once("close", (code, signal) => finish(signal ? signalCode(signal) : code))
  })
}

function killGroup(child, signal) {
  try {
    process.kill(-child.pid, signal)
  } catch {
    // It ended in the meantime.
  }
}
