/**
 * What the storage has answered, and whether that can be: the invariants of every task, checked
 * with each statement.
 *
 * @since 0.1.0
 */
import {
  Claiming,
  type Driver,
  Expiry,
  type Limiting,
  type ScheduleStore,
  Task,
  Uniqueness,
} from "@millrace/core"
import { Branches } from "./Branches.ts"
import { LimitBooks, type Member } from "./Limits.ts"
import { Occurrences } from "./Occurrences.ts"

interface Account extends Member {
  /** How the trace calls the task. */
  readonly name: string
  readonly flow: string
  readonly priority: number
  readonly maxAttempts: number
  readonly maxCrashes: number
  state: Task.State
  lease: number
  putOff: boolean
  worker: string | undefined
  dueAt: number
  readonly enqueuedAt: number
  readonly expiresAt: number | undefined
  /** Whether something of it has begun, so that it does not expire any more. */
  begun: boolean
  /** How often it was woken, as the own task of a run. */
  wakes: number
}

/**
 * Keeps the books of one simulated storage.
 *
 * @category models
 * @since 0.1.0
 */
export class Ledger {
  readonly #accounts = new Map<Task.TaskId, Account>()
  readonly #branches = new Branches()
  readonly #limits = new LimitBooks()
  /** The task that took each key last. */
  readonly #keys = new Map<string, Task.TaskId>()
  readonly #occurrences = new Occurrences()
  /** The tasks that have not ended. */
  readonly #open = new Set<Account>()
  /** The first thing that cannot be, in a sentence. */
  broken: string | undefined
  /** The task that this is about, as the trace calls it. */
  brokenTask: string | undefined

  /** How many tasks have not ended. */
  get open(): number {
    return this.#open.size
  }

  nameOf(id: Task.TaskId): string {
    return this.#accounts.get(id)?.name ?? "an unknown task"
  }

  /** The first task that has not ended. */
  firstOpen(): Pick<Account, "name" | "flow" | "state"> | undefined {
    for (const account of this.#accounts.values()) {
      if (!Task.isTerminal(account.state)) return account
    }
    return undefined
  }

  inserted(
    tasks: ReadonlyArray<Driver.NewTask>,
    answers: ReadonlyArray<Driver.Inserted>,
    now: number,
  ): void {
    tasks.forEach((task, index) => {
      this.#clashed(task, answers[index], now)
      if (answers[index]?.inserted !== true) return
      if (this.#accounts.has(task.id)) return this.#break("was stored twice", task.id)
      this.#store(task, now)
    })
    const told = tasks.filter((task, index) =>
      answers[index]?.inserted === true && task.ended !== undefined &&
      task.parent !== undefined && this.#branches.isEnded(task.parent, task.step)
    )
    for (const id of new Set(told.map(({ parent }) => parent!))) this.#wake(id, now)
  }

  #store(task: Driver.NewTask, now: number): void {
    const { flow, queue, group, priority, maxAttempts, maxCrashes, ended } = task
    const dueAt = task.dueAt ?? now + task.delayMillis
    const account: Account = {
      name: `${flow} ${this.#accounts.size + 1}`,
      flow,
      queue,
      group,
      priority,
      maxAttempts,
      maxCrashes,
      number: this.#accounts.size,
      delayed: !Claiming.isDue(dueAt, now),
      putOff: false,
      state: ended?.state ?? task.state ?? "ready",
      lease: ended === undefined ? 0 : 1,
      worker: undefined,
      dueAt,
      enqueuedAt: now,
      expiresAt: Expiry.expiresAt(task, now),
      begun: false,
      wakes: 0,
    }
    this.#accounts.set(task.id, account)
    if (ended === undefined) this.#open.add(account)
    if (this.#branches.stored(task) !== undefined) this.#break("was started before", task.id)
  }

  #wake(id: Task.TaskId, now: number): void {
    const account = this.#accounts.get(id)
    if (account === undefined) return
    account.wakes++
    if (account.state === "waiting") Object.assign(account, { state: "ready", dueAt: now })
  }

  /**
   * A schedule was written: its tasks were stored with it, each for another occurrence, but for
   * those whose key another one had.
   */
  scheduled(write: ScheduleStore.Write, now: number): void {
    const { tasks } = write
    for (const task of tasks) this.inserted([task], [this.#expected(task, now)], now)
    const wrong = this.#occurrences.written(write, now)
    if (wrong?.id !== undefined) this.#break(wrong.how, wrong.id)
    else if (wrong !== undefined) this.broken ??= `Schedule "${write.name}" ${wrong.how}`
  }

  /** What has to become of a task that nobody is told of. */
  #expected(task: Driver.NewTask, now: number): Driver.Inserted {
    const { id, unique } = task
    if (this.#accounts.has(id)) return { id, inserted: false }
    const { before, taken } = this.#holder(task, now)
    if (before === undefined || !taken) return { id, inserted: true }
    return unique?.onClash === "ignore" || Task.isTerminal(this.#accounts.get(before)!.state)
      ? { id, inserted: false, holder: before }
      : { id, inserted: true, replaced: before }
  }

  /** The task that took the key of another one last, and whether it has it. */
  #holder({ flow, unique }: Driver.NewTask, now: number) {
    const before = unique && this.#keys.get(Uniqueness.nameOf(flow, unique.key))
    const account = before === undefined ? undefined : this.#accounts.get(before)
    const taken = account !== undefined && unique!.states.includes(account.state) &&
      now - account.enqueuedAt < (unique!.periodMillis ?? Infinity)
    return { before, account, taken }
  }

  /** What became of a task with a key, by who had the key. */
  #clashed(task: Driver.NewTask, answer: Driver.Inserted | undefined, now: number) {
    const { flow, id, unique } = task
    if (unique === undefined || answer === undefined) return
    const { account, before, taken } = this.#holder(task, now)
    if (answer.holder !== undefined && (!taken || answer.holder !== before)) {
      this.#break("has a key that nobody could be refused for", answer.holder)
    }
    if (!answer.inserted) return
    if (taken && answer.replaced !== before) this.#break("lost its key while it had it", before!)
    if (answer.replaced !== undefined && account !== undefined) {
      const begun = account.state !== "ready" || account.lease > 0
      account.lease += account.state === "running" ? 0 : 1
      account.worker = undefined
      // A run of a flow that has begun has to unwind.
      if (task.flowType === "flow" && begun) Object.assign(account, { state: "ready", dueAt: now })
      else {
        account.state = "cancelled"
        this.#open.delete(account)
      }
    }
    this.#keys.set(Uniqueness.nameOf(flow, unique.key), id)
  }

  /** Somebody says the limits of a queue. */
  limited(queue: string, limits: Limiting.QueueLimits | null | undefined): void {
    if (limits !== undefined) this.#limits.said(queue, limits)
  }

  claimed(worker: string, tasks: ReadonlyArray<Driver.ClaimedTask>, now: number): void {
    for (const task of tasks) {
      const account = this.#accounts.get(task.id)
      if (account === undefined) {
        this.#break("was claimed and never stored", task.id)
        continue
      }
      if (account.state !== "ready") this.#break(`was claimed while ${account.state}`, task.id)
      if (task.lease <= account.lease) this.#break("was claimed with an old lease", task.id)
      if (!Claiming.isDue(account.dueAt, now)) this.#break("was claimed before it was due", task.id)
      if (task.crashes > 0 && tasks.length > 1) {
        this.#break("was claimed with others although it had crashed", task.id)
      }
      account.state = "running"
      const wrong = this.#limits.claimed(account, this.#open, now)
      if (wrong !== undefined) this.#break(wrong, task.id)
      account.lease = task.lease
      account.putOff = false
      account.worker = worker
    }
  }

  /** A handler begins. */
  began(id: Task.TaskId, now: number): void {
    const account = this.#accounts.get(id)
    if (account === undefined) return
    const isOver = Expiry.isOver(account.expiresAt ?? Infinity, now)
    if (isOver && !account.begun) this.#break("began after it had expired", id)
    account.begun = true
  }

  settled(
    changes: ReadonlyArray<Task.Change>,
    answers: ReadonlyArray<Driver.Settled>,
    now: number,
  ): void {
    const applied = changes.filter((_, index) => answers[index]?.status === "applied")
    for (const change of applied) this.#applied(change, now)
    for (const task of applied.flatMap(({ starts = [] }) => starts)) {
      if (!this.#accounts.has(task.id)) this.#store(task, now)
    }
    const reports = applied.flatMap(({ report }) => report ?? [])
    for (const report of reports) this.#branches.reported(report)
    const told = reports.filter(({ parent, step, wakes }) =>
      wakes || this.#branches.isEnded(parent, step)
    )
    for (const id of new Set(told.map(({ parent }) => parent))) this.#wake(id, now)
    for (const { taskId, to } of applied) {
      const account = this.#accounts.get(taskId)
      if (to.state !== "waiting" || account?.state !== "waiting") continue
      if (account.wakes > to.seen) Object.assign(account, { state: "ready", dueAt: now })
    }
  }

  #applied(change: Task.Change, now: number): void {
    const account = this.#accounts.get(change.taskId)
    if (account === undefined) return this.#break("was changed and never stored", change.taskId)
    const { state, lease, maxAttempts, maxCrashes } = account
    if (Task.isTerminal(state) && change.entry.kind !== "retried") {
      this.#break(`was ${change.entry.kind} after it had ended`, change.taskId)
    }
    if (state !== change.from || lease !== change.lease) {
      this.#break("was changed with a lease that was not its own", change.taskId)
    }
    if (change.failures > maxAttempts) this.#break("failed too often", change.taskId)
    if (change.crashes > maxCrashes + 1) this.#break("crashed too often", change.taskId)
    if (change.entry.failure?.reason === "Expired") {
      const isOver = Expiry.isOver(account.expiresAt ?? Infinity, now)
      if (!isOver || account.begun) this.#break("expired although it could begin", change.taskId)
    }
    const { elapsedMillis: startedAt, kind } = change.entry
    account.begun ||= Expiry.isBeginning({ kind, startedAt })
    if (Task.isTerminal(state)) this.#open.add(account)
    account.state = change.to.state
    account.lease = change.entry.lease
    account.putOff = kind === "rescheduled" && (lease === 0 || account.putOff)
    account.worker = undefined
    if (change.to.state === "ready") account.dueAt = change.to.dueAt ?? now + change.to.delayMillis
    else if (change.to.state !== "waiting") this.#open.delete(account)
  }

  #break(how: string, id: Task.TaskId): void {
    if (this.broken !== undefined) return
    this.brokenTask = this.nameOf(id)
    this.broken = `Task "${this.brokenTask}" ${how}`
  }
}
