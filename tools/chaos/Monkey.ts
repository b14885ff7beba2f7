/** Does harm at random, as a seed decides: what, to whom, and when. */
import postgres from "postgres"
import { setTimeout as sleep } from "node:timers/promises"
import type { PostgresServer } from "../scripts/postgres.mjs"
import type { Fleet } from "./Fleet.ts"

const acts = ["restart", "crash", "exhaust", "terminate", "pause", "kill"] as const

type Act = typeof acts[number]

/** How often each is chosen, after each was done once in their order. */
const weights: Readonly<Record<Act, number>> = {
  kill: 20,
  pause: 10,
  terminate: 5,
  exhaust: 2,
  restart: 1,
  crash: 1,
}

/** When the server was away or refused connections, in milliseconds since 1970. */
export interface Outage {
  readonly from: number
  readonly to: number
}

export class Monkey {
  readonly counts: Record<Act, number> = {
    kill: 0,
    pause: 0,
    terminate: 0,
    exhaust: 0,
    restart: 0,
    crash: 0,
  }
  readonly outages: Array<Outage> = []
  readonly #server: PostgresServer
  readonly #fleet: Fleet
  readonly #leaseMillis: number
  readonly #workers: number
  #state: number

  constructor(
    server: PostgresServer,
    fleet: Fleet,
    options: { readonly seed: number; readonly leaseMillis: number; readonly workers: number },
  ) {
    this.#server = server
    this.#fleet = fleet
    this.#state = options.seed
    this.#leaseMillis = options.leaseMillis
    this.#workers = options.workers
  }

  /** Goes on until an instant, and mends what can be mended then. */
  async rage(until: number): Promise<void> {
    const first: Array<Act> = [...acts]
    while (Date.now() < until) {
      await sleep(500 + this.#random() * 2500)
      await this.#do(first.shift() ?? this.#choose())
      this.#fleet.refill(this.#workers)
    }
    this.#fleet.refill(this.#workers)
  }

  async #do(act: Act): Promise<void> {
    this.counts[act]++
    const running = this.#fleet.running()
    const victim = running[Math.floor(this.#random() * running.length)]
    switch (act) {
      case "kill":
        return victim && this.#fleet.kill(victim)
      case "pause": {
        if (victim === undefined) return
        this.#fleet.pause(victim)
        await sleep(this.#leaseMillis * (1.2 + this.#random()))
        return this.#fleet.resume(victim)
      }
      case "terminate":
        return await this.#terminate(1 + Math.floor(this.#random() * 5))
      case "exhaust":
        return await this.#away(() => this.#exhaust())
      case "restart":
      case "crash": {
        const mode = act === "crash" ? "immediate" : "fast"
        const downMillis = Math.round(this.#random() * 3000)
        return await this.#away(() => this.#server.restart({ mode, downMillis }))
      }
    }
  }

  async #away(harm: () => Promise<void>): Promise<void> {
    const from = Date.now()
    await harm()
    this.outages.push({ from, to: Date.now() })
  }

  async #terminate(count: number): Promise<void> {
    const sql = postgres(this.#server.url, { max: 1, onnotice: () => {} })
    try {
      await sql`
        select pg_terminate_backend(pid) from (
          select pid from pg_stat_activity
          where pid <> pg_backend_pid() and backend_type = 'client backend'
          order by md5(pid::text || ${String(this.#state)}) limit ${count}
        ) victims`
    } finally {
      await sql.end()
    }
  }

  /** Takes every connection that there is, for some seconds. */
  async #exhaust(): Promise<void> {
    const clients = Array.from(
      { length: 110 },
      () => postgres(this.#server.url, { max: 1, onnotice: () => {}, connect_timeout: 5 }),
    )
    const taken = await Promise.allSettled(clients.map((sql) => sql`select 1`))
    if (taken.every(({ status }) => status === "fulfilled")) {
      throw new Error("The server still takes connections: it is not the throw-away one")
    }
    await sleep(2000)
    await Promise.allSettled(clients.map((sql) => sql.end({ timeout: 1 })))
  }

  #choose(): Act {
    const total = acts.reduce((sum, act) => sum + weights[act], 0)
    let left = this.#random() * total
    for (const act of acts) if ((left -= weights[act]) < 0) return act
    return "kill"
  }

  // A linear congruential generator (Numerical Recipes): good enough to choose whom to hit.
  #random(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0
    return this.#state / 2 ** 32
  }
}
