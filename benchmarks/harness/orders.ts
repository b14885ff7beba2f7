/** What an agent can be told to do. */
import process from "node:process"
import { setTimeout as sleep } from "node:timers/promises"
import type { Contestant, Kind, Payload, Session, Working } from "../model.ts"
import { payloadOf } from "../model.ts"

/** What a measured order answers. */
export interface Measured {
  readonly seconds: number
  readonly cpu: number
}

export interface Drained extends Measured {
  /** Different jobs that ran, and runs beyond the first of each. */
  readonly ran: number
  readonly repeated: number
  /** Seconds from the start until each 10,000th run. */
  readonly marks: ReadonlyArray<number>
}

export type Mode = "one" | "many" | "within"

export interface Enqueue {
  readonly mode: Mode
  readonly count: number
  /** Calls at a time. */
  readonly callers: number
  readonly kind?: Kind
  readonly from?: number
}

export interface Drain {
  readonly count: number
  readonly traced?: boolean
}

export type Orders = ReturnType<typeof make>

const concurrency = 24
const markEvery = 10_000
const bulk = 1000
const patienceMillis = 20_000

export const make = (contestant: Contestant, url: string) => {
  let opened: Promise<Session> | undefined
  let tally: Tally | undefined
  let working: Working | undefined
  const session = () => opened ??= contestant.open(url)

  const start = async ({ count, traced = false }: Drain) => {
    const { work } = await session()
    if (work === undefined) throw new Error("It has no worker")
    tally = new Tally(count)
    const current = tally
    working = await work((payload) => current.add(payload), { concurrency, traced })
    return {}
  }
  const stop = async () => {
    await working?.stop()
    working = undefined
    return { ran: tally?.ran ?? 0, repeated: tally?.repeated ?? 0 }
  }

  return {
    setup: () => contestant.setup(url),
    facts: async () =>
      await Promise.resolve({
        configuration: contestant.configuration,
        waiting: contestant.waiting,
        history: contestant.history,
      }),
    enqueue: async (options: Enqueue): Promise<Measured> => {
      const opened = await session()
      return measured(() => enqueueAll(opened, options))
    },
    drain: async (options: Drain): Promise<Drained> => {
      await session()
      const measure = await measured(async () => {
        await start(options)
        await tally!.completed()
        await stop()
      })
      const { ran, repeated, marks } = tally!
      return { ...measure, ran, repeated, marks }
    },
    work: start,
    stop,
    ran: () => Promise.resolve(tally?.ran ?? 0),
    latency: async ({ samples, gapMillis }: { samples: number; gapMillis: number }) => {
      const worker = await contestant.open(url)
      try {
        return await latencies(await session(), worker, samples, gapMillis)
      } finally {
        await worker.close()
      }
    },
    usage: async () => {
      ;(globalThis as { Bun?: { gc: (force: boolean) => void } }).Bun?.gc(true)
      await sleep(200)
      const { user, system } = process.cpuUsage()
      return { cpu: (user + system) / 1e6, rss: process.memoryUsage().rss }
    },
    close: async (_: object) => {
      await stop()
      await (await opened)?.close()
      opened = undefined
    },
  }
}

const measured = async (run: () => Promise<unknown>): Promise<Measured> => {
  const cpu = process.cpuUsage()
  const began = performance.now()
  await run()
  const seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(cpu)
  return { seconds, cpu: (user + system) / 1e6 }
}

/** Counts which jobs ran. */
class Tally {
  readonly #seen: Uint8Array
  readonly #began = performance.now()
  readonly marks: Array<number> = []
  readonly #complete: Promise<void>
  #resolve = () => {}
  ran = 0
  repeated = 0

  constructor(count: number) {
    this.#seen = new Uint8Array(count)
    this.#complete = new Promise((resolve) => this.#resolve = resolve)
  }

  /** Waits until every job ran; rejects where none has for so long that some must be lost. */
  async completed(): Promise<void> {
    let before = 0
    while (await Promise.race([this.#complete.then(() => false), sleep(patienceMillis, true)])) {
      if (this.ran === before) {
        const seconds = patienceMillis / 1000
        throw new Error(`Of ${this.#seen.length} jobs ${this.ran} ran, then none for ${seconds} s`)
      }
      before = this.ran
    }
  }

  add({ n }: Payload): void {
    if (this.#seen[n] !== 0) {
      this.repeated++
      return
    }
    this.#seen[n] = 1
    this.ran++
    if (this.ran % markEvery === 0) this.marks.push((performance.now() - this.#began) / 1000)
    if (this.ran === this.#seen.length) this.#resolve()
  }
}

const enqueueAll = async (session: Session, options: Enqueue): Promise<void> => {
  const { mode, count, callers, kind = "due", from = 0 } = options
  let next = from
  const end = from + count
  const step = mode === "many" ? bulk : 1
  const call = callOf(session, mode, kind)
  const caller = async () => {
    while (next < end) {
      const first = next
      next = Math.min(end, next + step)
      await call(Array.from({ length: next - first }, (_, index) => payloadOf(first + index)))
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
}

const callOf = (session: Session, mode: Mode, kind: Kind) => {
  const { enqueue, enqueueMany, enqueueWithin } = session
  if (mode === "one") return ([payload]: ReadonlyArray<Payload>) => enqueue(payload!)
  if (mode === "many" && enqueueMany !== undefined) {
    return (payloads: ReadonlyArray<Payload>) => enqueueMany(payloads, kind)
  }
  if (mode === "within" && enqueueWithin !== undefined) {
    return ([payload]: ReadonlyArray<Payload>) => enqueueWithin(payload!)
  }
  throw new Error(`It cannot enqueue "${mode}"`)
}

// One process for both sides, so that there is one clock; two sessions, so that nothing is shared.
const latencies = async (
  session: Session,
  worker: Session,
  samples: number,
  gapMillis: number,
): Promise<ReadonlyArray<number>> => {
  if (worker.work === undefined) throw new Error("It has no worker")
  const warmups = 20
  const found: Array<number> = []
  let started: (n: number) => void = () => {}
  const working = await worker.work((payload) => started(payload.n), { concurrency, traced: false })
  for (let n = 0; n < samples + warmups; n++) {
    await sleep(gapMillis * (0.5 + Math.random()))
    const began = performance.now()
    const millis = await new Promise<number>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`Job ${n} did not start`)), patienceMillis)
      started = (other) => {
        if (other !== n) return
        clearTimeout(timer)
        resolve(performance.now() - began)
      }
      session.enqueue(payloadOf(n)).catch(reject)
    })
    if (n >= warmups) found.push(millis)
  }
  await working.stop()
  return found
}
