/**
 * Memory drivers that are broken on purpose, to show that the cases and the random programs see it.
 */
import { Driver, ScheduleStore, type Task, Transaction } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Clock, Context, Effect, Layer } from "effect"

type Service = Driver.Driver["Service"]
type Schedules = ScheduleStore.ScheduleStore["Service"]

export interface Mutant {
  readonly name: string
  readonly layer: Layer.Layer<
    Driver.Driver | ScheduleStore.ScheduleStore | Transaction.Transactions
  >
}

function mutant(name: string, broken: (driver: Service) => Partial<Service>): Mutant {
  return { name, layer: layerOf(broken, () => ({})) }
}

function layerOf(
  broken: (driver: Service) => Partial<Service>,
  brokenStore: (store: Schedules) => Partial<Schedules>,
): Mutant["layer"] {
  return Layer.effectContext(
    Effect.map(
      Effect.suspend(() => MemoryDriver.open),
      ({ driver, schedules, transactions }) =>
        Context.make(Driver.Driver, { ...driver, ...broken(driver) }).pipe(
          Context.add(ScheduleStore.ScheduleStore, { ...schedules, ...brokenStore(schedules) }),
          Context.add(Transaction.Transactions, transactions),
        ),
    ),
  )
}

function storeMutant(name: string, broken: (store: Schedules) => Partial<Schedules>): Mutant {
  return { name, layer: layerOf(() => ({}), broken) }
}

/** Runs an effect with a clock that goes after, or ahead of, the real one. */
function skewed<A, E>(effect: Effect.Effect<A, E>, millis: number): Effect.Effect<A, E> {
  return Effect.flatMap(
    Clock.clockWith(Effect.succeed),
    (clock) => {
      const skew = Object.create(clock, {
        currentTimeMillis: { value: Effect.map(clock.currentTimeMillis, (now) => now + millis) },
      })
      return Effect.provideService(effect, Clock.Clock, skew)
    },
  )
}

/** Gives every change the lease that its task has now. */
function unfenced(driver: Service, changes: ReadonlyArray<Task.Change>) {
  const runs = changes.map(({ taskId }) => taskId)
  return Effect.map(driver.find({ runs, limit: runs.length }), (found) =>
    changes.map((change) => {
      const lease = found.find(({ id }) => id === change.taskId)?.lease ?? change.lease
      return { ...change, lease, entry: { ...change.entry, lease } }
    }))
}

export const mutants: ReadonlyArray<Mutant> = [
  mutant("no fence", (driver) => ({
    settle: (changes) => Effect.flatMap(unfenced(driver, changes), driver.settle),
  })),
  mutant("a repeated settle is stale", (driver) => ({
    settle: (changes) =>
      Effect.map(
        driver.settle(changes),
        (all) =>
          all.map((one) => one.status === "already" ? { ...one, status: "stale" as const } : one),
      ),
  })),
  mutant("`<` for `<=` when a task is due", (driver) => ({
    claim: (request) => skewed(driver.claim(request), -1),
  })),
  mutant("`<` for `<=` when a lease ends", (driver) => ({
    transact: (target, decide) => skewed(driver.transact(target, decide), -1),
  })),
  mutant("a heartbeat that revives an expired lease", (driver) => {
    const names = new Map<string, string>()
    const named = (worker: string) => names.get(worker) ?? worker
    return {
      claim: (request) => driver.claim({ ...request, worker: named(request.worker) }),
      heartbeat: (beat) =>
        Effect.flatMap(driver.heartbeat({ ...beat, worker: named(beat.worker) }), (pulse) => {
          if (pulse.live) return Effect.succeed(pulse)
          names.set(beat.worker, `${named(beat.worker)}'`)
          return driver.heartbeat({ ...beat, worker: named(beat.worker) })
        }),
    }
  }),
  mutant("a heartbeat that names nothing lost", (driver) => ({
    heartbeat: (beat) => Effect.map(driver.heartbeat(beat), (pulse) => ({ ...pulse, lost: [] })),
  })),
  mutant("the batch is stored from its end", (driver) => ({
    insert: (tasks) =>
      Effect.map(driver.insert(tasks.toReversed()), (answers) => answers.toReversed()),
  })),
  mutant("the limit is exceeded by one", (driver) => ({
    claim: (request) => {
      const lanes = request.lanes.map((lane) => ({ ...lane, limit: lane.limit + 1 }))
      return driver.claim({ ...request, lanes })
    },
  })),
  mutant("falsy outputs become null", (driver) => ({
    settle: (changes) =>
      driver.settle(changes.map((change) => {
        const { output } = change.entry
        const falsy = output !== undefined && !JSON.parse(output)
        return falsy ? { ...change, entry: { ...change.entry, output: "null" } } : change
      })),
  })),
  mutant("a failed task loses its counts", (driver) => ({
    settle: (changes) => driver.settle(changes.map((change) => ({ ...change, failures: 0 }))),
  })),
  mutant("a task is pruned by when it was stored", (driver) => ({
    prune: (request) =>
      Effect.flatMap(
        Clock.currentTimeMillis,
        (now) =>
          Effect.flatMap(driver.find({ limit: 1000 }), (found) =>
            found.some((one) =>
                one.enqueuedAt <= now - request.olderThanMillis
              )
              ? driver.prune({ ...request, olderThanMillis: 0 })
              : Effect.succeed(0)),
      ),
  })),
  mutant("the last line of the history is all that is kept", (driver) => ({
    find: (query) =>
      Effect.map(
        driver.find(query),
        (found) => found.map((one) => ({ ...one, history: one.history.slice(-1) })),
      ),
  })),
  mutant("a run is told of nothing", (driver) => ({
    settle: (changes) => driver.settle(changes.map((change) => ({ ...change, report: undefined }))),
  })),
  mutant("a run waits though it was woken since it looked", (driver) => ({
    settle: (changes) =>
      driver.settle(
        changes.map((change) =>
          change.to.state === "waiting" ? { ...change, to: { ...change.to, seen: 1000 } } : change
        ),
      ),
  })),
  mutant("what a change starts is stored whether it applies or not", (driver) => ({
    settle: (changes) =>
      Effect.tap(
        driver.settle(changes),
        () => driver.insert(changes.flatMap(({ starts = [] }) => starts)),
      ),
  })),
  mutant("a decision on a run sees its own task alone", (driver) => ({
    transact: (target, decide) =>
      driver.transact(target._tag === "Runs" ? { ...target, _tag: "Tasks" } : target, decide),
  })),
  mutant("a step that fails does not wake its run at once", (driver) => ({
    settle: (changes) =>
      driver.settle(
        changes.map((change) =>
          change.report === undefined
            ? change
            : { ...change, report: { ...change.report, wakes: false } }
        ),
      ),
  })),
]

/** Storages of schedules that are broken on purpose. */
export const storeMutants: ReadonlyArray<Mutant> = [
  storeMutant("a schedule is written however it stands", (store) => ({
    write: (write) =>
      Effect.flatMap(
        store.find({ names: [write.name], limit: 1 }),
        ({ rows }) => store.write({ ...write, expects: rows[0]?.revision }),
      ),
  })),
  storeMutant("a schedule forgets its tasks", (store) => ({
    write: (write) => store.write({ ...write, tasks: write.tasks.slice(1) }),
  })),
  storeMutant("tasks are stored though their schedule is not", (store) => ({
    write: (write) =>
      Effect.gen(function* () {
        const written = yield* store.write(write)
        const alone = { ...write, name: "other", expects: undefined, row: undefined }
        if (!written) yield* store.write(alone)
        return written
      }),
  })),
  storeMutant("`<` for `<=` when a schedule is due", (store) => ({
    due: (limit) =>
      Effect.map(store.due(limit), (due) => ({
        ...due,
        rows: due.rows.filter(({ nextAt }) => nextAt !== due.now),
      })),
  })),
  storeMutant("a removed schedule stays", (store) => ({
    write: (write) =>
      Effect.flatMap(
        store.find({ names: [write.name], limit: 1 }),
        ({ rows }) => store.write({ ...write, row: write.row ?? rows[0] }),
      ),
  })),
]
