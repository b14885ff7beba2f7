/** What workloads measure with. */
import type { Sample } from "../model.ts"
import { AgentProcess, type Runtime } from "./agent-process.ts"
import type { Measured } from "./orders.ts"
import type { Server } from "./server.ts"

export interface Settings {
  readonly quick: boolean
  readonly rounds: number
  /** The peers that take part. */
  readonly peers: ReadonlyArray<string>
}

/** A contestant's own database. */
export interface Place {
  readonly contestant: string
  readonly database: string
  readonly url: string
}

export interface PlaceOptions {
  readonly contestant: string
  /** Whether the tables are never analyzed, by anybody. */
  readonly neverAnalyzed?: boolean
  /** Another place to start with a copy of. */
  readonly copyOf?: Place
}

/** Something to be measured in each round. */
export interface Entry {
  readonly name: string
  readonly run: () => Promise<Sample>
}

export class Bench {
  readonly server: Server
  readonly settings: Settings
  readonly #templates = new Map<string, Promise<string>>()
  readonly #facts = new Map<string, Facts>()

  constructor(server: Server, settings: Settings) {
    this.server = server
    this.settings = settings
  }

  /** How the contestants that took part were set up. */
  get configurations(): ReadonlyMap<string, string> {
    return new Map([...this.#facts].map(([name, { configuration }]) => [name, configuration]))
  }

  /** A figure for a full run, or a quick one. */
  size(full: number, quick: number): number {
    return this.settings.quick ? quick : full
  }

  /** The peers that take part, of some. */
  peersOf(names: ReadonlyArray<string>): ReadonlyArray<string> {
    return names.filter((name) => this.settings.peers.includes(name))
  }

  /** Measures all in turn, in another order each round. */
  async alternate(entries: ReadonlyArray<Entry>, rounds = this.settings.rounds) {
    const samples = entries.map((): Array<Sample> => [])
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < entries.length; turn++) {
        const index = (turn + round) % entries.length
        const { name, run } = entries[index]!
        const sample = await run()
        samples[index]!.push(sample)
        progress(`  ${name}: ${Math.round(sample.value * 100) / 100}`)
      }
    }
    return entries.map(({ name }, index) => ({ name, samples: samples[index]! }))
  }

  /** Lends a database with the contestant's empty tables. */
  async within<A>(options: PlaceOptions, use: (place: Place) => Promise<A>): Promise<A> {
    const { contestant, copyOf, neverAnalyzed = false } = options
    const template = copyOf?.database ?? await this.#template(contestant)
    const database = this.server.freshName()
    const url = await this.server.create(database, template)
    try {
      if (neverAnalyzed) await this.server.query(url, leaveAlone)
      return await use({ contestant, database, url })
    } finally {
      await this.server.drop(database)
    }
  }

  /** Lends a process of the contestant. */
  async agent<A>(
    { contestant, url }: Place,
    use: (agent: AgentProcess) => Promise<A>,
    runtime?: Runtime,
  ): Promise<A> {
    const agent = await AgentProcess.start(contestant, url, runtime)
    try {
      return await use(agent)
    } finally {
      await agent.end()
    }
  }

  /** Measures an order, and what it costs the server. */
  async measure<M extends Measured>(jobs: number, order: () => Promise<M>): Promise<M & Sample> {
    await this.server.settle()
    const walBefore = await this.server.walBytes()
    const cpuBefore = this.server.cpuSeconds()
    const measured = await order()
    const cpuAfter = this.server.cpuSeconds()
    return {
      ...measured,
      value: jobs / measured.seconds,
      jobs,
      workerCpu: measured.cpu,
      serverCpu: cpuBefore === undefined || cpuAfter === undefined
        ? undefined
        : cpuAfter - cpuBefore,
      walBytes: await this.server.walBytes() - walBefore,
    }
  }

  /** Stores jobs, as fast as the contestant can. */
  async fill(place: Place, count: number): Promise<void> {
    await this.agent(place, async (agent) => {
      const bulk = !slowFill.includes(place.contestant)
      await agent.tell(
        "enqueue",
        bulk ? { mode: "many", count, callers: 2 } : { mode: "one", count, callers: 24 },
      )
    })
    await this.check(place, { waiting: count })
  }

  /** Fails where the tables do not hold what they should. */
  async check(place: Place, expected: { waiting: number; history?: number }): Promise<void> {
    await this.#template(place.contestant)
    const { waiting, history } = this.#facts.get(place.contestant)!
    await this.#compare(place, "waiting jobs", waiting, expected.waiting)
    if (history !== undefined && expected.history !== undefined) {
      await this.#compare(place, "attempts in the history", history, expected.history)
    }
  }

  async close(): Promise<void> {
    for (const template of this.#templates.values()) {
      await template.then((name) => this.server.drop(name)).catch(() => undefined)
    }
  }

  async #compare(place: Place, what: string, text: string, expected: number) {
    const [row] = await this.server.query(place.url, text)
    const found = Number(Object.values(row!)[0])
    if (found !== expected) {
      throw new Error(`${place.contestant}: expected ${expected} ${what}, found ${found}`)
    }
  }

  #template(contestant: string): Promise<string> {
    const existing = this.#templates.get(contestant)
    if (existing !== undefined) return existing
    const made = this.#makeTemplate(contestant)
    this.#templates.set(contestant, made)
    return made
  }

  async #makeTemplate(contestant: string): Promise<string> {
    const database = this.server.freshName()
    const url = await this.server.create(database)
    const place = { contestant, database, url }
    await this.agent(place, async (agent) => {
      this.#facts.set(contestant, await agent.tell("facts"))
      await agent.tell("setup")
    })
    return database
  }
}

interface Facts {
  readonly configuration: string
  readonly waiting: string
  readonly history: string | undefined
}

const slowFill = ["PersistedQueue"]

const leaveAlone = `do $$
declare t regclass;
begin
  for t in select c.oid::regclass from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
  loop
    execute format('alter table %s set (autovacuum_enabled = false)', t);
  end loop;
end $$`

/** Tells the person who waits what was just measured. */
export const progress = (text: string): void => {
  process.stderr.write(`${text}\n`)
}
