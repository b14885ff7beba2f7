/**
 * Claims tasks when there is a place for them, and starts them.
 */
import { Cause, type Clock, Effect, Exit, Latch, Result } from "effect"
import type { Claim, Driver } from "../../Driver.ts"
import type { DriverError } from "../../DriverError.ts"
import type { TaskId } from "../../Task.ts"
import type { Attempts, Held } from "./Attempts.ts"
import { type Asked, Claims, type Wanted } from "./Claims.ts"
import { monotonicMillis } from "./Monotonic.ts"
import { Lane } from "./Lane.ts"
import { backoffMillis } from "./Outage.ts"
import type { Session } from "./Session.ts"
import type { Sessions } from "./Sessions.ts"
import type { Settings } from "./Settings.ts"
import type { Settling } from "./Settling.ts"
import { TimedLatch } from "./TimedLatch.ts"

/** How long handlers that never wait may run before the event loop gets its turn. */
const sliceMillis = 8

export class Intake {
  readonly #lanes: ReadonlyMap<string, Lane>
  readonly #clock: Clock.Clock
  readonly #settings: Settings
  readonly #sessions: Sessions
  readonly #attempts: Attempts
  readonly #settling: Settling
  /** Something may be claimed, or started. */
  readonly #claimable: TimedLatch
  /** Another claim may be sent beside the first. */
  readonly #abundant = Latch.makeUnsafe(false)
  /** No other claim is on its way. */
  readonly #alone = Latch.makeUnsafe(true)
  readonly #startable = Latch.makeUnsafe(false)
  readonly #stopped = Latch.makeUnsafe(false)
  #stopping = false
  readonly #claims: Claims
  /** The first claim, while it is on its way. */
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
    this.#clock = parts.clock
    this.#claimable = new TimedLatch(parts.clock, true)
    this.#settings = parts.settings
    this.#sessions = parts.sessions
    this.#attempts = parts.attempts
    this.#settling = parts.settling
    this.#lanes = new Map(
      Array.from(parts.settings.concurrency, ([queue, limit]) => [queue, new Lane(queue, limit)]),
    )
    this.#claims = new Claims(
      this.#lanes,
      parts.driver,
      parts.clock,
      (held) => this.#refuse(held, "Expired"),
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
    this.#claimable.open()
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
    this.#claimable.open()
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
    this.#claimable.open()
    const ended = Effect.andThen(this.#stopped.await, this.#alone.await)
    return Effect.map(ended, () => this.#giveBack(Infinity))
  })

  /** Starts what was claimed, until it is interrupted. */
  readonly runStarts: Effect.Effect<never> = Effect.gen({ self: this }, function* () {
    while (true) {
      yield* this.#startable.await
      this.#startable.closeUnsafe()
      while (this.#startSome()) yield* Effect.yieldNow
      this.#claimable.open()
      if (this.#claims.isAnyAbundant) this.#abundant.openUnsafe()
    }
  })

  /** Claims until `stop`. Interrupting a claim on its way would lose what it answers. */
  readonly runClaims: Effect.Effect<void> = Effect.gen({ self: this }, function* () {
    let failures = 0
    while (!this.#stopping) {
      this.#claimable.close()
      const lanes = this.#claims.wanted()
      if (lanes.length === 0) {
        yield* this.#claimable.opened
        continue
      }
      const claimed = yield* Effect.exit(this.#claim(lanes))
      this.#answered(claimed)
      if (Exit.isFailure(claimed)) {
        const error = Cause.findError(claimed.cause)
        if (Result.isFailure(error)) return yield* Effect.failCause(error.failure)
        yield* this.#failed(error.success, failures)
        yield* this.#claimable.openedWithin(backoffMillis(failures++))
        continue
      }
      if (failures > 0) yield* Effect.logInfo("The storage answers again")
      failures = 0
      const { nextDueMillis = Infinity, tasks } = claimed.value
      if (tasks.length > 0) continue
      // Nothing was found: waits for an announcement, for the next due task, or for the poll.
      const until = this.#pauseEnd(nextDueMillis)
      for (let left = this.#pauseLeft(until); left > 0; left = this.#pauseLeft(until)) {
        this.#claimable.close()
        yield* this.#claimable.openedWithin(Math.ceil(left))
      }
    }
  }).pipe(
    Effect.ensuring(Effect.sync(() => this.#stopped.openUnsafe())),
    Effect.uninterruptible,
  )

  /**
   * Claims beside the first claim, until it is interrupted. Where queues give all that is asked
   * for, one claim at a time leaves the storage waiting while this worker starts what it has, and
   * this worker waiting while the storage answers.
   */
  readonly runFurtherClaims: Effect.Effect<never> = Effect.gen({ self: this }, function* () {
    while (true) {
      yield* Effect.interruptible(this.#abundant.await)
      this.#abundant.closeUnsafe()
      const session = this.#sessions.open
      const lanes = this.#claims.wantedMore()
      if (lanes.length === 0 || session === undefined || this.#stopping) continue
      this.#alone.closeUnsafe()
      const asked = this.#claims.ask(session, lanes)
      const claimed = yield* Effect.exit(this.#claims.further(asked))
      if (this.#claims.answered(asked, claimed)) this.#startable.openUnsafe()
      this.#alone.openUnsafe()
    }
  }).pipe(Effect.uninterruptible)

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
          this.#claimable.open()
          return true
        }
      }
    }
    return false
  }

  #claim(lanes: Wanted): Effect.Effect<Claim, DriverError> {
    const { current, open } = this.#sessions
    return open === undefined
      ? Effect.flatMap(current, (session) => this.#claimAs(session, lanes))
      : this.#claimAs(open, lanes)
  }

  #claimAs(session: Session, lanes: Wanted): Effect.Effect<Claim, DriverError> {
    this.#asked = this.#claims.ask(session, lanes)
    if (this.#claims.isAnyAbundant) this.#abundant.openUnsafe()
    return this.#claims.first(this.#asked)
  }

  /** The first claim was answered; there is none where no session could begin. */
  #answered(claimed: Exit.Exit<Claim, DriverError>): void {
    const asked = this.#asked
    this.#asked = undefined
    if (asked !== undefined && this.#claims.answered(asked, claimed)) this.#startable.openUnsafe()
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
    if (this.#stopping || this.#claims.isAnyWanted()) return 0
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
