/**
 * Claims tasks when there is a place for them, and starts them.
 */
import { Cause, type Clock, Effect, Exit, Latch, Result } from "effect"
import * as Claiming from "../../Claiming.ts"
import type { Claim, ClaimedTask, Driver } from "../../Driver.ts"
import type { DriverError } from "../../DriverError.ts"
import type { TaskId } from "../../Task.ts"
import type { Attempts, Claimed, Held } from "./Attempts.ts"
import { monotonicMillis } from "./Monotonic.ts"
import { Lane } from "./Lane.ts"
import { backoffMillis } from "./Outage.ts"
import type { Session } from "./Session.ts"
import type { Sessions } from "./Sessions.ts"
import type { Settings } from "./Settings.ts"
import type { Settling } from "./Settling.ts"
import { Waiting } from "./Waiting.ts"

/** How long handlers that never wait may run before the event loop gets its turn. */
const sliceMillis = 8

/** The lanes to claim for, and how much. */
type Wanted = ReadonlyArray<{ readonly queue: string; readonly limit: number }>

/** A claim on its way. */
interface Asked {
  readonly session: Session
  readonly lanes: Wanted
  /** Those that had been announced before. */
  readonly loud: ReadonlyArray<Lane>
  readonly sentAt: number
}

export class Intake {
  readonly #lanes: ReadonlyMap<string, Lane>
  readonly #driver: Driver["Service"]
  readonly #clock: Clock.Clock
  readonly #settings: Settings
  readonly #sessions: Sessions
  readonly #attempts: Attempts
  readonly #settling: Settling
  /** Something may be claimed, or started. */
  readonly #claimable = Latch.makeUnsafe(true)
  readonly #waiting: Waiting
  readonly #startable = Latch.makeUnsafe(false)
  readonly #stopped = Latch.makeUnsafe(false)
  #stopping = false
  #claims = 0
  #asked: Asked | undefined
  /** When the next task that this worker itself put off is due. */
  #retryAt = Infinity

  constructor(parts: {
    readonly driver: Driver["Service"]
    readonly clock: Clock.Clock
    readonly settings: Settings
    readonly sessions: Sessions
    readonly attempts: Attempts
    readonly settling: Settling
  }) {
    this.#driver = parts.driver
    this.#clock = parts.clock
    this.#waiting = new Waiting(this.#claimable, parts.clock)
    this.#settings = parts.settings
    this.#sessions = parts.sessions
    this.#attempts = parts.attempts
    this.#settling = parts.settling
    this.#lanes = new Map(
      Array.from(parts.settings.concurrency, ([queue, limit]) => [queue, new Lane(queue, limit)]),
    )
  }

  /** How many claimed tasks wait for a place. */
  get waiting(): number {
    return [...this.#lanes.values()].reduce((sum, lane) => sum + lane.waiting, 0)
  }

  /** There is work in a queue, or in any. */
  wake(queue?: string): void {
    for (const lane of this.#lanes.values()) {
      if (queue === undefined || lane.queue === queue) lane.quiet = false
    }
    this.#claimable.openUnsafe()
  }

  /** An attempt of a queue ended after it had been waiting for something. */
  freed(queue: string): void {
    const lane = this.#lanes.get(queue)!
    lane.active--
    this.#startable.openUnsafe()
  }

  /** A task of this worker is due again after this long, which no claim has told it yet. */
  putOff(millis: number): void {
    this.#retryAt = Math.min(this.#retryAt, monotonicMillis(this.#clock) + millis)
    this.#claimable.openUnsafe()
  }

  /** A session lost a task. */
  lost(session: Session, id: TaskId, lease: number): void {
    for (const lane of this.#lanes.values()) {
      const held = lane.drop(id, lease)
      if (held !== undefined) session.release(held.task, held.place)
    }
    this.#attempts.lose(id, lease)
  }

  /** Gives back what has waited too long behind slow handlers, so that other workers get it. */
  giveBackOlderThan(millis: number): void {
    this.#giveBack(monotonicMillis(this.#clock) - millis)
  }

  /** Stops claiming and gives back what has not begun. */
  readonly stop: Effect.Effect<void> = Effect.suspend(() => {
    this.#stopping = true
    this.#claimable.openUnsafe()
    return Effect.map(this.#stopped.await, () => this.#giveBack(Infinity))
  })

  /** Starts what was claimed, until it is interrupted. */
  readonly runStarts: Effect.Effect<never> = Effect.gen({ self: this }, function* () {
    while (true) {
      yield* this.#startable.await
      this.#startable.closeUnsafe()
      while (this.#startSome()) yield* Effect.yieldNow
      this.#claimable.openUnsafe()
    }
  })

  /** Claims until `stop`. Interrupting a claim on its way would lose what it answers. */
  readonly runClaims: Effect.Effect<void> = Effect.gen({ self: this }, function* () {
    let failures = 0
    while (!this.#stopping) {
      this.#claimable.closeUnsafe()
      const lanes = this.#wanted()
      if (lanes.length === 0) {
        yield* Effect.interruptible(this.#claimable.await)
        continue
      }
      const claimed = yield* Effect.exit(this.#claim(lanes))
      this.#answered(claimed)
      if (Exit.isFailure(claimed)) {
        const error = Cause.findError(claimed.cause)
        if (Result.isFailure(error)) return yield* Effect.failCause(error.failure)
        yield* this.#failed(error.success, failures)
        yield* this.#waiting.for(backoffMillis(failures++))
        continue
      }
      if (failures > 0) yield* Effect.logInfo("The storage answers again")
      failures = 0
      const { nextDueMillis = Infinity, tasks } = claimed.value
      if (tasks.length > 0) continue
      // Nothing was found: waits for an announcement, for the next due task, or for the poll.
      const until = this.#pauseEnd(nextDueMillis)
      for (let left = this.#pauseLeft(until); left > 0; left = this.#pauseLeft(until)) {
        this.#claimable.closeUnsafe()
        yield* this.#waiting.for(Math.ceil(left))
      }
    }
  }).pipe(
    Effect.ensuring(Effect.sync(() => this.#stopped.openUnsafe())),
    Effect.uninterruptible,
  )

  /** Starts until nothing can be started, or the slice is over; answers whether it was. */
  #startSome(): boolean {
    const began = monotonicMillis(this.#clock)
    let now = began
    for (const lane of this.#lanes.values()) {
      for (let held = lane.next(now); held !== undefined; held = lane.next(now)) {
        // After a long pause others have it, though no heartbeat has told so yet.
        if (now >= held.session.expiresAt) held.session.release(held.task, held.place)
        else if (now >= held.beginsBefore) this.#refuse(held, "Interrupted")
        else if (this.#attempts.start(held, now)) lane.active++
        now = monotonicMillis(this.#clock)
        if (now - began > sliceMillis) {
          this.#claimable.openUnsafe()
          return true
        }
      }
    }
    return false
  }

  /** The lanes with places, where any of them may have work. */
  #wanted(): Wanted {
    const lanes: Array<Wanted[number]> = []
    if (!this.#isAnyWanted()) return lanes
    for (const { need, queue } of this.#lanes.values()) {
      if (need > 0) lanes.push({ queue, limit: need })
    }
    return lanes
  }

  /** Whether any lane has places, and may have work. */
  #isAnyWanted(): boolean {
    let wanted = false
    for (const lane of this.#lanes.values()) {
      // The last announcement may have been for a place that was not free then.
      if (lane.need === 0) lane.quiet = false
      else wanted ||= !lane.quiet
    }
    return wanted
  }

  #claim(lanes: Wanted): Effect.Effect<Claim, DriverError> {
    const { current, open } = this.#sessions
    return open === undefined
      ? Effect.flatMap(current, (session) => this.#claimAs(session, lanes))
      : this.#claimAs(open, lanes)
  }

  #claimAs(session: Session, lanes: Wanted): Effect.Effect<Claim, DriverError> {
    // For what is announced from now on, this claim may be too early.
    const loud: Array<Lane> = []
    for (const { queue } of lanes) {
      const lane = this.#lanes.get(queue)!
      if (!lane.quiet) loud.push(lane)
      lane.quiet = true
    }
    this.#asked = { session, lanes, loud, sentAt: monotonicMillis(this.#clock) }
    const eldest = ++this.#claims % Claiming.eldestEvery === 0
    return this.#driver.claim({ worker: session.id, lanes, waits: true, eldest })
  }

  /** The claim on its way was answered; there is none where no session could begin. */
  #answered(claimed: Exit.Exit<Claim, DriverError>): void {
    const asked = this.#asked
    this.#asked = undefined
    if (asked === undefined || (Exit.isSuccess(claimed) && claimed.value.tasks.length === 0)) return
    for (const lane of asked.loud) lane.quiet = false
    if (Exit.isSuccess(claimed)) this.#take(asked, claimed.value.tasks)
    // The tasks may have been handed out, and only the reply been lost.
    else asked.session.drain()
  }

  #take({ lanes, sentAt, session }: Asked, tasks: ReadonlyArray<ClaimedTask>): void {
    const now = monotonicMillis(this.#clock)
    const byQueue = new Map<string, Array<Claimed>>()
    for (const task of tasks) {
      const left = task.expiresInMillis
      const beginsBefore = left === undefined ? Infinity : sentAt + left
      const held: Claimed = { task, session, place: session.hold(task), beginsBefore }
      if (beginsBefore <= sentAt) {
        this.#refuse(held, "Expired")
        continue
      }
      const found = byQueue.get(task.queue)
      if (found === undefined) byQueue.set(task.queue, [held])
      else found.push(held)
    }
    for (const { queue, limit } of lanes) {
      this.#lanes.get(queue)!.add(byQueue.get(queue) ?? [], limit, now)
    }
    this.#startable.openUnsafe()
  }

  /** When to claim again, where nothing is due for some time. */
  #pauseEnd(dueMillis: number): number {
    return monotonicMillis(this.#clock) +
      Math.max(1, Math.min(dueMillis, this.#settings.pollMillis))
  }

  /**
   * How long to wait before the next claim. A place that became free is no reason to claim where
   * the last claim found nothing.
   */
  #pauseLeft(until: number): number {
    if (this.#stopping || this.#isAnyWanted()) return 0
    const left = Math.min(until, this.#retryAt) - monotonicMillis(this.#clock)
    if (left > 0) return left
    this.#retryAt = Infinity
    this.wake()
    return 0
  }

  readonly #failed = (error: DriverError, failures: number): Effect.Effect<void> =>
    failures % 30 === 0
      ? Effect.logWarning(`The worker cannot claim and keeps trying. ${error.message}`)
      : Effect.void

  #giveBack(before: number): void {
    for (const lane of this.#lanes.values()) {
      for (const held of lane.giveBack(before)) this.#refuse(held, "Interrupted")
    }
  }

  /** Settles a task that is not begun: it is given back, or it is too late for any worker. */
  #refuse(held: Held, _tag: "Interrupted" | "Expired"): void {
    this.#settling.add({
      task: held.task,
      session: held.session,
      place: held.place,
      outcome: { _tag },
      elapsedMillis: undefined,
      policy: this.#settings.served(held.task)?.policy,
    })
  }
}
