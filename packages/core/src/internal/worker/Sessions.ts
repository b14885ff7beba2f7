/**
 * Keeps the worker's sessions alive, tells what they lost, and recovers what other workers lost.
 */
import { Clock, Context, Effect, Exit, Metric, Result } from "effect"
import type { Driver, Target } from "../../Driver.ts"
import { DriverError } from "../../DriverError.ts"
import * as RunId from "../../RunId.ts"
import type { Change, Task, TaskId } from "../../Task.ts"
import { transition } from "../../Transition.ts"
import { monotonicMillis } from "./Monotonic.ts"
import { Patience } from "./Patience.ts"
import { Session } from "./Session.ts"
import { TimedLatch } from "./TimedLatch.ts"

/** A beat each third of the lease: two may be lost. */
const beatsPerLease = 3

/** What attempts say of how far they are is sent so often at the most. */
const reportMillis = 1000

/** How many expired tasks one transaction recovers. */
const recoveredAtOnce = 100

const lag = Metric.gauge("millrace_event_loop_lag_millis", {
  description: "How much later than asked for the timer of the last heartbeat fired",
})

export interface Losses {
  /** A session no longer holds a task. */
  readonly lost: (session: Session, id: TaskId, lease: number) => void
  /** This long after the heartbeat before, another one is due. */
  readonly beat: (millis: number) => void
}

export class Sessions {
  readonly #sessions = new Set<Session>()
  readonly #driver: Driver["Service"]
  readonly #name: string
  readonly #leaseMillis: number
  readonly #losses: Losses
  readonly #clock: Clock.Clock
  readonly #context: Context.Context<never>
  /** There is something to say before the next beat. */
  readonly #urged: TimedLatch
  readonly #patience: Patience
  #hurried = false
  #reported = false

  constructor(
    driver: Driver["Service"],
    context: Context.Context<never>,
    settings: { readonly name: string; readonly leaseMillis: number },
    losses: Losses,
  ) {
    this.#driver = driver
    this.#context = context
    this.#clock = Context.get(context, Clock.Clock)
    this.#urged = new TimedLatch(this.#clock)
    this.#patience = new Patience(this.#clock)
    this.#name = settings.name
    this.#leaseMillis = settings.leaseMillis
    this.#losses = losses
  }

  /** The session to claim with: the open one, or a new one. */
  readonly current: Effect.Effect<Session, DriverError> = Effect.suspend(() => {
    const { open } = this
    return open === undefined ? this.#begin : Effect.succeed(open)
  })

  /** The session that is open, if one is. */
  get open(): Session | undefined {
    for (const session of this.#sessions) if (session.state === "open") return session
    return undefined
  }

  readonly #begin: Effect.Effect<Session, DriverError> = Effect.gen({ self: this }, function* () {
    const session = new Session(`${this.#name}-${yield* RunId.make}`, 0)
    const sentAt = monotonicMillis(this.#clock)
    const pulse = yield* this.#driver.heartbeat({
      worker: session.id,
      leaseMillis: this.#leaseMillis,
      held: [],
    })
    if (!pulse.live) {
      return yield* DriverError.corrupt("begin a session", "a new session had expired already")
    }
    session.expiresAt = sentAt + this.#leaseMillis
    this.#sessions.add(session)
    return session
  })

  /** Beats, and recovers, until it is interrupted. */
  readonly run: Effect.Effect<never> = Effect.gen({ self: this }, function* () {
    const interval = this.#leaseMillis / beatsPerLease
    while (true) {
      const failed = yield* this.#cycle
      yield* this.#rest(Math.ceil(failed ? Math.min(1000, interval / 3) : interval))
      this.#losses.beat(interval)
    }
  })

  /** Waits for the next cycle, and meanwhile sends what attempts say of how far they are. */
  readonly #rest = (millis: number): Effect.Effect<void> =>
    Effect.gen({ self: this }, function* () {
      const began = monotonicMillis(this.#clock)
      let reportedAt = began
      let now = began
      for (; !this.#hurried && now < began + millis; now = monotonicMillis(this.#clock)) {
        const reportAt = this.#reported ? reportedAt + reportMillis : Infinity
        if (reportAt <= now) {
          this.#reported = false
          reportedAt = now
          if (yield* this.#beatAll) break
          continue
        }
        yield* this.#wait(Math.ceil(Math.min(began + millis, reportAt) - now))
        this.#urged.close()
      }
      this.#hurried = false
    })

  #wait(millis: number): Effect.Effect<void> {
    const due = monotonicMillis(this.#clock) + millis
    return Effect.flatMap(this.#urged.openedWithin(millis), () => this.#warnLate(due))
  }

  // A handler that blocks the event loop delays the heartbeats too, until the lease is lost.
  #warnLate(due: number): Effect.Effect<void> {
    const late = Math.max(0, monotonicMillis(this.#clock) - due)
    lag.updateUnsafe(late, this.#context)
    return late <= this.#leaseMillis / 6 ? Effect.void : Effect.logWarning(
      `The event loop was blocked for ${Math.round(late)} ms. ` +
        `After ${this.#leaseMillis} ms without a heartbeat the worker loses its tasks: ` +
        `let long computations yield, or move them to another thread`,
    )
  }

  /** Beats soon: somebody says that a task was cancelled. */
  hurry(): void {
    this.#hurried = true
    this.#urged.open()
  }

  /** Beats before long: an attempt has said how far it is. */
  report(): void {
    if (this.#reported) return
    this.#reported = true
    this.#urged.open()
  }

  /** Whether a task is among what any session holds. */
  holds(id: TaskId): boolean {
    for (const session of this.#sessions) if (session.holds(id)) return true
    return false
  }

  /** Ends every session; what they still hold is given up. */
  readonly end: Effect.Effect<void> = Effect.gen({ self: this }, function* () {
    for (const session of [...this.#sessions]) yield* Effect.ignore(this.#endOne(session))
  })

  /** One beat of each session; answers whether any failed. */
  readonly #beatAll: Effect.Effect<boolean> = Effect.gen({ self: this }, function* () {
    let failed = false
    for (const session of [...this.#sessions]) {
      const over = session.state === "draining" && session.size === 0
      const beat = over ? this.#endOne(session) : this.#beat(session)
      const beaten = yield* Effect.result(beat)
      if (Result.isSuccess(beaten)) continue
      failed = true
      yield* Effect.logWarning(`The worker's heartbeat failed. ${beaten.failure.message}`)
    }
    return failed
  })

  /** One beat of each session and one look for what others lost; answers whether any failed. */
  readonly #cycle: Effect.Effect<boolean> = Effect.gen({ self: this }, function* () {
    if (yield* this.#beatAll) return true
    const recovered = yield* Effect.result(this.#recover)
    if (Result.isSuccess(recovered)) return false
    yield* Effect.logWarning(`Recovery failed. ${recovered.failure.message}`)
    return true
  })

  #beat(session: Session): Effect.Effect<void, DriverError> {
    const sentAt = monotonicMillis(this.#clock)
    if (sentAt >= session.expiresAt) return this.#expire(session)
    const held = session.held()
    const said = session.takeProgress()
    const heartbeat = this.#driver.heartbeat({
      worker: session.id,
      leaseMillis: this.#leaseMillis,
      held,
      ...(said.size === 0 ? {} : { progress: [...said.values()] }),
    })
    const patience = Math.ceil(session.expiresAt - sentAt)
    return Effect.flatMap(this.#patience.exit(heartbeat, patience), (exit) => {
      if (exit !== undefined && Exit.isFailure(exit)) {
        session.putBack(said)
        if (monotonicMillis(this.#clock) < session.expiresAt) return Effect.failCause(exit.cause)
      }
      if (exit?._tag !== "Success" || !exit.value.live) return this.#expire(session)
      session.expiresAt = sentAt + this.#leaseMillis
      for (const { id, lease } of exit.value.lost) this.#losses.lost(session, id, lease)
      return Effect.void
    })
  }

  #expire(session: Session): Effect.Effect<void> {
    this.#forget(session)
    for (const { id, lease } of session.held()) this.#losses.lost(session, id, lease)
    return Effect.logWarning(
      "The worker's lease has expired: its attempts are interrupted and left to other workers",
    )
  }

  readonly #endOne = (session: Session): Effect.Effect<void, DriverError> =>
    Effect.suspend(() => {
      const beat = { worker: session.id, leaseMillis: 0, held: session.held() }
      return Effect.map(this.#driver.heartbeat(beat), () => this.#forget(session))
    })

  #forget(session: Session): void {
    session.state = "ended"
    this.#sessions.delete(session)
  }

  readonly #recover: Effect.Effect<void, DriverError> = Effect.gen(
    { self: this },
    function* () {
      const recovered = yield* this.#sweep(
        { _tag: "Expired", limit: recoveredAtOnce },
        (task) => transition(task, { _tag: "LeaseExpired", lease: task.lease }),
      )
      if (recovered > 0) {
        yield* Effect.logWarning(`Recovered ${recovered} tasks of workers that were lost`)
      }
      const overdue = yield* this.#sweep(
        { _tag: "Overdue", limit: recoveredAtOnce },
        (task) => transition(task, { _tag: "Expired" }),
      )
      if (overdue > 0) {
        yield* Effect.logInfo(`Cancelled ${overdue} tasks that could not begin before they expired`)
      }
    },
  )

  /** Decides on all tasks of a kind, some at a time, and answers how many were changed. */
  readonly #sweep = (
    target: Extract<Target, { readonly limit: number }>,
    decide: (task: Task) => Change | undefined,
  ): Effect.Effect<number, DriverError> =>
    Effect.flatMap(
      this.#driver.transact(target, (tasks) => tasks.flatMap((task) => decide(task) ?? [])),
      (settled) => {
        const changed = settled.filter((one) => one.status === "applied").length
        return settled.length < target.limit
          ? Effect.succeed(changed)
          : Effect.map(this.#sweep(target, decide), (others) => changed + others)
      },
    )
}
