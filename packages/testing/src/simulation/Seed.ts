/**
 * One simulated run of one seed.
 *
 * @since 0.1.0
 */
import { type DriverError, type Flow, type Job, Worker } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Cause, type Context, Effect, Exit, type Fiber, Layer } from "effect"
import { make as seeded, type Seeded } from "../model/Seeded.ts"
import { attemptOf, culpritOf } from "./Culprit.ts"
import { type Faults, Plan } from "./Faults.ts"
import { contextOf } from "./Context.ts"
import * as Guards from "./Guards.ts"
import { answerOf } from "./Invariant.ts"
import { Ledger } from "./Ledger.ts"
import { type Provided, Storage } from "./Network.ts"
import { Trace } from "./Trace.ts"
import { Host } from "./Turn.ts"
import { World } from "./World.ts"

type Jobs = ReadonlyArray<Job.AnyHandled<Provided>>

/**
 * What is simulated, with the user's state already made.
 *
 * @category models
 * @since 0.1.0
 */
export interface Scenario {
  readonly worker: Worker.Options<Jobs, ReadonlyArray<Flow.AnyHandledFlow<Provided>>>
  readonly workers: number
  readonly faults: Faults
  readonly durationMillis: number
  /** How long the runs may take to end, once faults no longer strike. */
  readonly patienceMillis: number
  readonly load: Effect.Effect<unknown, unknown, Provided>
  /** By name: what is wrong, or `undefined`. */
  readonly invariants: ReadonlyArray<readonly [name: string, check: () => string | undefined]>
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
  /** The task that ran when it broke, as the trace calls it. */
  readonly task: string | undefined
  readonly trace: Trace
  readonly simulatedMillis: number
  readonly steps: number
  /** How many faults were drawn. */
  readonly faults: number
}

const maxSteps = 50_000_000

/** So much is never done at one instant, unless it never ends. */
const maxStepsAtOnce = 500_000

/**
 * Simulates one seed, without the faults whose numbers are to be skipped.
 *
 * **Details**
 *
 * The scenario is made anew, and like all of the run under guards: a real clock or real chance in
 * it is what is broken.
 *
 * @category running
 * @since 0.1.0
 */
export const simulate = (
  scenario: () => Scenario,
  seed: number,
  skip: ReadonlySet<number>,
): Ending => {
  let simulated: Simulated | undefined
  let early: string | undefined
  const report: Guards.Report = (name, instead) => {
    if (simulated !== undefined) return simulated.refuse(name, instead)
    early ??= Guards.words("The state, the jobs or the load of the simulation", name, instead, 0)
    return early
  }
  return Guards.within(report, () => {
    try {
      simulated = new Simulated(scenario(), seed, skip)
    } catch (error) {
      if (early === undefined) throw error
    }
    if (simulated !== undefined && early === undefined) return simulated.run()
    const trace = new Trace()
    return { broken: early, task: undefined, trace, simulatedMillis: 0, steps: 0, faults: 0 }
  })
}

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
  /** The first use of the real world. */
  #refused: string | undefined
  /** The invariant that is being checked. */
  #checking: string | undefined

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
      task: broken === undefined ? undefined : this.#concerned(),
      trace: this.#trace,
      simulatedMillis: this.#world.now,
      steps: this.#world.steps,
      faults: this.#plan.struck,
    }
  }

  /** Somebody uses the real world: answers the words of the refusal. */
  refuse(name: string, instead: string): string {
    const who = this.#checking ?? culpritOf(this.#world)
    const refusal = Guards.words(who, name, instead, this.#world.now)
    this.#refused ??= refusal
    return refusal
  }

  #step(): string | undefined {
    const { durationMillis, patienceMillis } = this.#scenario
    if (this.#plan.active && this.#world.now >= durationMillis) this.#calm()
    if (!this.#world.step()) {
      return `Nothing can ever run again, and not all runs have ended: ${this.#stuck()}`
    }
    if (this.#refused !== undefined) return this.#refused
    if (this.#ledger.broken !== undefined) return this.#ledger.broken
    if (this.#loaded !== undefined && Exit.isFailure(this.#loaded)) {
      return `The load failed: ${Cause.pretty(this.#loaded.cause).split("\n")[0]}`
    }
    const wrong = this.#checked()
    if (wrong !== undefined) return wrong
    if (this.#world.stepsAtOnce > maxStepsAtOnce) {
      return `${culpritOf(this.#world)} runs for ever at one instant of virtual time: it took ` +
        `${maxStepsAtOnce} steps without a sleep; let it sleep between two looks`
    }
    if (this.#world.now > durationMillis + patienceMillis || this.#world.steps > maxSteps) {
      return `Not all runs end: ${this.#stuck()}`
    }
    return undefined
  }

  /** What is wrong by the user's invariants. */
  #checked(): string | undefined {
    for (const [name, check] of this.#scenario.invariants) {
      this.#checking = `The invariant "${name}"`
      const wrong = answerOf(check)
      this.#checking = undefined
      if (this.#refused !== undefined) return this.#refused
      if (wrong !== undefined) return `${name}: ${wrong}`
    }
    return undefined
  }

  /** The task with which something broke, where it is known. */
  #concerned(): string | undefined {
    const attempt = attemptOf(this.#world)
    if (this.#ledger.brokenTask !== undefined) return this.#ledger.brokenTask
    return attempt === undefined
      ? this.#ledger.firstOpen()?.name
      : this.#ledger.nameOf(attempt.taskId)
  }

  /** What has not ended, and why that may be. */
  #stuck(): string {
    const open = this.#ledger.firstOpen()
    if (open === undefined) return `the load does not; ${outside("it")}`
    const { name, state, flow } = open
    return `${name} is ${state}${state === "running" ? `; ${outside(`job "${flow}"`)}` : ""}`
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
    const driver = Layer.succeedContext(this.#storage.servicesOf(host, false))
    const worker = { ...this.#scenario.worker, jobs: this.#noted }
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

  /** The jobs, with the beginnings of their handlers noted. */
  get #noted(): Jobs {
    return (this.#scenario.worker.jobs ?? []).map((job) => ({
      ...job,
      handler: (input, facts) => {
        this.#storage.began(facts.taskId)
        return job.handler(input, facts)
      },
    }))
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
    this.#trace.fault(this.#world.now, host.name, kind === "crash" ? "crashes" : "is paused")
    const millis = this.#plan.between(1000, kind === "crash" ? 60_000 : 90_000)
    if (kind === "crash") {
      this.#world.crash(host)
      this.#world.after(this.#fate, millis, () => {
        this.#trace.fault(this.#world.now, host.name, "starts again")
        this.#start(number)
      })
    } else {
      this.#world.pause(host)
      this.#world.after(this.#fate, millis, () => {
        if (host.state === "paused") this.#trace.fault(this.#world.now, host.name, "goes on")
        this.#world.resume(host)
      })
    }
  }

  #load(): void {
    const host = new Host("client", 0)
    const load = Effect.provide(this.#scenario.load, this.#storage.servicesOf(host, true))
    Effect.runForkWith(this.#contextOf(host))(load).addObserver((exit) => {
      this.#loaded = exit
    })
  }

  #contextOf(host: Host): Context.Context<never> {
    return contextOf(this.#world, host, this.#choices)
  }
}

const outside = (who: string): string =>
  `${who} may wait for something outside of the simulation (a promise, a socket or a timer), or ` +
  `for what nobody does`

const restartMillis = 1000
