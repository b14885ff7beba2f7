/** The worker processes, on Bun and on Deno in turn. */
import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"
import process from "node:process"

/** A process, and what befell it. */
export interface Member {
  readonly name: string
  readonly child: ChildProcess
  state: "running" | "paused" | "killed" | "stopping" | "exited"
}

/** Since when a process did not answer for its tasks, in milliseconds since 1970. */
export type Losses = Map<string, number>

const bin = join(import.meta.dirname!, "../../node_modules/.bin")
const script = join(import.meta.dirname!, "worker.ts")

export class Fleet {
  readonly losses: Losses = new Map()
  readonly starts = { bun: 0, deno: 0 }
  /** Workers that ended by themselves, which they never should. */
  readonly deserters: Array<string> = []
  readonly #members: Array<Member> = []
  readonly #url: string
  readonly #leaseMillis: number

  constructor(url: string, leaseMillis: number) {
    this.#url = url
    this.#leaseMillis = leaseMillis
    process.on("exit", () => this.#killAll())
  }

  start(): void {
    const number = this.starts.bun + this.starts.deno + 1
    const onBun = number % 2 === 1
    this.starts[onBun ? "bun" : "deno"]++
    const name = `chaos_${number}`
    const args = [script, this.#url, name, String(this.#leaseMillis)]
    const child = onBun
      ? spawn(join(bin, "bun"), ["run", ...args], { stdio: ["ignore", "pipe", "pipe"] })
      : spawn(join(bin, "deno"), ["run", "--allow-all", "--no-check", ...args], {
        stdio: ["ignore", "pipe", "pipe"],
      })
    const member: Member = { name, child, state: "running" }
    this.#members.push(member)
    let complaint = ""
    child.stderr!.setEncoding("utf8").on(
      "data",
      (text) => complaint = (complaint + text).slice(0, 2000),
    )
    let serves = false
    child.stdout!.on("data", () => serves = true)
    child.once("exit", (code) => {
      // One that begins while the server is away says so and ends; whatever runs it starts it again.
      if (member.state === "running" && (serves || code !== 1)) {
        this.deserters.push(`${name} ended with ${code}: ${complaint}`)
      }
      member.state = "exited"
    })
  }

  running(): ReadonlyArray<Member> {
    return this.#members.filter(({ state }) => state === "running")
  }

  /** Starts as many as are missing. */
  refill(count: number): void {
    const alive = this.#members.filter(({ state }) => state === "running" || state === "paused")
    for (let missing = count - alive.length; missing > 0; missing--) this.start()
  }

  kill(member: Member): void {
    member.state = "killed"
    this.losses.set(member.name, Date.now())
    member.child.kill("SIGKILL")
  }

  pause(member: Member): void {
    member.state = "paused"
    this.losses.set(member.name, Date.now())
    member.child.kill("SIGSTOP")
  }

  resume(member: Member): void {
    if (member.state !== "paused") return
    member.state = "running"
    member.child.kill("SIGCONT")
  }

  /** Stops all in good order; answers the exit codes that are not 0. */
  async stop(): Promise<ReadonlyArray<string>> {
    const wrong: Array<string> = []
    await Promise.all(
      this.running().map((member) => {
        const ended = new Promise<void>((resolve) =>
          member.child.once("exit", (code) => {
            if (code !== 0) wrong.push(`${member.name} stopped with ${code}`)
            resolve()
          })
        )
        member.state = "stopping"
        member.child.kill("SIGTERM")
        return ended
      }),
    )
    return wrong
  }

  #killAll(): void {
    for (const { child, state } of this.#members) if (state !== "exited") child.kill("SIGKILL")
  }
}
