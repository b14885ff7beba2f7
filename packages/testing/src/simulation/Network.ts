/**
 * The way between a host and the storage: every statement takes time, and may meet a fault.
 *
 * @since 0.1.0
 */
import { Driver, DriverError } from "@millrace/core"
import { type Context, Effect, type Exit, Queue, Stream } from "effect"
import type { Plan } from "./Faults.ts"
import type { Ledger } from "./Ledger.ts"
import type { Trace } from "./Trace.ts"
import { Host, type World } from "./World.ts"

type Service = Driver.Driver["Service"]

/**
 * The one storage of a simulation, and who listens to it.
 *
 * @category models
 * @since 0.1.0
 */
export class Storage {
  readonly host = new Host("storage", 0)
  readonly #world: World
  readonly #driver: Service
  readonly #context: Context.Context<never>
  readonly #plan: Plan
  readonly #ledger: Ledger
  readonly #trace: Trace
  readonly #listeners = new Map<Queue.Queue<Driver.Wakeup>, Host>()

  constructor(parts: {
    readonly world: World
    readonly driver: Service
    readonly context: (host: Host) => Context.Context<never>
    readonly plan: Plan
    readonly ledger: Ledger
    readonly trace: Trace
  }) {
    this.#world = parts.world
    this.#driver = parts.driver
    this.#context = parts.context(this.host)
    this.#plan = parts.plan
    this.#ledger = parts.ledger
    this.#trace = parts.trace
    Effect.runForkWith(this.#context)(
      Stream.runForEach(parts.driver.wakeups, (wakeup) => Effect.sync(() => this.#tell(wakeup))),
    )
  }

  /** The driver as a host has it. `reliable` hosts meet no faults. */
  driverOf(host: Host, reliable: boolean): Service {
    const driver = this.#driver
    const say = (what: string) => this.#trace.add(this.#world.now, host.name, what)
    const names = (ids: ReadonlyArray<string>) =>
      ids.map((id) => this.#ledger.nameOf(id)).join(", ")
    const call = <A>(operation: string, run: Effect.Effect<A, DriverError>, seen: (a: A) => void) =>
      this.#call(host, reliable, operation, run, seen)
    return {
      name: driver.name,
      insert: (tasks) =>
        call("insert", driver.insert(tasks), (answers) => {
          this.#ledger.inserted(tasks, answers, this.#now())
          say(`stores ${names(tasks.map((task) => task.id))}`)
        }),
      claim: (request) =>
        call("claim", driver.claim(request), ({ tasks }) => {
          this.#ledger.claimed(request.worker, tasks, this.#now())
          if (tasks.length > 0) say(`claims ${names(tasks.map((task) => task.id))}`)
        }),
      settle: (changes) =>
        call("settle", driver.settle(changes), (answers) => {
          this.#ledger.settled(changes, answers, this.#now())
          changes.forEach(({ taskId, entry }, index) =>
            say(`${names([taskId])}: ${entry.kind} (${answers[index]?.status})`)
          )
        }),
      transact: (target, decide) => {
        let changes: ReturnType<typeof decide> = []
        const run = driver.transact(target, (tasks) => changes = decide(tasks))
        return call("transact", run, (answers) => {
          this.#ledger.settled(changes, answers, this.#now())
          for (const { taskId, entry } of changes) say(`${names([taskId])}: ${entry.kind}`)
        })
      },
      heartbeat: (beat) =>
        call("heartbeat", driver.heartbeat(beat), ({ live, lost }) => {
          if (!live) say("has lost its lease")
          else if (lost.length > 0) say(`no longer holds ${names(lost)}`)
        }),
      prune: (request) => call("prune", driver.prune(request), () => {}),
      find: (query) => call("find", driver.find(query), () => {}),
      wakeups: Stream.unwrap(
        Effect.acquireRelease(
          Effect.tap(
            Queue.unbounded<Driver.Wakeup>(),
            (queue) => Effect.sync(() => this.#listeners.set(queue, host)),
          ),
          (queue) => Effect.sync(() => this.#listeners.delete(queue)),
        ).pipe(Effect.map(Stream.fromQueue)),
      ),
    }
  }

  #now(): number {
    return this.#world.clock(this.host).currentTimeMillisUnsafe()
  }

  #call<A>(
    host: Host,
    reliable: boolean,
    operation: string,
    run: Effect.Effect<A, DriverError>,
    seen: (answer: A) => void,
  ): Effect.Effect<A, DriverError> {
    return Effect.callback<A, DriverError>((resume) => {
      const fate = reliable ? "done" : this.#plan.statement()
      const lost = () => Effect.fail(DriverError.unavailable(operation, `a fault: ${fate}`))
      if (fate !== "done") {
        this.#trace.add(this.#world.now, host.name, `${operation} meets a fault: ${fate}`)
      }
      if (fate === "failed") {
        this.#world.after(host, 1, () => resume(lost()))
        return
      }
      const there = fate === "slow" ? this.#plan.between(1000, slowMillis) : latencyMillis
      this.#world.after(this.host, there, () => {
        const exit: Exit.Exit<A, DriverError> = Effect.runSyncExitWith(this.#context)(run)
        if (exit._tag === "Success") seen(exit.value)
        this.#world.after(host, latencyMillis, () => resume(fate === "reply lost" ? lost() : exit))
      })
    })
  }

  #tell(wakeup: Driver.Wakeup): void {
    for (const [queue, host] of this.#listeners) {
      if (host.state === "crashed") {
        this.#listeners.delete(queue)
        continue
      }
      const fate = this.#plan.wakeup()
      if (fate === "lost") continue
      const offer = () => void Queue.offerUnsafe(queue, wakeup)
      this.#world.after(host, fate === "late" ? this.#plan.between(1000, 60_000) : 1, offer)
      if (fate === "doubled") this.#world.after(host, this.#plan.between(1, 1000), offer)
    }
  }
}

const latencyMillis = 1
const slowMillis = 60_000
