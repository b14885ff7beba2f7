/**
 * Keeps the worker's sessions alive, tells what they lost, and recovers what other workers lost.
 */
import { type Clock, Effect, Latch, Metric, Option } from "effect"
import type { Driver, Target } from "../../Driver.ts"
import { DriverError } from "../../DriverError.ts"
import * as RunId from "../../RunId.ts"
import type { Change, Task, TaskId } from "../../Task.ts"
import { transition } from "../../Transition.ts"
import { monotonicMillis } from "./Monotonic.ts"
import { Session } from "./Session.ts"
import { Waiting } from "./Waiting.ts"

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
  readonly #latch = Latch.makeUnsafe(false)
  readonly #clock: Clock.Clock
  readonly #waiting: Waiting
  #hurried = false
  #reported = false

  constructor(
    driver: Driver["Service"],
    clock: Clock.Clock,
    settings: { readonly name: string; readonly leaseMillis: number },
    losses: Losses,
  ) {
    this.#driver = driver
    this.#clock = clock
    this.#waiting = new Waiting(this.#latch, clock)
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
        this.#latch.closeUnsafe()
      }
      this.#hurried = false
    })

  // A handler that blocks the event loop delays the heartbeats too, until the lease is lost.
  readonly #wait = (millis: number): Effect.Effect<void> =>
    Effect.gen({ self: this }, function* () {
      const due = monotonicMillis(this.#clock) + millis
      yield* this.#waiting.for(millis)
      const late = Math.max(0, monotonicMillis(this.#clock) - due)
      yield* Metric.update(lag, late)
      if (late <= this.#leaseMillis / 6) return
      yield* Effect.logWarning(
        `The event loop was blocked for ${Math.round(late)} ms. ` +
          `After ${this.#leaseMillis} ms without a heartbeat the worker loses its tasks: ` +
          `let long computations yield, or move them to another thread`,
      )
    })

  /** Beats soon: somebody says that a task was cancelled. */
  hurry(): void {
    this.#hurried = true
    this.#latch.openUnsafe()
  }

  /** Beats before long: an attempt has said how far it is. */
  report(): void {
    if (this.#reported) return
    this.#reported = true
    this.#latch.openUnsafe()
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
      const problem = yield* Effect.flip(Effect.as(beat, undefined)).pipe(Effect.option)
      if (Option.isNone(problem)) continue
      failed = true
      yield* Effect.logWarning(`The worker's heartbeat failed. ${problem.value.message}`)
    }
    return failed
  })

  /** One beat of each session and one look for what others lost; answers whether any failed. */
  readonly #cycle: Effect.Effect<boolean> = Effect.gen({ self: this }, function* () {
    if (yield* this.#beatAll) return true
    return yield* this.#recover.pipe(
      Effect.as(false),
      Effect.catch((error) =>
        Effect.as(Effect.logWarning(`Recovery failed. ${error.message}`), true)
      ),
    )
  })

  readonly #beat = (session: Session): Effect.Effect<void, DriverError> =>
    Effect.gen({ self: this }, function* () {
      const sentAt = monotonicMillis(this.#clock)
      if (sentAt >= session.expiresAt) return yield* this.#expire(session)
      const held = session.held()
      const said = session.takeProgress()
      const pulse = yield* this.#driver.heartbeat({
        worker: session.id,
        leaseMillis: this.#leaseMillis,
        held,
        ...(said.size === 0 ? {} : { progress: [...said.values()] }),
      }).pipe(
        Effect.tapError(() => Effect.sync(() => session.putBack(said))),
        Effect.timeoutOption(Math.ceil(session.expiresAt - sentAt)),
        Effect.catch((error) =>
          monotonicMillis(this.#clock) < session.expiresAt ? Effect.fail(error) : Effect.succeedNone
        ),
      )
      if (Option.isNone(pulse) || !pulse.value.live) return yield* this.#expire(session)
      session.expiresAt = sentAt + this.#leaseMillis
      for (const { id, lease } of pulse.value.lost) this.#losses.lost(session, id, lease)
    })

  readonly #expire = (session: Session): Effect.Effect<void> => {
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
    Effect.gen({ self: this }, function* () {
      let changed = 0
      let more = true
      while (more) {
        const settled = yield* this.#driver.transact(
          target,
          (tasks) => tasks.flatMap((task) => decide(task) ?? []),
        )
        changed += settled.filter((one) => one.status === "applied").length
        more = settled.length === target.limit
      }
      return changed
    })
}
