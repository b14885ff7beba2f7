/**
 * All that the in-memory driver stores, and what the port does with it, one synchronous step each.
 *
 * @since 0.1.0
 */
import { type Driver, Limiting, Task, Uniqueness } from "@millrace/core"
import { Expiring } from "./Expiring.ts"
import { find, queuesOf } from "./Finding.ts"
import { Lane } from "./Lane.ts"
import { LimitedQueues } from "./LimitedQueues.ts"
import { prune } from "./Pruning.ts"
import * as Row from "./Row.ts"
import { Schedules } from "./Schedules.ts"
import { Sessions } from "./Sessions.ts"
import { Tree } from "./Tree.ts"

type Tasks = ReadonlyArray<Driver.NewTask>
type Decide = (tasks: ReadonlyArray<Task.Task>) => ReadonlyArray<Task.Change>

export class Store {
  readonly rows = new Map<Task.TaskId, Row.Row>()
  readonly runs = new Map<string, Set<Row.Row>>()
  readonly lanes = new Map<string, Lane>()
  readonly running = new Set<Row.Row>()
  /** The task that took each key last. */
  readonly keys = new Map<string, Task.TaskId>()
  readonly tree = new Tree()
  private readonly expiring = new Expiring()
  readonly limited = new LimitedQueues()
  readonly schedules = new Schedules()
  private sessions = new Sessions()
  private readonly wake: (wakeup: Driver.Wakeup) => void
  private sequence = 0

  constructor(wake: (wakeup: Driver.Wakeup) => void) {
    this.wake = wake
  }

  /** A copy that shares nothing with this one but its sessions, and wakes nobody. */
  fork(): Store {
    const copy = new Store(() => {})
    const twins = new Map<Row.Row, Row.Row>()
    const twinOf = (row: Row.Row) => twins.get(row)!
    for (const [id, row] of this.rows) {
      const twin = Row.copy(row)
      twins.set(row, twin)
      copy.rows.set(id, twin)
    }
    for (const [id, rows] of this.runs) copy.runs.set(id, new Set([...rows].map(twinOf)))
    for (const [queue, lane] of this.lanes) copy.lane(queue).fill(lane, twinOf)
    for (const row of this.running) copy.running.add(twinOf(row))
    for (const [name, id] of this.keys) copy.keys.set(name, id)
    copy.tree.fill(this.tree, twinOf)
    copy.expiring.fill(this.expiring, (row) => twins.get(row))
    copy.limited.fill(this.limited)
    copy.schedules.fill(this.schedules)
    copy.sessions = this.sessions
    copy.sequence = this.sequence
    return copy
  }

  insert(tasks: Tasks, now: number, refuses = true): ReadonlyArray<Driver.Inserted> {
    const known: Uniqueness.Known = {
      exists: (id) => this.rows.has(id),
      holderOf: (flow, key) => {
        const row = this.rows.get(this.keys.get(Uniqueness.nameOf(flow, key)) ?? "")
        return row && { ...Row.taskOf(row), enqueuedAt: row.enqueuedAt }
      },
    }
    for (const task of tasks) this.limited.note(task)
    const { taken, verdicts } = Uniqueness.decide(tasks, known, now)
    const depthOf = (queue: string) => this.limited.depthOf(this.lane(queue))
    const full = Limiting.fullOf(tasks, verdicts, depthOf)
    if (refuses && full !== undefined) return tasks.map(({ id }) => ({ id, inserted: false, full }))
    const stored = tasks.filter((_, index) => verdicts[index]!.stored)
    for (const task of stored) this.store(task, now)
    const told = stored.flatMap(({ ended, parent, step }) =>
      ended !== undefined && parent !== undefined && this.tree.isEnded(parent, step) ? [parent] : []
    )
    this.wakeRuns(new Set(told), [], now)
    this.settle(verdicts.flatMap(({ replaced }) => replaced ?? []), now)
    for (const [name, { id }] of taken) this.keys.set(name, id)
    return tasks.map(({ id }, index) => Uniqueness.answerOf(id, verdicts[index]!))
  }

  claim(request: Driver.ClaimRequest, now: number): Driver.Claim {
    const session = this.sessions.live(request.worker, now)
    if (session === undefined) return { tasks: [], nextDueMillis: undefined }
    const { found, nextDue } = this.look(request.lanes, now)
    if (!found) return { tasks: [], nextDueMillis: millisTo(nextDue, now) }
    const asked = new Map<Lane, number>()
    for (const { queue, limit } of request.lanes) {
      const lane = this.lane(queue)
      asked.set(lane, (asked.get(lane) ?? 0) + limit)
    }
    const taken = this.limited.take(request, asked, this.running, now)
    const { claimed } = taken
    for (const row of claimed) {
      row.state = "running"
      row.lease++
      row.session = session
      this.running.add(row)
    }
    return {
      tasks: claimed.map((row) => this.limited.claimedOf(row, now)),
      nextDueMillis: millisTo(Math.min(nextDue, taken.nextDue), now),
    }
  }

  /** Whether some lanes may have something to claim, and when the next of their tasks is due. */
  private look(lanes: Driver.ClaimRequest["lanes"], now: number) {
    let found = false
    let nextDue = Infinity
    for (const { queue } of lanes) {
      const lane = this.lane(queue)
      lane.promote(now)
      found ||= !lane.isEmpty || this.limited.has(queue)
      nextDue = Math.min(nextDue, lane.nextDue)
    }
    return { found, nextDue }
  }

  limit(
    queue: string,
    limits: Limiting.QueueLimits | null | undefined,
  ): Limiting.QueueLimits | undefined {
    const answer = this.limited.say(queue, limits)
    if (limits !== undefined) this.wake({ _tag: "Ready", queue })
    return answer
  }

  settle(
    changes: ReadonlyArray<Task.Change>,
    now: number,
    byHand = false,
  ): ReadonlyArray<Driver.Settled> {
    if (changes.length === 0) return []
    const settled = changes.map((change) => this.apply(change, now, byHand))
    const applied = changes.filter((_, index) => settled[index]!.status === "applied")
    // A run knows what it starts itself, so that wakes nobody.
    for (const { starts = [] } of applied) for (const task of starts) this.store(task, now)
    const reports = applied.flatMap(({ report }) => report ?? [])
    for (const report of reports) this.tree.report(report)
    const told = reports.filter(({ parent, step, wakes }) =>
      wakes || this.tree.isEnded(parent, step)
    )
    this.wakeRuns(new Set(told.map(({ parent }) => parent)), applied, now)
    return settled
  }

  private apply(change: Task.Change, now: number, byHand: boolean): Driver.Settled {
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
    const startedAt = elapsedMillis === undefined ? undefined : now - elapsedMillis
    row.history.push({ kind, lease, attempt, startedAt, at: now, output, failure })
    row.lease = lease
    row.failures = change.failures
    row.crashes = change.crashes
    this.go(row, change.to, now)
    // A worker that gives a task up knows of it.
    const stops = kind === "cancelled" || (byHand && kind === "discarded")
    if (stops && change.from === "running") {
      this.wake({ _tag: "Cancelled", taskId: row.task.id })
    }
    return { taskId: change.taskId, status: "applied", kind }
  }

  transact(target: Driver.Target, decide: Decide, now: number): ReadonlyArray<Driver.Settled> {
    const rows = target._tag === "Expired"
      ? this.sessions.lost(this.running, now).slice(0, target.limit)
      : target._tag === "Overdue"
      ? this.expiring.overdue(now, target.limit)
      : this.reached(target)
    return this.settle(decide(rows.map(Row.taskOf)), now, true)
  }

  heartbeat(beat: Driver.Heartbeat, now: number): Driver.Pulse {
    const { worker, held, leaseMillis } = beat
    const before = this.sessions.get(worker)
    if (before !== undefined && this.sessions.live(worker, now) === undefined) {
      return { live: false, lost: held }
    }
    if (leaseMillis === 0) this.sessions.end(worker)
    else this.sessions.extend(worker, now + leaseMillis)
    const holds = ({ id, lease }: { readonly id: Task.TaskId; readonly lease: number }) => {
      const row = this.rows.get(id)
      return row?.session !== undefined && row.session === before && row.lease === lease
    }
    const lost = held.filter((one) => !holds(one))
    const said = leaseMillis === 0 ? undefined : beat.progress?.filter(holds)
    for (const { id, ...own } of said ?? []) {
      this.rows.get(id)!.progress = { note: undefined, ...own, at: now }
    }
    return { live: true, lost }
  }

  prune(request: Driver.PruneRequest, now: number): number {
    return prune(this, request, now)
  }

  find(query: Driver.FindQuery): ReadonlyArray<Driver.TaskRecord> {
    return find(this, query)
  }

  queues(now: number): ReadonlyArray<Driver.QueueState> {
    return queuesOf(this, now)
  }

  progress(runs: ReadonlyArray<Task.TaskId>): ReadonlyArray<Driver.RunProgress> {
    return [...new Set(runs)].flatMap((id) => {
      const row = this.rows.get(id)
      return row === undefined ? [] : [this.tree.progressOf(row)]
    })
  }

  private reached(target: Extract<Driver.Target, { readonly ids: unknown }>) {
    const rows = [...new Set(target.ids)].flatMap((id) => this.rows.get(id) ?? [])
    return target._tag === "Tasks" ? rows : this.tree.below(rows)
  }

  /** Stores a task, unless its id is there. */
  private store(task: Driver.NewTask, now: number): void {
    if (this.rows.has(task.id)) return
    const row = Row.make(task, now)
    this.rows.set(task.id, row)
    const run = this.runs.get(task.runId)
    if (run === undefined) this.runs.set(task.runId, new Set([row]))
    else run.add(row)
    if (row.state === "ready") this.place(row, task.dueAt ?? now + task.delayMillis, now)
    if (task.parent !== undefined) this.tree.add(task.parent, row)
    this.expiring.add(row)
  }

  /**
   * Wakes the own tasks of runs: now, or as soon as they would wait. So do those that have just
   * come to wait, and were woken since they looked.
   */
  private wakeRuns(
    told: ReadonlySet<Task.TaskId>,
    changes: ReadonlyArray<Task.Change>,
    now: number,
  ): void {
    if (told.size === 0 && !changes.some(({ to }) => to.state === "waiting")) return
    const late = changes.flatMap(({ taskId, to }) =>
      to.state === "waiting" && this.rows.get(taskId)!.wakes > to.seen ? [taskId] : []
    )
    for (const id of [...new Set([...told, ...late])].sort()) {
      const row = this.rows.get(id)
      if (row === undefined) continue
      if (told.has(id)) row.wakes++
      if (row.state === "waiting") this.place(row, now, now)
    }
  }

  /** Lets a task go where a change takes it. */
  private go(row: Row.Row, to: Task.Destination, now: number): void {
    if (to.state === "ready") return this.place(row, to.dueAt ?? now + to.delayMillis, now)
    row.state = to.state
    if (Task.isTerminal(to.state) && row.task.awaited) {
      this.wake({ _tag: "Ended", runId: row.task.runId })
    }
  }

  /** Puts a task among the ready or the scheduled ones of its queue. */
  private place(row: Row.Row, dueAt: number, now: number): void {
    row.state = "ready"
    const { queue } = row.task
    if (this.lane(queue).add(row, dueAt, now)) this.wake({ _tag: "Ready", queue })
  }

  /** Takes a task from where it stands. */
  private leave(row: Row.Row): void {
    if (row.state === "ready") this.lane(row.task.queue).remove(row)
    this.running.delete(row)
    row.session = undefined
  }

  private lane(queue: string): Lane {
    let lane = this.lanes.get(queue)
    if (lane === undefined) this.lanes.set(queue, lane = new Lane(queue, () => ++this.sequence))
    return lane
  }
}

const millisTo = (due: number, now: number): number | undefined =>
  due === Infinity ? undefined : Math.max(0, due - now)
