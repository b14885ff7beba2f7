/**
 * A world with one clock and one seed: the seed decides which of the fibers that could run does run
 * next, and time jumps when none can.
 *
 * @since 0.1.0
 */
import { Clock, type Context, Duration, Effect, type Fiber, type Scheduler } from "effect"
import type { Seeded } from "../model/Seeded.ts"
import { Heap } from "./Heap.ts"

/**
 * What lives and dies as one: its fibers run only while it is alive and not paused. A crashed one
 * never runs again; no finalizer of its fibers does.
 *
 * @category models
 * @since 0.1.0
 */
export class Host {
  readonly name: string
  state: "alive" | "paused" | "crashed" = "alive"
  /** What became ready while it was paused. */
  readonly backlog: Array<() => void> = []
  /** How far its wall clock is from the world's. */
  readonly skewMillis: number

  constructor(name: string, skewMillis: number) {
    this.name = name
    this.skewMillis = skewMillis
  }
}

interface Ready {
  readonly host: Host
  readonly run: () => void
  /** Taken back before it ran. */
  cancelled?: boolean
}

interface Sleeper extends Ready {
  readonly at: number
  readonly order: number
  cancelled: boolean
}

/**
 * The virtual time, and everything that waits for it or is ready.
 *
 * @category models
 * @since 0.1.0
 */
export class World {
  now = 0
  steps = 0
  /** How many steps were taken since time last passed. */
  stepsAtOnce = 0
  /** Whose step is being taken, or was taken last. */
  running: Host | undefined
  /** What the last fiber that ran in this step had around it; a fiber that ended has nothing. */
  lastContext: Context.Context<never> | undefined
  readonly #schedulers = new Set<Scheduler.Scheduler>()
  readonly #choices: Seeded
  readonly #ready: Array<Ready> = []
  readonly #sleepers = new Heap<Sleeper>((a, b) => a.at - b.at || a.order - b.order)
  #order = 0

  constructor(choices: Seeded) {
    this.#choices = choices
  }

  /** Makes something ready to run as part of a host. */
  schedule(host: Host, run: () => void): void {
    if (host.state === "alive") this.#ready.push({ host, run })
    else if (host.state === "paused") host.backlog.push(run)
  }

  /** Runs something as part of a host after a time, unless what this answers is cancelled. */
  after(host: Host, millis: number, run: () => void): { cancelled: boolean } {
    const at = this.now + Math.max(0, millis)
    const sleeper: Sleeper = { host, run, at, order: this.#order++, cancelled: false }
    this.#sleepers.push(sleeper)
    return sleeper
  }

  pause(host: Host): void {
    if (host.state === "alive") host.state = "paused"
  }

  resume(host: Host): void {
    if (host.state !== "paused") return
    host.state = "alive"
    for (const run of host.backlog.splice(0)) this.schedule(host, run)
  }

  crash(host: Host): void {
    host.state = "crashed"
    host.backlog.length = 0
  }

  /**
   * Takes one step: one of those that are ready, which where none is are all that is due next.
   * Answers `false` where nothing is left that could ever run.
   */
  step(): boolean {
    this.steps++
    this.stepsAtOnce++
    do {
      while (this.#ready.length > 0) {
        const { host, run, cancelled } = this.#draw()
        if (cancelled === true || host.state === "crashed") continue
        if (host.state === "paused") {
          host.backlog.push(run)
          continue
        }
        this.running = host
        this.lastContext = undefined
        run()
        return true
      }
    } while (this.#pass())
    return false
  }

  /** Takes one of those that are ready. */
  #draw(): Ready {
    const ready = this.#ready
    const last = ready.pop()!
    if (ready.length === 0) return last
    const index = this.#choices.below(ready.length + 1)
    if (index === ready.length) return last
    const drawn = ready[index]!
    ready[index] = last
    return drawn
  }

  /** Lets time pass until something is due; answers `false` where nothing ever is. */
  #pass(): boolean {
    const sleepers = this.#sleepers
    let first = sleepers.pop()
    while (first !== undefined && (first.cancelled || first.host.state === "crashed")) {
      first = sleepers.pop()
    }
    if (first === undefined) return false
    if (first.at > this.now) {
      this.now = first.at
      this.stepsAtOnce = 0
    }
    this.#wake(first)
    while (sleepers.first !== undefined && sleepers.first.at <= this.now) {
      this.#wake(sleepers.pop()!)
    }
    return true
  }

  /** One that took its sleep back after it had become due does not run either. */
  #wake(sleeper: Sleeper): void {
    if (sleeper.cancelled) return
    if (sleeper.host.state === "alive") this.#ready.push(sleeper)
    else this.schedule(sleeper.host, sleeper.run)
  }

  /** The scheduler of a host. */
  scheduler(host: Host): Scheduler.Scheduler {
    const dispatcher: Scheduler.SchedulerDispatcher = {
      scheduleTask: (task) => this.schedule(host, task),
      // What is ready runs when the seed says so, and not before.
      flush: () => {},
    }
    const scheduler: Scheduler.Scheduler = {
      executionMode: "sync",
      shouldYield: (fiber: Fiber.Fiber<unknown, unknown>) => {
        this.lastContext = fiber.context
        return fiber.currentOpCount >= fiber.cache.maxOpsBeforeYield
      },
      makeDispatcher: () => dispatcher,
    }
    this.#schedulers.add(scheduler)
    return scheduler
  }

  /** Whether a fiber runs in this world, and not on a runtime of its own. */
  owns(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    return this.#schedulers.has(fiber.cache.scheduler)
  }

  /** The clock of a host: the world's, with the host's skew on the wall clock. */
  clock(host: Host): Clock.Clock {
    const wall = () => epochMillis + Math.floor(this.now) + host.skewMillis
    const wallNanos = () => BigInt(wall()) * 1_000_000n
    let [nanosAt, nanos] = [0, 0n]
    const monotonic = () => {
      if (this.now !== nanosAt) [nanosAt, nanos] = [this.now, BigInt(Math.floor(this.now * 1e6))]
      return nanos
    }
    return {
      currentTimeMillisUnsafe: wall,
      currentTimeMillis: Effect.sync(wall),
      currentTimeNanosUnsafe: wallNanos,
      currentTimeNanos: Effect.sync(wallNanos),
      monotonicTimeNanosUnsafe: monotonic,
      monotonicTimeNanos: Effect.sync(monotonic),
      sleep: (duration) => {
        const millis = Duration.toMillis(duration)
        if (millis === Infinity) return Effect.never
        return Effect.callback<void>((resume) => {
          const sleeper = this.after(host, millis, () => resume(Effect.void))
          return Effect.sync(() => {
            sleeper.cancelled = true
          })
        })
      },
    }
  }
}

/** When a simulation begins, by its own wall clock: 2000-01-01T00:00:00Z.
 * @category constants
 * @since 0.1.0 */
export const epochMillis = 946_684_800_000
