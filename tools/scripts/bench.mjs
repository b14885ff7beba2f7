/** `npm run bench`: installs the peers, starts a PostgreSQL where none is given, and measures. */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { forwardSignals, localEnvironment, root, run, signalCode, stopSignal } from "./command.mjs"
import { ensureInstalled } from "./install.mjs"
import { startPostgres } from "./postgres.mjs"

const folder = join(root, "benchmarks", "peers")
const script = join("benchmarks", "run.ts")
const args = process.argv.slice(2)

forwardSignals()
process.exit(await main())

async function main() {
  if (!await ensureInstalled()) return 1
  if (args.includes("--help")) return await help()
  if (!await ensurePeers()) return 1
  const server = process.env.DATABASE_URL || args.includes("--list") ? undefined : await start()
  try {
    if (stopSignal()) return signalCode(stopSignal())
    const env = server
      ? {
        ...localEnvironment(),
        DATABASE_URL: server.url,
        MILLRACE_BENCH_SERVER_PID: String(server.pid),
      }
      : localEnvironment()
    return (await run("bun", ["run", script, ...args], { env })).code
  } finally {
    await server?.stop()
  }
}

async function help() {
  const print = 'import { usage } from "./benchmarks/harness/options.ts"; console.log(usage)'
  return (await run("bun", ["--eval", print])).code
}

async function start() {
  try {
    return await startPostgres()
  } catch (error) {
    console.error(`The benchmark has no database. ${error.message}`)
    process.exit(1)
  }
}

/** Installs the peers where they are not what their lockfile says. */
async function ensurePeers() {
  const wanted = versions(join(folder, "package-lock.json"))
  const present = versions(join(folder, "node_modules", ".package-lock.json"))
  if (wanted !== "" && wanted === present) return true
  console.error("Installing the peers…")
  const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
  const npm = await run("npm", ["ci", ...options], { cwd: folder, capture: true })
  if (npm.code !== 0) console.error(`The peers do not install.\n${npm.output}`)
  return npm.code === 0
}

function versions(lockfile) {
  if (!existsSync(lockfile)) return ""
  const { packages } = JSON.parse(readFileSync(lockfile, "utf8"))
  return Object.entries(packages)
    .filter(([path]) => path !== "")
    .map(([path, { version }]) => `${path}@${version}`)
    .join("\n")
}
