/**
 * Runs a command with `DATABASE_URL`: the one that is set, or that of a throw-away PostgreSQL.
 *
 *     node tools/scripts/with-postgres.mjs -- bun test
 */
import process from "node:process"
import { forwardSignals, localEnvironment, run, signalCode, stopSignal } from "./command.mjs"
import { startPostgres } from "./postgres.mjs"

const separator = process.argv.indexOf("--")
const [command, ...args] = process.argv.slice(separator < 0 ? 2 : separator + 1)
if (command === undefined) {
  console.error("Usage: node tools/scripts/with-postgres.mjs -- COMMAND ARGUMENTS")
  process.exit(2)
}

forwardSignals()
const server = process.env.DATABASE_URL ? undefined : await startPostgres()
let code = 1
try {
  if (stopSignal() === undefined) {
    const env = server ? { ...localEnvironment(), DATABASE_URL: server.url } : localEnvironment()
    code = (await run(command, args, { env, cwd: process.cwd() })).code
  } else {
    code = signalCode(stopSignal())
  }
} finally {
  await server?.stop()
}
process.exit(code)
