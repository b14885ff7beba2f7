/**
 * One process at a time for a folder: a lock file that names the process, taken over from one that
 * is dead.
 *
 * @since 0.1.0
 */
import { DriverError } from "@millrace/core"
import { Effect, type Scope } from "effect"
import { randomBytes } from "node:crypto"
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"

/** The name of the file.
 * @category constants
 * @since 0.1.0 */
export const fileName = "millrace.lock"

/**
 * Holds the lock of a folder, which is made where it is missing, until the scope ends.
 *
 * @category constructors
 * @since 0.1.0
 */
export const acquire = (
  directory: string,
): Effect.Effect<void, DriverError, Scope.Scope> =>
  Effect.asVoid(Effect.acquireRelease(
    Effect.try({
      try: () => lock(directory),
      catch: (error) => error instanceof DriverError ? error : unusable(directory, error),
    }),
    (owner) => Effect.sync(() => release(directory, owner)),
  ))

const tries = 200
const pauseMillis = 5

const lock = (directory: string): string => {
  mkdirSync(directory, { recursive: true })
  const nonce = randomBytes(8).toString("hex")
  const owner = JSON.stringify({ pid: process.pid, started: startOf(process.pid), nonce })
  const path = join(directory, fileName)
  const draft = `${path}.${nonce}.draft`
  // Written first and then linked: a lock file is complete from its first moment.
  writeFileSync(draft, owner, { flag: "wx", mode: 0o600 })
  try {
    for (let nth = 1; nth <= tries; nth++) {
      const holder = take(path, draft)
      if (holder === undefined) return owner
      if (holder !== "changing") {
        throw DriverError.rejected(`open "${directory}"`, `process ${holder.pid} has it open`)
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMillis)
    }
    throw DriverError.unavailable(`open "${directory}"`, "other processes are opening it, too")
  } finally {
    rmSync(draft, { force: true })
  }
}

/**
 * Takes a lock, or says who has it. A stale one is removed by who holds a second lock that is named
 * after it, so that of two that find it the slower one cannot remove what the faster one has put in
 * its place.
 */
const take = (path: string, draft: string): Holder | "changing" | undefined => {
  if (linked(draft, path)) return undefined
  const holder = holderOf(path)
  if (holder === undefined) return "changing"
  if (isAlive(holder)) return holder
  const removal = `${path}.${holder.nonce}`
  if (take(removal, draft) !== undefined) return "changing"
  if (holderOf(path)?.text === holder.text) rmSync(path, { force: true })
  rmSync(removal, { force: true })
  return linked(draft, path) ? undefined : "changing"
}

interface Holder {
  readonly pid: number
  readonly started: string | null
  readonly nonce: string
  readonly text: string
}

const linked = (draft: string, path: string): boolean => {
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false
    throw error
  }
}

const holderOf = (path: string): Holder | undefined => {
  try {
    const text = readFileSync(path, "utf8")
    return { ...parsed(text), text }
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined
    throw error
  }
}

// What cannot be read was written by nobody that lives.
const parsed = (text: string): Omit<Holder, "text"> => {
  try {
    const { pid, started, nonce } = JSON.parse(text) as Omit<Holder, "text">
    return { pid, started, nonce: /^[0-9a-f]{1,64}$/.test(nonce) ? nonce : "unknown" }
  } catch {
    return { pid: 0, started: null, nonce: "unknown" }
  }
}

const isAlive = ({ pid, started }: Holder): boolean => {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (codeOf(error) !== "EPERM") return false
  }
  // Numbers of processes are used again, after a restart of a container above all.
  const now = startOf(pid)
  return started === null || now === null || started === now
}

// Where the system says it (Linux), when a process began.
const startOf = (pid: number): string | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null
  } catch {
    return null
  }
}

const release = (directory: string, owner: string): void => {
  const path = join(directory, fileName)
  try {
    if (readFileSync(path, "utf8") === owner) rmSync(path, { force: true })
  } catch {
    // It is gone, or another's: either way it is not ours to remove.
  }
}

const unusable = (directory: string, error: unknown): DriverError =>
  DriverError.rejected(
    `open "${directory}"`,
    `the folder cannot be made or written to (${codeOf(error) ?? "unknown"})`,
  )

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error ? String(error.code) : undefined
