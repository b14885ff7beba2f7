/**
 * One simulated run of one seed.
 *
 * @since 0.1.0
 */
import { Driver, type DriverError, type Job, RunId, Transaction, Worker } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import {
  Cause,
  Clock,
  Context,
  Effect,
  Exit,
  type Fiber,
  Layer,
  Metric,
  Random,
  References,
  Scheduler,
} from "effect"
import { make as seeded, type Seeded } from "../model/Seeded.ts"
import { type Faults, Plan } from "./Faults.ts"
import { Ledger } from "./Ledger.ts"
import { Storage } from "./Network.ts"
import { Trace } from "./Trace.ts"
import { Host, World } from "./World.ts"

/**
 * What is simulated, with the user's state already made.
 *
 * @category models
 * @since 0.1.0
 */
export interface Scenario {
  readonly worker: Worker.Options<
    ReadonlyArray<Job.AnyHandled<Driver.Driver | Transaction.Transactions>>
  >
  readonly workers: number
  readonly faults: Faults
  readonly durationMillis: number
  /** How long the runs may take to end, once faults no longer strike. */
  readonly patienceMillis: number
  readonly load: Effect.Effect<
    unknown,
    unknown,
    Driver.Driver | Transaction.Transactions
  >
  /** By name: what is wrong, or `undefined`. */
  readonly invariants: Readonly<Record<string, () => string | undefined>>
}

/**
 * What a seed came to.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ending {
  /** What must not be, in a sentence; `undefined` where all went well. */
  readonly broken: string | undefined
  readonly trace: Trace
  readonly simulatedMillis: number
  readonly steps: number
  /** How many faults were drawn. */
  readonly faults: number
}

const maxSteps = 50_000_000

/** Simulates one seed, without the faults whose numbers are to be skipped.
 * @category running
 * @since 0.1.0 */
export const simulate = (scenario: Scenario, seed: number, skip: ReadonlySet<number>): Ending =>
  new Simulated(scenario, seed, skip).run()

class Simulated {
  readonly #scenario: Scenario
  readonly #choices: Seeded
  readonly #world: World
  readonly #plan: Plan
  readonly #trace = new Trace()
  readonly #ledger = new Ledger()
  readonly #storage: Storage
  /** Strikes with crashes and pauses, and never sleeps itself. */
  readonly #fate = new Host("fate", 0)
  readonly #hosts = new Map<number, Host>()
  readonly #fibers = new Map<Host, Fiber.Fiber<unknown, unknown>>()
  #loaded: Exit.Exit<unknown, unknown> | undefined

  constructor(scenario: Scenario, seed: number, skip: ReadonlySet<number>) {
    this.#scenario = scenario
    this.#choices = seeded(seed)
    this.#world = new World(seeded(seed ^ 0x51ed270b))
    this.#plan = new Plan(scenario.faults, seeded(seed ^ 0x2545f491), skip)
    const server = new Host("storage", 0)
    const memory = Effect.runSyncWith(this.#contextOf(server))(MemoryDriver.open)
    this.#storage = new Storage({
      world: this.#world,
      memory,
      context: (host) => this.#contextOf(host),
      plan: this.#plan,
      ledger: this.#ledger,
      trace: this.#trace,
    })
  }

  run(): Ending {
    for (let number = 1; number <= this.#scenario.workers; number++) {
      this.#start(number)
      this.#plague(number, "crash")
      this.#plague(number, "pause")
    }
    this.#load()
    let broken: string | undefined
    while (broken === undefined && !this.#hasEnded()) {
      broken = this.#step()
    }
    return {
      broken,
      trace: this.#trace,
      simulatedMillis: this.#world.now,
      steps: this.#world.steps,
      faults: this.#plan.struck,
    }
  }

  #step(): string | undefined {
    const { durationMillis, patienceMillis, invariants } = this.#scenario
    if (this.#plan.active && this.#world.now >= durationMillis) this.#calm()
    if (!this.#world.step()) return "Nothing can ever run again, and not all runs have ended"
    if (this.#ledger.broken !== undefined) return this.#ledger.broken
    if (this.#loaded !== undefined && Exit.isFailure(this.#loaded)) {
      return `The load failed: ${Cause.pretty(this.#loaded.cause).split("\n")[0]}`
    }
    for (const name in invariants) {
      const wrong = checked(invariants[name]!)
      if (wrong !== undefined) return `${name}: ${wrong}`
    }
    if (this.#world.now > durationMillis + patienceMillis || this.#world.steps > maxSteps) {
      return `Not all runs end: ${this.#ledger.firstOpen() ?? "the load does not"}`
    }
    return undefined
  }

  #hasEnded(): boolean {
    return !this.#plan.active && this.#loaded !== undefined && this.#ledger.open === 0
  }

  /** From now on nothing goes wrong: what was accepted has to end. */
  #calm(): void {
    this.#plan.active = false
    for (const host of this.#hosts.values()) this.#world.resume(host)
  }

  #start(number: number): void {
    const host = new Host(`worker ${number}`, Math.round(this.#plan.skew()))
    this.#hosts.set(number, host)
    const driver = Layer.merge(
      Layer.succeed(Driver.Driver, this.#storage.driverOf(host, false)),
      Layer.succeed(Transaction.Transactions, this.#storage.transactionsOf(host, false)),
    )
    const { worker } = this.#scenario
    const served = Effect.scoped(Effect.andThen(
      Layer.build(Layer.provide(Worker.layer(worker), driver)),
      Effect.never,
    )) as Effect.Effect<never, DriverError>
    const fiber = Effect.runForkWith(this.#contextOf(host))(served)
    this.#fibers.set(host, fiber)
    fiber.addObserver(() => {
      // A worker that cannot start is started again, as whatever runs workers does.
      this.#trace.add(this.#world.now, host.name, "cannot start")
      this.#world.crash(host)
      this.#world.after(this.#fate, restartMillis, () => this.#start(number))
    })
  }

  #plague(number: number, kind: "crash" | "pause"): void {
    const millis = this.#plan.next(kind)
    if (millis === Infinity) return
    this.#world.after(this.#fate, millis, () => {
      const host = this.#hosts.get(number)!
      if (host.state === "alive" && this.#plan.strikes()) this.#strike(number, host, kind)
      if (this.#plan.active) this.#plague(number, kind)
    })
  }

  #strike(number: number, host: Host, kind: "crash" | "pause"): void {
    this.#trace.add(this.#world.now, host.name, kind === "crash" ? "crashes" : "is paused")
    const millis = this.#plan.between(1000, kind === "crash" ? 60_000 : 90_000)
    if (kind === "crash") {
      this.#world.crash(host)
      this.#world.after(this.#fate, millis, () => this.#start(number))
    } else {
      this.#world.pause(host)
      this.#world.after(this.#fate, millis, () => this.#world.resume(host))
    }
  }

  #load(): void {
    const host = new Host("client", 0)
    const driver = this.#storage.driverOf(host, true)
    const load = this.#scenario.load.pipe(
      Effect.provideService(Driver.Driver, driver),
      Effect.provideService(
        Transaction.Transactions,
        this.#storage.transactionsOf(host, true),
      ),
    )
    Effect.runForkWith(this.#contextOf(host))(load).addObserver((exit) => {
      this.#loaded = exit
    })
  }

  #contextOf(host: Host): Context.Context<never> {
    const bytes = (size: number) =>
      Uint8Array.from({ length: size }, () => this.#choices.below(256))
    return Context.empty().pipe(
      Context.add(Clock.Clock, this.#world.clock(host)),
      Context.add(Scheduler.Scheduler, this.#world.scheduler(host)),
      Context.add(Random.Random, {
        nextIntUnsafe: () => this.#choices.below(2 ** 32) - 2 ** 31,
        nextDoubleUnsafe: () => this.#choices.below(2 ** 32) / 2 ** 32,
      }),
      Context.add(RunId.RunIds, RunId.fromBytes(bytes)),
      Context.add(References.CurrentLoggers, new Set()),
      Context.add(Metric.MetricRegistry, new Map()),
    ) as Context.Context<never>
  }
}

const restartMillis = 1000

const checked = (invariant: () => string | undefined): string | undefined => {
  try {
    return invariant()
  } catch (error) {
    return `it threw ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`
  }
}
