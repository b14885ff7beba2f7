/**
 * The way between a host and the storage: every statement takes time, and may meet a fault.
 *
 * @since 0.1.0
 */
import { Driver, DriverError, ScheduleStore, type Task, Transaction } from "@millrace/core"
import type { MemoryDriver } from "@millrace/driver-memory"
import { Channel, type Clock, Context, Effect, Exit, Fiber, Scope, Stream } from "effect"
import { type Answer, Call, latencyMillis, type Statement } from "./Call.ts"
import type { Plan, StatementFate } from "./Faults.ts"
import type { Ledger } from "./Ledger.ts"
import { announced, Listener, Telling } from "./Listener.ts"
import type { Trace } from "./Trace.ts"
import { Host } from "./Turn.ts"
import type { World } from "./World.ts"

type Service = Driver.Driver["Service"]

/** What the load and the handlers of a simulation have.
 * @category models
 * @since 0.1.0 */
export type Provided = Driver.Driver | Transaction.Transactions | ScheduleStore.ScheduleStore

/** What is to be noted once the open transaction is committed. */
const CurrentNotes = Context.Reference<Array<() => void> | undefined>(
  "@millrace/testing/CurrentNotes",
  { defaultValue: (): Array<() => void> | undefined => undefined },
)

/**
 * The one storage of a simulation, and who listens to it.
 *
 * @category models
 * @since 0.1.0
 */
export class Storage {
  readonly host = new Host("storage", 0)
  readonly #world: World
  readonly #memory: MemoryDriver.Opened
  readonly #clock: Clock.Clock
  readonly #plan: Plan
  readonly #ledger: Ledger
  readonly #trace: Trace
  readonly #listeners = new Map<Listener, Host>()
  /** Whether anybody has begun a transaction: until then no statement is looked at for one. */
  #transacted = false

  constructor(parts: {
    readonly world: World
    readonly memory: MemoryDriver.Opened
    readonly plan: Plan
    readonly ledger: Ledger
    readonly trace: Trace
  }) {
    this.#world = parts.world
    this.#memory = parts.memory
    this.#clock = parts.world.clock(this.host)
    this.#plan = parts.plan
    this.#ledger = parts.ledger
    this.#trace = parts.trace
    parts.memory.listen((wakeup) => this.#tell(wakeup))
  }

  /** All that a driver provides, as a host has it. `reliable` hosts meet no faults. */
  servicesOf(host: Host, reliable: boolean): Context.Context<Provided> {
    return Context.make(Driver.Driver, this.driverOf(host, reliable)).pipe(
      Context.add(Transaction.Transactions, this.transactionsOf(host, reliable)),
      Context.add(ScheduleStore.ScheduleStore, this.schedulesOf(host, reliable)),
    )
  }

  /** The driver as a host has it. `reliable` hosts meet no faults. */
  driverOf(host: Host, reliable: boolean): Service {
    const { driver } = this.#memory.statements
    const say = (what: string, ids = none, how = "") =>
      this.#trace.add(this.#world.now, host.name, what, this.#names(ids), how)
    const call = <A>(
      operation: string,
      run: MemoryDriver.Statement<A>,
      seen: (a: A) => void,
      ids = none,
    ) => this.#call(host, reliable, { operation, ids, run, seen })
    return {
      name: this.#memory.driver.name,
      insert: (tasks) =>
        call("insert", driver.insert(tasks), (answers) => {
          this.#ledger.inserted(tasks, answers, this.#now())
          say("stores", tasks.map((task) => task.id))
        }),
      claim: (request) =>
        call("claim", driver.claim(request), ({ tasks }) => {
          if (tasks.length === 0) return
          this.#ledger.claimed(request.worker, tasks, this.#now())
          say("claims", tasks.map((task) => task.id))
        }),
      settle: (changes) =>
        call("settle", driver.settle(changes), (answers) => {
          this.#ledger.settled(changes, answers, this.#now())
          changes.forEach(({ taskId, entry }, index) =>
            say("settles", [taskId], `as ${entry.kind} (${answers[index]?.status})`)
          )
        }, changes.map((change) => change.taskId)),
      transact: (target, decide) => {
        let changes: ReturnType<typeof decide> = []
        const run = driver.transact(target, (tasks) => changes = decide(tasks))
        return call("transact", run, (answers) => {
          this.#ledger.settled(changes, answers, this.#now())
          for (const { taskId, entry } of changes) say("records", [taskId], `as ${entry.kind}`)
        })
      },
      heartbeat: (beat) =>
        call("heartbeat", driver.heartbeat(beat), ({ live, lost }) => {
          if (!live) say("has lost its lease")
          else if (lost.length > 0) say("no longer holds", lost.map(({ id }) => id))
        }),
      limit: (queue, limits) =>
        call("limit", driver.limit(queue, limits), () => this.#ledger.limited(queue, limits)),
      prune: (request) => call("prune", driver.prune(request), () => {}),
      progress: (runs) => call("progress", driver.progress(runs), () => {}),
      find: (query) => call("find", driver.find(query), () => {}),
      queues: call("queues", driver.queues, () => {}),
      wakeups: Stream.fromChannel(Channel.fromTransform((_, scope) =>
        Effect.suspend(() => {
          const listener = new Listener()
          this.#listeners.set(listener, host)
          const leave = Effect.sync(() => this.#listeners.delete(listener))
          return Effect.as(Scope.addFinalizer(scope, leave), listener.heard)
        })
      )),
    }
  }

  /** The storage of schedules as a host has it. */
  schedulesOf(host: Host, reliable: boolean): ScheduleStore.ScheduleStore["Service"] {
    const { schedules } = this.#memory.statements
    const call = <A>(
      operation: string,
      run: MemoryDriver.Statement<A>,
      seen: (a: A) => void = () => {},
    ) => this.#call(host, reliable, { operation, ids: none, run, seen })
    return {
      find: (query) => call("find schedules", schedules.find(query)),
      due: (limit) => call("find due schedules", schedules.due(limit)),
      write: (write) =>
        call("write a schedule", schedules.write(write), (written) => {
          if (!written) return
          this.#ledger.scheduled(write, this.#now())
          const ids = write.tasks.map((task) => task.id)
          this.#trace.add(this.#world.now, host.name, "schedules", this.#names(ids), write.name)
        }),
    }
  }

  /** Transactions as a host has them: a commit crosses the network, and can be lost there. */
  transactionsOf(host: Host, reliable: boolean): Transaction.Transactions["Service"] {
    return {
      run: (effect) =>
        Effect.flatMap(CurrentNotes, (outer) => {
          this.#transacted = true
          const notes: Array<() => void> = []
          const written = () => {
            this.#trace.add(this.#world.now, host.name, "commits")
            if (outer === undefined) { for (const note of notes) note() }
            else outer.push(...notes)
          }
          const { run } = this.#memory.transactionsOver((commit) =>
            this.#call(host, reliable, { operation: "commit", ids: [], run: commit, seen: written })
          )
          // The commit is no part of what is noted inside.
          return run(Effect.provideService(effect, CurrentNotes, notes)).pipe(
            Effect.provideService(CurrentNotes, undefined),
          )
        }),
    }
  }

  /** A handler begins. */
  began(id: Task.TaskId): void {
    this.#ledger.began(id, this.#now())
  }

  #now(): number {
    return this.#clock.currentTimeMillisUnsafe()
  }

  #names(ids: ReadonlyArray<string>): ReadonlyArray<string> {
    return ids.map((id) => this.#ledger.nameOf(id))
  }

  #call<A>(host: Host, reliable: boolean, statement: Statement<A>): Effect.Effect<A, DriverError> {
    return Effect.callback<A, DriverError>((resume) => {
      const caller = Fiber.getCurrent()!.context
      const fate = reliable ? "done" : this.#plan.statement()
      if (fate === "done") this.#send(host, statement, caller, latencyMillis, resume)
      else this.#meet(fate, host, statement, caller, resume)
    })
  }

  /** A statement meets a fault. */
  #meet<A>(
    fate: Exclude<StatementFate, "done">,
    host: Host,
    statement: Statement<A>,
    caller: Context.Context<never>,
    resume: Answer<A>,
  ): void {
    const { ids, operation } = statement
    const what = `meets a fault, ${fate}: ${operation}`
    this.#trace.fault(this.#world.now, host.name, what, this.#names(ids))
    const lost = () => resume(Exit.fail(DriverError.unavailable(operation, `a fault: ${fate}`)))
    if (fate === "failed") return this.#world.after(host, 1, lost)
    const there = fate === "slow" ? this.#plan.between(1000, slowMillis) : latencyMillis
    this.#send(host, statement, caller, there, fate === "reply lost" ? lost : resume)
  }

  /** Executes a statement when it has arrived, and answers when its answer has. */
  #send<A>(
    caller: Host,
    statement: Statement<A>,
    context: Context.Context<never>,
    millis: number,
    answer: Answer<A>,
  ): void {
    const call = new Call(this.host, {
      world: this.#world,
      execute: this.#execute,
      caller,
      context,
      statement,
      answer,
    })
    this.#world.give(call, millis)
  }

  readonly #execute = <A>({ run, seen }: Statement<A>, context: Context.Context<never>) => {
    const exit = attempt(run, context, this.#now())
    if (Exit.isSuccess(exit)) this.#noted(context, seen, exit.value)
    return exit
  }

  /** What is done in a transaction is seen once that is committed. */
  #noted<A>(context: Context.Context<never>, seen: (answer: A) => void, answer: A): void {
    const notes = this.#transacted ? Context.get(context, CurrentNotes) : undefined
    if (notes === undefined) seen(answer)
    else notes.push(() => seen(answer))
  }

  #tell(wakeup: Driver.Wakeup): void {
    const told = announced(wakeup)
    for (const [listener, host] of this.#listeners) {
      if (host.state === "crashed") {
        this.#listeners.delete(listener)
        continue
      }
      const fate = this.#plan.wakeup()
      if (fate !== "heard") {
        this.#trace.fault(this.#world.now, host.name, `meets a fault, ${fate}: wakeup`)
      }
      if (fate === "lost") continue
      const millis = fate === "late" ? this.#plan.between(1000, 60_000) : latencyMillis
      this.#world.give(new Telling(host, listener, told), millis)
      if (fate !== "doubled") continue
      this.#world.give(new Telling(host, listener, told), this.#plan.between(1, 1000))
    }
  }
}

const slowMillis = 60_000

const none: ReadonlyArray<string> = []

const attempt = <A>(
  run: MemoryDriver.Statement<A>,
  caller: Context.Context<never>,
  now: number,
): Exit.Exit<A, DriverError> => {
  try {
    return run(caller, now)
  } catch (error) {
    return Exit.die(error)
  }
}
