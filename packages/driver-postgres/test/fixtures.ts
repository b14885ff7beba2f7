/** Tasks and drivers for the direct tests. */
import {
  Driver,
  type DriverError,
  RunId,
  type ScheduleStore,
  type Task,
  type Transaction,
  Transition,
} from "@millrace/core"
import { Postgres } from "@millrace/driver-postgres"
import { Effect, Exit, type Layer, ManagedRuntime, Scope } from "effect"
import { databaseUrl } from "./server.ts"

export type Service = Driver.Driver["Service"]

export const newId = (): string => Effect.runSync(RunId.make)

export const newTask = (more: Partial<Driver.NewTask> = {}): Driver.NewTask => {
  const id = more.id ?? newId()
  return {
    id,
    runId: id,
    flowType: "job",
    flow: "send_email",
    step: "send",
    index: 0,
    queue: "mail",
    priority: 5,
    input: "{}",
    maxAttempts: 3,
    maxCrashes: 3,
    delayMillis: 0,
    awaited: false,
    ...more,
  }
}

export const newTasks = (
  count: number,
  more: Partial<Driver.NewTask> = {},
): ReadonlyArray<Driver.NewTask> => Array.from({ length: count }, () => newTask(more))

export type Provided =
  | Driver.Driver
  | Transaction.Transactions
  | ScheduleStore.ScheduleStore

export interface Opened extends AsyncDisposable {
  readonly driver: Service
  readonly run: <A, E>(effect: Effect.Effect<A, E, Provided>) => Promise<A>
}

export const open = async (layer: Layer.Layer<Provided, DriverError>): Promise<Opened> => {
  const runtime = ManagedRuntime.make(layer)
  const driver = await runtime.runPromise(Driver.Driver)
  return {
    driver,
    run: (effect) => runtime.runPromise(effect),
    [Symbol.asyncDispose]: () => runtime.dispose(),
  }
}

export const openSchema = (
  schema: string,
  more: Partial<Postgres.Options> = {},
): Promise<Opened> => open(Postgres.layer({ url: databaseUrl(), schema, ...more }))

/** The error with which a driver cannot be opened. */
export const refusalOf = async (
  layer: Layer.Layer<Driver.Driver, DriverError>,
): Promise<DriverError> => {
  const opening = Effect.flatMap(Scope.make(), (scope) =>
    Effect.ensuring(
      Effect.flip(Effect.provide(Driver.Driver, layer)),
      Scope.close(scope, Exit.void),
    ))
  return await Effect.runPromise(opening)
}

export const completed = (task: Task.Task): Task.Change =>
  Transition.transition(task, {
    _tag: "AttemptEnded",
    lease: task.lease,
    elapsedMillis: 1,
    outcome: { _tag: "Completed", output: "null" },
  })!

export const cancelling = (tasks: ReadonlyArray<Task.Task>): ReadonlyArray<Task.Change> =>
  tasks.flatMap((task) =>
    Transition.transition(task, { _tag: "CancelRequested", reason: "test" }) ?? []
  )

export const expiring = (tasks: ReadonlyArray<Task.Task>): ReadonlyArray<Task.Change> =>
  tasks.flatMap((task) =>
    Transition.transition(task, { _tag: "LeaseExpired", lease: task.lease }) ?? []
  )

export const claimOf = (worker: string, limit: number, queue = "mail"): Driver.ClaimRequest => ({
  worker,
  lanes: [{ queue, limit }],
  waits: false,
})

export const beatOf = (worker: string, leaseMillis = 60_000): Driver.Heartbeat => ({
  worker,
  leaseMillis,
  held: [],
})
