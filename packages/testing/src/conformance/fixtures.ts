/**
 * What cases are made of: a stage with an empty store, names of its own and a clock at zero.
 *
 * @since 0.1.0
 */
import { Driver, type DriverError, type Outcome, RunId, Task, Transition } from "@millrace/core"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { Unexpected } from "./expect.ts"

/**
 * One guarantee of the port as data: `run` fails where the driver does not keep it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Case {
  /** A sentence. */
  readonly name: string
  readonly run: Effect.Effect<void, unknown, Driver.Driver>
}

/**
 * Makes a case: its body is given a stage, and a `TestClock` that starts at zero.
 *
 * @category constructors
 * @since 0.1.0
 */
export const scene = (
  name: string,
  body: (
    stage: Stage,
  ) => Generator<Effect.Effect<unknown, unknown, Driver.Driver>, void, never>,
): Case => ({
  name,
  run: Effect.gen(function* () {
    const driver = yield* Driver.Driver
    yield* emptied(driver)
    const stage = new Stage(driver, yield* RunId.make)
    yield* Effect.provide(Effect.gen(() => body(stage)), TestClock.layer())
  }),
})

/** The lease of workers, unless a case says otherwise.
 * @category constants
 * @since 0.1.0 */
export const leaseMillis = 30_000

/** More than any case stores.
 * @category constants
 * @since 0.1.0 */
export const everything = 10_000

/** A claimed task, or what of it a change is decided on.
 * @category models
 * @since 0.1.0 */
export type Held = Task.Task

type Overrides = Partial<Driver.NewTask>

/**
 * A driver with the names of one case, and the port in the words of the cases.
 *
 * @category models
 * @since 0.1.0
 */
export class Stage {
  readonly driver: Driver.Driver["Service"]
  readonly queue: string
  readonly otherQueue: string
  private readonly base: string
  private count = 0

  constructor(driver: Driver.Driver["Service"], base: RunId.RunId) {
    this.driver = driver
    this.base = base
    this.queue = `q_${base.replaceAll("-", "")}`
    this.otherQueue = `other_${base.replaceAll("-", "")}`
  }

  /** The id of a number; ids sort as their numbers do. */
  id(number: number): Task.TaskId {
    return `${this.base.slice(0, 30)}${number.toString(16).padStart(6, "0")}`
  }

  /** Whether a task belongs to this case. */
  owns(id: Task.TaskId): boolean {
    return id.startsWith(this.base.slice(0, 30))
  }

  /** The full name of a worker. */
  name(worker: string): string {
    return `${worker}-${this.base}`
  }

  /** A task of a job that nobody awaits, with the next id. */
  newTask(overrides: Overrides = {}): Driver.NewTask {
    const id = overrides.id ?? this.id(++this.count)
    return {
      id,
      isNew: overrides.id === undefined,
      runId: id,
      flowType: "job",
      flow: "send_email",
      step: "send",
      index: 0,
      queue: this.queue,
      priority: 5,
      input: `{"to":"ada@example.com"}`,
      maxAttempts: 3,
      maxCrashes: 3,
      delayMillis: 0,
      awaited: false,
      ...overrides,
    }
  }

  /** As many tasks, alike but for their ids. */
  newTasks(count: number, overrides: Overrides = {}): ReadonlyArray<Driver.NewTask> {
    return Array.from({ length: count }, () => this.newTask(overrides))
  }

  /** Stores tasks and answers their ids. */
  insert(tasks: ReadonlyArray<Driver.NewTask>) {
    return Effect.as(this.driver.insert(tasks), tasks.map((task) => task.id))
  }

  /** Stores one task and answers its id. */
  insertOne(overrides: Overrides = {}) {
    const task = this.newTask(overrides)
    return Effect.as(this.driver.insert([task]), task.id)
  }

  /** Begins or extends the session of a worker and answers its full name. */
  worker(name = "a", lease: number = leaseMillis) {
    const worker = this.name(name)
    return Effect.as(this.beat(worker, [], lease), worker)
  }

  /** Sends a heartbeat of a worker that holds these tasks, and answers the ids of what it lost. */
  beat(worker: string, held: ReadonlyArray<Held> = [], lease: number = leaseMillis) {
    const named = held.map((task) => ({ id: task.id, lease: task.lease }))
    return Effect.map(
      this.driver.heartbeat({ worker, leaseMillis: lease, held: named }),
      ({ live, lost }) => ({ live, lost: lost.map(({ id }) => id) }),
    )
  }

  /** Claims at most `limit` tasks of a queue. */
  claim(worker: string, limit = 1, queue: string = this.queue) {
    const request = { worker, lanes: [{ queue, limit }], waits: false }
    return Effect.map(this.driver.claim(request), (claim) => claim.tasks)
  }

  /** Claims one task, which has to be there. */
  claimOne(worker: string, queue: string = this.queue) {
    return Effect.flatMap(
      this.claim(worker, 1, queue),
      ([task]) => task === undefined ? missing("a task to claim") : Effect.succeed(task),
    )
  }

  /** Stores a task, begins a session and claims the task. */
  claimed(overrides: Overrides = {}, worker = "a") {
    return Effect.andThen(
      this.insertOne(overrides),
      Effect.flatMap(this.worker(worker), (name) => this.claimOne(name, overrides.queue)),
    )
  }

  /** Settles a claimed task. */
  settle(task: Held, outcome: Outcome.Outcome, elapsedMillis?: number) {
    return Effect.flatMap(
      this.driver.settle([settling(task, outcome, elapsedMillis)]),
      ([settled]) => settled === undefined ? missing("an answer") : Effect.succeed(settled),
    )
  }

  /** Claims one task and settles it. */
  attempt(worker: string, outcome: Outcome.Outcome, elapsedMillis?: number) {
    return Effect.tap(
      this.claimOne(worker),
      (task) => this.settle(task, outcome, elapsedMillis),
    )
  }

  /** Lets an event happen to tasks, and answers what became of the changes. */
  happen(ids: ReadonlyArray<Task.TaskId>, event: Transition.Event) {
    return this.driver.transact(
      { _tag: "Tasks", ids },
      (tasks) => tasks.flatMap((task) => Transition.transition(task, event) ?? []),
    )
  }

  cancel(...ids: ReadonlyArray<Task.TaskId>) {
    return this.happen(ids, { _tag: "CancelRequested", reason: "not needed" })
  }

  retry(...ids: ReadonlyArray<Task.TaskId>) {
    return this.happen(ids, { _tag: "RetryRequested" })
  }

  /** Recovers the tasks of workers whose lease has ended. */
  recover(limit: number = everything) {
    return this.driver.transact({ _tag: "Expired", limit }, crashing)
  }

  /** Lets a worker claim one task and be lost. */
  crash(name: string) {
    return Effect.gen({ self: this }, function* () {
      const task = yield* this.claimOne(yield* this.worker(name))
      yield* this.beat(this.name(name), [], 0)
      yield* this.recover()
      return task
    })
  }

  /** Reads one task, which has to be there. */
  read(id: Task.TaskId) {
    return Effect.flatMap(
      this.driver.find({ ids: [id], limit: 1 }),
      ([record]) => record === undefined ? missing(`task ${id}`) : Effect.succeed(record),
    )
  }

  /** Reads the tasks of this case's first queue. */
  readAll() {
    return this.driver.find({ queue: this.queue, limit: everything })
  }
}

/** The change that an outcome makes of a claimed task.
 * @category constructors
 * @since 0.1.0 */
export const settling = (
  task: Held,
  outcome: Outcome.Outcome,
  elapsedMillis?: number,
): Task.Change => {
  const change = Transition.transition(task, {
    _tag: "AttemptEnded",
    lease: task.lease,
    outcome,
    elapsedMillis,
  })
  if (change === undefined) throw new Unexpected(`Task ${task.id} is claimed as "${task.state}"`)
  return change
}

/** Decides that the workers of the given tasks are lost.
 * @category constructors
 * @since 0.1.0 */
export const crashing = (tasks: ReadonlyArray<Task.Task>): ReadonlyArray<Task.Change> =>
  tasks.flatMap((task) =>
    Transition.transition(task, { _tag: "LeaseExpired", lease: task.lease }) ?? []
  )

const missing = (what: string) => Effect.die(new Unexpected(`Expected ${what}, got none`))

/**
 * Removes all that a store holds, so that cases do not disturb each other. It moves a clock of its
 * own beyond that of every case.
 *
 * @category combinators
 * @since 0.1.0
 */
export const emptied = (
  driver: Driver.Driver["Service"],
): Effect.Effect<void, DriverError> => {
  const end = (ids: ReadonlyArray<Task.TaskId>) =>
    driver.transact(
      { _tag: "Tasks", ids },
      (tasks) =>
        tasks.flatMap((task) =>
          Transition.transition({ ...task, undoes: false }, {
            _tag: "CancelRequested",
            reason: "swept",
          }) ?? []
        ),
    )
  // One task that a broken driver cannot end must not keep the others.
  const endAll = (ids: ReadonlyArray<Task.TaskId>) =>
    Effect.catch(end(ids), () => Effect.forEach(ids, (id) => Effect.ignore(end([id]))))
  const sweep = Effect.gen(function* () {
    yield* TestClock.setTime(4_000_000_000_000)
    let first: Task.TaskId | undefined
    while (true) {
      const open = yield* driver.find({ states: ["waiting", "ready", "running"], limit: 1000 })
      if (open[0] === undefined || open[0].id === first) break
      first = open[0].id
      yield* endAll(open.map((task) => task.id))
    }
    while ((yield* driver.prune({ olderThanMillis: 0, limit: 1000 })) > 0);
  })
  return Effect.flatMap(
    driver.find({ limit: 1 }),
    (found) => found.length === 0 ? Effect.void : Effect.provide(sweep, TestClock.layer()),
  )
}
