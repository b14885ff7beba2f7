/**
 * The in-memory driver: the executable specification of the port. All state is in one process and is gone with
 * it; each member is one synchronous step on Effect's `Clock`, so that a simulation decides the order.
 *
 * @since 0.1.0
 */
import { Claiming, Driver, type DriverError, Limits, Task } from "@millrace/core"
import { Clock, Effect, Layer, PubSub, Stream } from "effect"

type Service = Driver.Driver["Service"]

/** A stored task: what was inserted, where it stands, and what happened to it. */
interface Row {
  readonly task: Driver.NewTask
  readonly enqueuedAt: number
  state: Task.State
  lease: number
  failures: number
  crashes: number
  dueAt: number | undefined
  sequence: number
  worker: string | undefined
  readonly history: Array<Driver.HistoryEntry>
}

/**
 * Provides the in-memory driver: for tests, simulations, and work that may be lost with the process.
 *
 * **Example** (A job without a database)
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict"
 * import { Job, Runs } from "@millrace/core"
 * import { MemoryDriver } from "@millrace/driver-memory"
 * import { Effect, Schema } from "effect"
 *
 * const Greet = Job.make("greet", { input: { name: Schema.String } })
 *
 * const program = Effect.gen(function*() {
 *   const runId = yield* Greet.enqueue({ name: "Ada" })
 *   return yield* Runs.get(runId)
 * })
 * const run = await Effect.runPromise(Effect.provide(program, MemoryDriver.layer))
 * deepStrictEqual([run.job, run.state], ["greet", "ready"])
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Driver.Driver> = Layer.effect(
  Driver.Driver,
  Effect.suspend(() => make),
)

/** Makes a driver with a store of its own.
 * @category constructors
 * @since 0.1.0 */
export const make: Effect.Effect<Service> = Effect.gen(function* () {
  const wakeups = yield* PubSub.unbounded<Driver.Wakeup>()
  const store = new Store((wakeup) => PubSub.publishUnsafe(wakeups, wakeup))
  const step = <A>(f: (now: number) => A): Effect.Effect<A, DriverError> =>
    Effect.map(Clock.currentTimeMillis, f)
  return Driver.Driver.of({
    name: "memory",
    insert: (tasks) => step((now) => store.insert(tasks, now)),
    claim: (request) => step((now) => store.claim(request, now)),
    settle: (changes) => step((now) => changes.map((change) => store.apply(change, now))),
    transact: (target, decide) => step((now) => store.transact(target, decide, now)),
    heartbeat: (beat) => step((now) => store.heartbeat(beat, now)),
    prune: (request) => step((now) => store.prune(request, now)),
    find: (query) => Effect.sync(() => store.find(query)),
    wakeups: Stream.fromPubSub(wakeups),
  })
})

class Store {
  readonly rows = new Map<Task.TaskId, Row>()
  /** Per queue, what stands in it, so that a claim does not look at what ended. */
  readonly queues = new Map<string, { ready: Array<Row>; scheduled: Array<Row> }>()
  readonly running = new Set<Row>()
  readonly workers = new Map<string, { expiresAt: number }>()
  sequence = 0
  readonly wake: (wakeup: Driver.Wakeup) => void

  constructor(wake: (wakeup: Driver.Wakeup) => void) {
    this.wake = wake
  }

  insert(
    tasks: ReadonlyArray<Driver.NewTask>,
    now: number,
  ): ReadonlyArray<Driver.Inserted> {
    return tasks.map((task) => {
      if (this.rows.has(task.id)) return { id: task.id, inserted: false }
      const row: Row = {
        task,
        enqueuedAt: now,
        state: "ready",
        lease: 0,
        failures: 0,
        crashes: 0,
        dueAt: undefined,
        sequence: 0,
        worker: undefined,
        history: [],
      }
      this.rows.set(task.id, row)
      this.place(row, task.dueAt ?? now + task.delayMillis, now)
      return { id: task.id, inserted: true }
    })
  }

  claim(request: Driver.ClaimRequest, now: number): Driver.Claim {
    const worker = this.workers.get(request.worker)
    if (worker === undefined || Claiming.isExpired(worker.expiresAt, now)) {
      return { tasks: [], nextDueMillis: undefined }
    }
    const claimed: Array<Row> = []
    let nextDue = Infinity
    for (const { queue, limit } of request.lanes) {
      const lane = this.lane(queue)
      this.promoteDue(lane, now)
      const batch = Claiming.batchOf(
        lane.ready.slice(0, limit).map((row) => ({ row, ...placeOf(row) })),
      )
      for (const { row } of batch) {
        row.state = "running"
        row.lease++
        row.worker = request.worker
        this.running.add(row)
        claimed.push(row)
      }
      lane.ready.splice(0, batch.length)
      nextDue = Math.min(nextDue, lane.scheduled[0]?.dueAt ?? Infinity)
    }
    return {
      tasks: claimed.map((row) => ({ ...row.task, ...taskOf(row), enqueuedAt: row.enqueuedAt })),
      nextDueMillis: nextDue === Infinity ? undefined : Math.max(0, nextDue - now),
    }
  }

  apply(change: Task.Change, now: number): Driver.Settled {
    const row = this.rows.get(change.taskId)
    const before = row?.history.find((entry) => entry.lease === change.entry.lease)
    if (before !== undefined) {
      return { taskId: change.taskId, status: "already", kind: before.kind }
    }
    if (row === undefined || row.state !== change.from || row.lease !== change.lease) {
      return { taskId: change.taskId, status: "stale" }
    }
    this.leave(row)
    const { kind, lease, attempt, elapsedMillis, output, failure } = change.entry
    row.lease = lease
    row.history.push({
      kind,
      lease,
      attempt,
      startedAt: elapsedMillis === undefined ? undefined : now - elapsedMillis,
      at: now,
      output,
      failure,
    })
    row.failures = change.failures
    row.crashes = change.crashes
    if (change.to.state === "ready") {
      this.place(row, now + change.to.delayMillis, now)
    } else {
      row.state = change.to.state
      if (row.task.awaited) this.wake({ _tag: "Ended", runId: row.task.runId })
    }
    if (kind === "cancelled" && change.from === "running") {
      this.wake({ _tag: "Cancelled", taskId: row.task.id })
    }
    return { taskId: change.taskId, status: "applied", kind }
  }

  transact(
    target: Driver.Target,
    decide: (tasks: ReadonlyArray<Task.Task>) => ReadonlyArray<Task.Change>,
    now: number,
  ): ReadonlyArray<Driver.Settled> {
    const rows = target._tag === "Tasks"
      ? target.ids.flatMap((id) => this.rows.get(id) ?? [])
      : this.expired(now).slice(0, target.limit)
    return decide(rows.map(taskOf)).map((change) => this.apply(change, now))
  }

  heartbeat(beat: Driver.Heartbeat, now: number): Driver.Pulse {
    const worker = this.workers.get(beat.worker)
    if (worker !== undefined && Claiming.isExpired(worker.expiresAt, now)) {
      return { live: false, lost: beat.held.map((held) => held.id) }
    }
    if (beat.leaseMillis === 0) this.workers.delete(beat.worker)
    else this.workers.set(beat.worker, { expiresAt: now + beat.leaseMillis })
    const lost = beat.held.filter(({ id, lease }) => {
      const row = this.rows.get(id)
      return row?.state !== "running" || row.lease !== lease || row.worker !== beat.worker
    })
    return { live: true, lost: lost.map((held) => held.id) }
  }

  prune(request: Driver.PruneRequest, now: number): number {
    let pruned = 0
    for (const [id, row] of this.rows) {
      if (pruned === request.limit) break
      const last = row.history.at(-1)
      if (!Task.isTerminal(row.state) || last === undefined) continue
      if (last.at > now - request.olderThanMillis) continue
      this.rows.delete(id)
      pruned++
    }
    return pruned
  }

  find(query: Driver.FindQuery): ReadonlyArray<Driver.TaskRecord> {
    const rows = query.runs === undefined
      ? [...this.rows.values()]
      : [...new Set(query.runs)].flatMap((id) => this.rows.get(id) ?? [])
    return rows
      .filter((row) => query.flow === undefined || row.task.flow === query.flow)
      .filter((row) => query.queue === undefined || row.task.queue === query.queue)
      .filter((row) => query.states === undefined || query.states.includes(row.state))
      .sort((a, b) => a.task.id < b.task.id ? -1 : 1)
      .slice(0, query.limit)
      .map((row) => ({
        ...row.task,
        ...taskOf(row),
        enqueuedAt: row.enqueuedAt,
        dueAt: row.dueAt,
        history: [...row.history],
      }))
  }

  /** Puts a task among the ready or the scheduled ones of its queue. */
  private place(row: Row, dueAt: number, now: number): void {
    const lane = this.lane(row.task.queue)
    row.state = "ready"
    row.worker = undefined
    if (Claiming.isDue(dueAt, now)) {
      row.dueAt = undefined
      row.sequence = ++this.sequence
      insertSorted(lane.ready, row, (a, b) => Claiming.byPlace(placeOf(a), placeOf(b)))
      this.wake({ _tag: "Ready", queue: row.task.queue })
    } else {
      row.dueAt = dueAt
      insertSorted(lane.scheduled, row, byDue)
    }
  }

  private leave(row: Row): void {
    const lane = this.lane(row.task.queue)
    if (row.state === "running") this.running.delete(row)
    else if (row.state === "ready" && row.dueAt === undefined) remove(lane.ready, row)
    else if (row.state === "ready") remove(lane.scheduled, row)
    row.dueAt = undefined
    row.worker = undefined
  }

  private promoteDue(lane: { ready: Array<Row>; scheduled: Array<Row> }, now: number): void {
    const due = lane.scheduled
      .slice(0, Limits.duePerClaim)
      .filter((row) => Claiming.isDue(row.dueAt!, now))
    lane.scheduled.splice(0, due.length)
    for (const row of due) {
      row.dueAt = undefined
      row.sequence = ++this.sequence
      insertSorted(lane.ready, row, (a, b) => Claiming.byPlace(placeOf(a), placeOf(b)))
    }
  }

  private expired(now: number): ReadonlyArray<Row> {
    for (const [id, { expiresAt }] of this.workers) {
      if (Claiming.isExpired(expiresAt, now) && !this.holds(id)) this.workers.delete(id)
    }
    return [...this.running].filter((row) => {
      const worker = this.workers.get(row.worker!)
      return worker === undefined || Claiming.isExpired(worker.expiresAt, now)
    })
  }

  private holds(worker: string): boolean {
    for (const row of this.running) if (row.worker === worker) return true
    return false
  }

  private lane(queue: string) {
    let lane = this.queues.get(queue)
    if (lane === undefined) this.queues.set(queue, lane = { ready: [], scheduled: [] })
    return lane
  }
}

const placeOf = (row: Row): Claiming.Place => ({
  priority: row.task.priority,
  sequence: row.sequence,
  crashes: row.crashes,
})

const taskOf = (row: Row): Task.Task => ({
  id: row.task.id,
  state: row.state,
  lease: row.lease,
  failures: row.failures,
  crashes: row.crashes,
  maxAttempts: row.task.maxAttempts,
  maxCrashes: row.task.maxCrashes,
  awaited: row.task.awaited,
})

const byDue = (a: Row, b: Row) => a.dueAt! - b.dueAt! || (a.task.id < b.task.id ? -1 : 1)

const insertSorted = <A>(all: Array<A>, one: A, order: (a: A, b: A) => number): void => {
  let low = 0
  let high = all.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (order(all[middle]!, one) <= 0) low = middle + 1
    else high = middle
  }
  all.splice(low, 0, one)
}

const remove = <A>(all: Array<A>, one: A): void => {
  const at = all.indexOf(one)
  if (at >= 0) all.splice(at, 1)
}
