/** The database server: what it is, databases in it, and what it costs. */
import { readdirSync, readFileSync } from "node:fs"
import postgres from "postgres"

const shown = [
  "fsync",
  "synchronous_commit",
  "full_page_writes",
  "wal_level",
  "autovacuum",
  "shared_buffers",
  "max_wal_size",
  "work_mem",
  "jit",
]

// https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
const ticksPerSecond = 100
const statFields = { parent: 1, user: 11, system: 12, childrenUser: 13, childrenSystem: 14 }

export class Server {
  readonly #url: string
  readonly #pid: number | undefined
  readonly #client: postgres.Sql
  #databases = 0

  constructor(url: string, pid: number | undefined) {
    this.#url = url
    this.#pid = pid
    this.#client = postgres(url, { max: 1, onnotice: () => undefined, connect_timeout: 5 })
  }

  /** Refuses a server that could lose what it has promised. */
  async checkDurable(): Promise<void> {
    const settings = await this.settings()
    for (const name of ["fsync", "synchronous_commit", "full_page_writes"]) {
      if (settings[name] !== "on") throw new Error(`The server must have "${name}" on`)
    }
  }

  async settings(): Promise<Readonly<Record<string, string>>> {
    const rows = await this.#client`
      select name, current_setting(name) as value from pg_settings where name = any(${shown})`
    return Object.fromEntries(rows.map((row) => [row["name"], row["value"]]))
  }

  async version(): Promise<string> {
    const [row] = await this.#client`select current_setting('server_version') as version`
    return row!["version"]
  }

  /** Creates a database, by default an empty one, and answers its URL. */
  async create(name: string, template = "template0"): Promise<string> {
    await this.drop(name)
    await this.#client.unsafe(
      `create database ${quoted(name)} template ${quoted(template)} strategy file_copy`,
    )
    return this.urlOf(name)
  }

  urlOf(name: string): string {
    const url = new URL(this.#url)
    url.pathname = `/${name}`
    return url.href
  }

  freshName(): string {
    return `millrace_bench_${process.pid}_${++this.#databases}`
  }

  async drop(name: string): Promise<void> {
    await this.#client.unsafe(`drop database if exists ${quoted(name)} with (force)`)
  }

  /** Runs SQL in a database of its own connection. */
  async query(url: string, text: string): Promise<ReadonlyArray<Record<string, any>>> {
    const client = postgres(url, { max: 1, onnotice: () => undefined })
    try {
      return await client.unsafe(text)
    } finally {
      await client.end()
    }
  }

  /** Keeps a snapshot open, as a long report or a dump does; answers what ends it. */
  async holdSnapshot(url: string): Promise<() => Promise<void>> {
    const client = postgres(url, { max: 1, onnotice: () => undefined })
    await client.unsafe("begin isolation level repeatable read; select count(*) from pg_class")
    return () => client.end({ timeout: 0 })
  }

  /** Lets every measurement begin with nothing left to write. */
  async settle(): Promise<void> {
    await this.#client`checkpoint`
  }

  async walBytes(): Promise<number> {
    const [row] = await this.#client`select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') as at`
    return Number(row!["at"])
  }

  /** Transactions that a database has seen. */
  async transactions(database: string): Promise<number> {
    const [row] = await this.#client`
      select xact_commit + xact_rollback as n from pg_stat_database where datname = ${database}`
    return Number(row!["n"])
  }

  /** CPU seconds of all the server's processes, where they run here and can be seen. */
  cpuSeconds(): number | undefined {
    if (this.#pid === undefined) return undefined
    try {
      return cpuOf(this.#pid)
    } catch {
      return undefined
    }
  }

  async close(): Promise<void> {
    await this.#client.end()
  }
}

const quoted = (name: string) => `"${name}"`

/** Of a process with what its ended children took, and of its living children. */
const cpuOf = (pid: number): number => {
  let ticks = 0
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue
    const fields = statOf(entry)
    if (fields === undefined) continue
    const own = entry === String(pid)
    if (!own && fields[statFields.parent] !== pid) continue
    ticks += fields[statFields.user]! + fields[statFields.system]!
    if (own) ticks += fields[statFields.childrenUser]! + fields[statFields.childrenSystem]!
  }
  return ticks / ticksPerSecond
}

const statOf = (pid: string): ReadonlyArray<number> | undefined => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8")
    // The name, in parentheses, may hold anything. After it come the state and numbers.
    return text.slice(text.lastIndexOf(")") + 2).split(" ").map(Number)
  } catch {
    // It ended meanwhile.
    return undefined
  }
}
