/** `npm start`: installs what is missing, then runs the example worker on Bun. */
import process from "node:process"
import { forwardSignals, run, signalCode, stopSignal } from "./command.mjs"
import { ensureInstalled } from "./install.mjs"

forwardSignals()
if (!await ensureInstalled()) process.exit(1)
if (stopSignal()) process.exit(signalCode(stopSignal()))
const { code } = await run("bun", ["run", "examples/worker.ts", ...process.argv.slice(2)])
process.exit(code)
