/** A process of a contestant, as seen from outside. */
import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"
import process from "node:process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import type { Orders } from "./orders.ts"

export type Runtime = "bun" | "deno"

const root = fileURLToPath(new URL("../..", import.meta.url))
const script = "benchmarks/agent.ts"
const commands: Readonly<Record<Runtime, ReadonlyArray<string>>> = {
  bun: ["bun", "run", script],
  deno: ["deno", "run", "--allow-all", script],
}
const answerMillis = 240_000
const endMillis = 5_000
const living = new Set<AgentProcess>()

interface Call {
  readonly resolve: (result: any) => void
  readonly reject: (error: Error) => void
}

/** Ends every process that is left. */
export const killAll = (): void => {
  for (const agent of living) agent.kill()
}

export class AgentProcess {
  readonly #name: string
  readonly #child: ChildProcess
  readonly #calls = new Map<number, Call>()
  readonly #ended: Promise<void>
  #output = ""
  #next = 1

  private constructor(name: string, url: string, runtime: Runtime) {
    this.#name = name
    const [command, ...args] = commands[runtime] as [string, ...Array<string>]
    this.#child = spawn(join(root, "node_modules", ".bin", command), [...args, name, url], {
      cwd: root,
      env: { ...process.env, NODE_ENV: "production", NO_COLOR: "1" },
      stdio: ["pipe", "pipe", "pipe"],
    })
    living.add(this)
    createInterface({ input: this.#child.stdout! }).on("line", (line) => this.#onLine(line))
    this.#child.stderr!.setEncoding("utf8").on("data", (text) => this.#output += text)
    this.#child.stdin!.on("error", () => {})
    this.#ended = new Promise((resolve) => {
      const finish = (why: string) => {
        living.delete(this)
        const error = new Error(`${name} ${why}\n${this.#output.slice(-2000)}`)
        for (const call of this.#calls.values()) call.reject(error)
        this.#calls.clear()
        resolve()
      }
      this.#child.once("error", (error) => finish(`cannot be started: ${error.message}`))
      this.#child.once("close", (code, signal) => finish(`ended with ${signal ?? code}`))
    })
  }

  /** Starts one and waits until it takes orders. */
  static async start(name: string, url: string, runtime: Runtime = "bun"): Promise<AgentProcess> {
    const agent = new AgentProcess(name, url, runtime)
    await agent.#wait(0, "start")
    return agent
  }

  /** Gives an order and answers its result. */
  async tell<Order extends keyof Orders>(
    order: Order,
    ...[options]: Parameters<Orders[Order]>
  ): Promise<Awaited<ReturnType<Orders[Order]>>> {
    const id = this.#next++
    const answer = this.#wait(id, order)
    this.#child.stdin!.write(`${JSON.stringify({ id, order, options: options ?? {} })}\n`)
    return await answer
  }

  /** Ends the process. */
  async end(): Promise<void> {
    const timer = setTimeout(() => this.kill(), endMillis)
    this.#child.stdin!.end()
    await this.#ended
    clearTimeout(timer)
  }

  kill(): void {
    this.#child.kill("SIGKILL")
  }

  async #wait(id: number, order: string): Promise<any> {
    let timer: ReturnType<typeof setTimeout> | undefined
    try {
      return await new Promise((resolve, reject) => {
        this.#calls.set(id, { resolve, reject })
        timer = setTimeout(() => {
          const seconds = answerMillis / 1000
          reject(new Error(`${this.#name} did not finish "${order}" in ${seconds} seconds`))
        }, answerMillis)
      })
    } finally {
      clearTimeout(timer)
      this.#calls.delete(id)
    }
  }

  #onLine(line: string): void {
    if (!line.startsWith('{"answer":')) {
      this.#output += `${line}\n`
      return
    }
    const { answer, result, error } = JSON.parse(line)
    const call = this.#calls.get(answer)
    if (error === undefined) call?.resolve(result)
    else call?.reject(new Error(`${this.#name}: ${error}`))
  }
}
