/**
 * The port to the storage: eleven members that store, lock, wake and tell the time, and decide
 * nothing.
 *
 * **Details**
 *
 * Everything is a batch. Only encoded values cross. Durations go down and instants (milliseconds
 * since 1970 on the driver's own clock) come up. Each line under a member's **Details** is a
 * guarantee, and the name of a conformance case that checks it.
 *
 * @since 0.1.0
 */
import type { Effect, Stream } from "effect"
import { Context } from "effect"
import type { DriverError } from "./DriverError.ts"
import type {
  Claim,
  ClaimRequest,
  FindQuery,
  Heartbeat,
  Inserted,
  NewTask,
  PruneRequest,
  Pulse,
  QueueState,
  RunProgress,
  Settled,
  Target,
  TaskRecord,
  Wakeup,
} from "./Exchange.ts"
import type { QueueLimits } from "./Limiting.ts"
import type { Change, Task, TaskId } from "./Task.ts"

export type * from "./Exchange.ts"

/**
 * Storage, locking, waking and the clock.
 *
 * @category services
 * @since 0.1.0
 */
export class Driver extends Context.Service<Driver, {
  /** What the driver is called in logs, such as `memory`. */
  readonly name: string

  /**
   * Stores tasks, all or none.
   *
   * **Details**
   *
   * - An inserted task is ready at once, or scheduled where it has a delay
   * - Inserting an id that exists changes nothing and says so
   * - An insert wakes a worker that waits
   * - Of many inserts with one key one is stored, and the others answer its id
   * - A key is free again once its task is in none of the states that were given
   * - A key is free again once the period since its task was stored is over
   * - A task that replaces another one cancels it
   * - A key belongs to a job: another job may have the same
   * - A task that is stored as ended is never claimed, and has one entry
   * - A task that is stored as ended wakes the run that it is a step of
   * - A batch that would take a queue beyond its maximum depth is not stored, and says so
   * - A run that is stored as waiting is not claimed
   * - An id that is twice in a batch is counted once
   * - The expiry of a task counts from when it is due, and is read with it
   * - The labels of a task are stored with it, and answered in one order
   * - A task that is not stored leaves no labels
   */
  readonly insert: (
    tasks: ReadonlyArray<NewTask>,
  ) => Effect.Effect<ReadonlyArray<Inserted>, DriverError>

  /**
   * Hands out tasks that are due, each with a lease number greater than every earlier one of the
   * task.
   *
   * **Details**
   *
   * - A claim takes the due tasks of a queue by priority, then in the order of becoming ready
   * - A claim for the eldest takes the priority whose first task has waited longest
   * - A task is claimed by one worker only
   * - A scheduled task is claimed once its time has come, and not before
   * - A claim takes no more than the limit of each queue
   * - A task that has crashed is claimed alone
   * - A task that has crashed is claimed alone among all queues of a claim
   * - A worker whose lease expired claims nothing
   * - A queue never has more tasks held than its limit, over all workers
   * - A queue hands out no more tasks than its rate has tokens
   * - A key never has more tasks held than its limit
   * - A key hands out no more tasks than its rate has tokens
   * - The tasks of a key are claimed one at a time, in the order of storing
   * - A task that waits for its next attempt blocks those of its key behind it
   * - Where a key skips, a task that waits for its next attempt lets those behind it go on
   * - Keys take turns, each with as many tasks as its weight
   * - A task that is settled, or whose worker is lost, makes room for another
   * - A claim says how long a task may still begin, where it expires
   * - A task that has expired is claimed, and has no time left to begin
   * - A task that was given back before it began still expires
   * - A task of which something has begun does not expire any more
   * - A task whose worker was lost has begun, for all that anybody knows
   */
  readonly claim: (request: ClaimRequest) => Effect.Effect<Claim, DriverError>

  /**
   * Applies the changes of running tasks, each by itself, fenced by its lease.
   *
   * **Details**
   *
   * - Settling with the lease of the claim applies
   * - Settling again with the same lease answers what was stored
   * - Settling with another lease changes nothing
   * - A task that goes back to ready keeps its history and its counts
   * - A task that waits is not claimed until it is woken
   * - A task that was woken since it looked does not wait
   * - What a change starts is stored if the change applies, and only then
   * - A step that ends wakes its run once all of its tasks have ended
   * - A report that wakes does so at once
   * - A run is woken once for a batch, however many of its tasks end in it
   * - A run that is woken keeps its group
   * - A wake of a run that has ended is counted, and changes nothing else
   * - A wake of a run that is put off is counted, and does not hurry it
   * - What a change starts as ended wakes nobody
   * - What a change starts and is there already is left alone
   * - A change whose reply was lost starts nothing twice
   */
  readonly settle: (
    changes: ReadonlyArray<Change>,
  ) => Effect.Effect<ReadonlyArray<Settled>, DriverError>

  /**
   * Locks tasks, has them decided on, and applies all of the decided changes or none.
   *
   * **Details**
   *
   * - A decision sees each task as it stands
   * - A task that does not exist is not decided on
   * - A decision on a run sees all tasks below it
   * - A decision sees to which run a task belongs
   * - Runs of which one is below the other are decided on once
   * - A ready task that is discarded by hand has failed, and never runs
   * - A running task that is discarded by hand has failed, whatever its worker says later
   * - A task that is rescheduled is claimed at its new time, and not before
   * - A task that is rescheduled to an instant is due at that instant
   * - A task that is rescheduled keeps its history, its counts and its priority
   * - Only a task that is ready is rescheduled
   * - A task that has begun keeps its turn among those of its key when it is put off
   * - A task of a key that is put off by hand holds up nobody until it has begun
   * - The tasks of a worker are expired once its lease has ended, and not before
   * - A ready task is overdue from its expiry on, and not before
   * - A running task is not overdue
   * - Those that expired first are overdue first, up to the limit
   * - A task of a paused queue is overdue as any other
   * - A task that is retried by hand after it expired does not expire again
   */
  readonly transact: (
    target: Target,
    decide: (tasks: ReadonlyArray<Task>) => ReadonlyArray<Change>,
  ) => Effect.Effect<ReadonlyArray<Settled>, DriverError>

  /**
   * Begins, extends or ends a worker's session, and tells it what it lost.
   *
   * **Details**
   *
   * - A heartbeat extends the lease of everything the worker holds
   * - A heartbeat never revives an expired lease
   * - A heartbeat names the held tasks that were cancelled or taken over
   * - Of a task that is held under two leases a heartbeat names the lease that is lost
   * - The progress that a heartbeat brings is read with its task
   * - Progress is stored of the attempt that holds its task, and of no other
   * - The progress of an attempt is read until the next one begins
   * - Progress that comes after the lease has ended is not stored
   */
  readonly heartbeat: (beat: Heartbeat) => Effect.Effect<Pulse, DriverError>

  /**
   * Says which limits a queue has from now on, for all workers at once; `null` for none, and
   * `undefined` only asks. Answers those that it had.
   *
   * **Details**
   *
   * - The limits that were said last hold, and are answered
   * - What is held already counts when a limit is said
   * - Nothing is claimed from a queue that is paused, and all of it once it goes on
   * - A queue stays paused whatever limits are said, and keeps its limits when it is paused
   */
  readonly limit: (
    queue: string,
    limits: QueueLimits | null | undefined,
  ) => Effect.Effect<QueueLimits | undefined, DriverError>

  /**
   * Removes ended tasks with their history and answers how many.
   *
   * **Details**
   *
   * - Pruning removes what ended before the given age, and nothing else
   * - The task of a step is pruned only after its run
   * - Pruning the runs of one definition leaves those of others
   * - Pruning the runs that ended one way leaves those that ended another
   * - Pruning keeps the newest runs where a count is given
   * - A run of a flow is pruned with all that is below it, once all of that has ended
   * - Pruning what ended within a time leaves what ended before
   * - Nothing is found by the labels of a task that was pruned
   * - A task that goes on while its run was pruned ends as ever
   */
  readonly prune: (request: PruneRequest) => Effect.Effect<number, DriverError>

  /**
   * Reads how far the steps of runs are.
   *
   * **Details**
   *
   * - Progress counts the tasks of each step, and how they ended
   * - Progress tells why a run is unwinding, until it is retried
   * - A run that does not exist has no progress
   * - The steps of a progress are in the order of their names
   * - A settle that is stale or repeated is not counted
   */
  readonly progress: (
    runs: ReadonlyArray<TaskId>,
  ) => Effect.Effect<ReadonlyArray<RunProgress>, DriverError>

  /**
   * Reads tasks with their history.
   *
   * **Details**
   *
   * - Tasks are found in the order of their ids
   * - Every condition that is given must hold
   * - Tasks of steps are found by the own task of their run
   * - Many tasks are found page by page
   * - Tasks are found in the opposite order of their ids
   * - Pages in the opposite order go on before an id
   * - The own tasks of runs are found without those of steps
   * - Tasks are found by the key of their group
   * - The task that took a key last is found by it
   * - Tasks are found by when they were stored
   * - Tasks are found by their tags, and have all of those that are asked for
   * - Tasks are found by their metadata, name and value together
   */
  readonly find: (
    query: FindQuery,
  ) => Effect.Effect<ReadonlyArray<TaskRecord>, DriverError>

  /**
   * Reads what waits and runs in each queue, in the order of their names.
   *
   * **Details**
   *
   * - The queues are those with tasks that have not ended, and those of which limits were said
   * - A queue counts its tasks as due, due later and running
   * - The age of a queue is that of the task that has been due longest, of those claimed first
   * - Queues are read with their limits, and whether they are paused
   */
  readonly queues: Effect.Effect<ReadonlyArray<QueueState>, DriverError>

  /**
   * The wakeups from the moment of running on. Where a driver cannot hear at once, or not for a
   * while, `Missed` tells that it does so again.
   */
  readonly wakeups: Stream.Stream<Wakeup, DriverError>
}>()("@millrace/core/Driver") {}
