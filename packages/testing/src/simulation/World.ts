/**
 * A world with one clock and one seed: the seed decides which of the fibers that could run does run
 * next, and time jumps when none can.
 *
 * @since 0.1.0
 */
import { Clock, type Context, Duration, Effect, type Fiber, type Scheduler } from "effect"
import type { Seeded } from "../model/Seeded.ts"
import { Heap } from "./Heap.ts"
import { Action, type Host, type Turn, Waking } from "./Turn.ts"

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
  readonly #ready: Array<Turn> = []
  readonly #later = new Heap<Turn>()
  #order = 0
  #nanosAt = 0
  #nanos = 0n

  constructor(choices: Seeded) {
    this.#choices = choices
  }

  /** Calls something as part of a host after a time. */
  after(host: Host, millis: number, act: () => void): void {
    this.give(new Action(host, act), millis)
  }

  /** Gives something its turn after a time, unless it is cancelled before. */
  give(turn: Turn, millis: number): void {
    turn.at = this.now + Math.max(0, millis)
    turn.order = this.#order++
    this.#later.push(turn)
  }

  /** It is the turn of something, as soon as its host can run. */
  #schedule(turn: Turn): void {
    const { host } = turn
    if (host.state === "alive") this.#ready.push(turn)
    else if (host.state === "paused") host.backlog.push(turn)
  }

  pause(host: Host): void {
    if (host.state === "alive") host.state = "paused"
  }

  resume(host: Host): void {
    if (host.state !== "paused") return
    host.state = "alive"
    for (const turn of host.backlog.splice(0)) this.#schedule(turn)
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
        const turn = this.#draw()
        const { cancelled, host } = turn
        if (cancelled || host.state === "crashed") continue
        if (host.state === "paused") {
          host.backlog.push(turn)
          continue
        }
        this.running = host
        this.lastContext = undefined
        turn.run()
        return true
      }
    } while (this.#pass())
    return false
  }

  /** Takes one of those that are ready. */
  #draw(): Turn {
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
    const later = this.#later
    let first = later.pop()
    while (first !== undefined && (first.cancelled || first.host.state === "crashed")) {
      first = later.pop()
    }
    if (first === undefined) return false
    if (first.at > this.now) {
      this.now = first.at
      this.stepsAtOnce = 0
    }
    this.#schedule(first)
    while (later.first !== undefined && later.first.at <= this.now) {
      const turn = later.pop()!
      // One that took its sleep back after it had become due does not run either.
      if (!turn.cancelled) this.#schedule(turn)
    }
    return true
  }

  /** The scheduler of a host. */
  scheduler(host: Host): Scheduler.Scheduler {
    const dispatcher: Scheduler.SchedulerDispatcher = {
      scheduleTask: (task) => this.#schedule(new Action(host, task)),
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

  /** Asked for often within one instant. */
  #monotonicNanos(): bigint {
    if (this.now !== this.#nanosAt) {
      this.#nanosAt = this.now
      this.#nanos = BigInt(Math.floor(this.now * 1e6))
    }
    return this.#nanos
  }

  /** The clock of a host: the world's, with the host's skew on the wall clock. */
  clock(host: Host): Clock.Clock {
    const wall = () => epochMillis + Math.floor(this.now) + host.skewMillis
    const wallNanos = () => BigInt(wall()) * 1_000_000n
    const monotonic = () => this.#monotonicNanos()
    const sleep = (millis: number) =>
      Effect.callback<void>((resume) => {
        const waking = new Waking(host, resume)
        this.give(waking, millis)
        return Effect.sync(() => {
          waking.cancelled = true
        })
      })
    // Most sleeps are as long as others before.
    const sleeps = new Map<number, Effect.Effect<void>>()
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
        let slept = sleeps.get(millis)
        if (slept === undefined) {
          slept = sleep(millis)
          if (sleeps.size < maxSleeps) sleeps.set(millis, slept)
        }
        return slept
      },
    }
  }
}

/** So many lengths of sleeps are kept for each host. */
const maxSleeps = 10_000

/** When a simulation begins, by its own wall clock: 2000-01-01T00:00:00Z.
 * @category constants
 * @since 0.1.0 */
export const epochMillis = 946_684_800_000
