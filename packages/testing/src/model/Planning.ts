/**
 * What the commands of a program ask of a storage of schedules, by the rules that workers and
 * clients decide by.
 *
 * @since 0.1.0
 */
import {
  type Driver,
  type DriverError,
  type ScheduleStore,
  Scheduling,
  type Task,
} from "@millrace/core"
import { Effect } from "effect"
import type { Plan, ScheduleCommand } from "./Command.ts"
import { pool } from "./Drawn.ts"

type Store = ScheduleStore.ScheduleStore["Service"]

/**
 * What is remembered: which schedules each worker looked at last, and the runs that occurred.
 *
 * @category models
 * @since 0.1.0
 */
export interface Memory {
  readonly seen: Map<number, ReadonlyArray<ScheduleStore.Row>>
  readonly occurred: Set<Task.TaskId>
  /** The latest of them, by the numbers that programs call them. */
  readonly latest: Map<number, Task.TaskId>
}

/** What is remembered at first.
 * @category constructors
 * @since 0.1.0 */
export const begin = (): Memory => ({ seen: new Map(), occurred: new Set(), latest: new Map() })

/** The number of a run that occurred lately.
 * @category reading
 * @since 0.1.0 */
export const numberOf = ({ latest }: Memory, id: Task.TaskId): number | undefined =>
  [...latest].find(([, other]) => other === id)?.[0]

/**
 * What a command asks of a storage, and whether of the one whose answers are remembered. `task` is
 * what a schedule is to enqueue. A number that is given to another run is `freed`.
 *
 * @category conversions
 * @since 0.1.0
 */
export const asked = (
  memory: Memory,
  command: ScheduleCommand,
  now: number,
  task: Driver.NewTask | undefined,
  freed: (number: number) => void,
): (store: Store, remembers: boolean) => Effect.Effect<unknown, DriverError> => {
  if (command._tag === "Look") {
    const { due, limit, worker } = command
    return (store, remembers) =>
      Effect.tap(due ? store.due(limit) : store.find({ limit }), ({ rows }) =>
        Effect.sync(() => {
          if (remembers) memory.seen.set(worker, rows)
        }))
  }
  if (command._tag === "Fire") {
    const writes = (memory.seen.get(command.worker) ?? []).flatMap((row) =>
      writeOf(row.name, row, (before) => before && Scheduling.fired(before, now)) ?? []
    )
    return (store, remembers) =>
      Effect.forEach(
        writes,
        (write) =>
          Effect.tap(store.write(write), (written) =>
            Effect.sync(() => {
              if (remembers && written) {
                for (const { id } of write.tasks) occur(memory, id, freed)
              }
            })),
      )
  }
  const { saw, schedule } = command
  const name = `s${schedule}`
  const decide = decisionOf(command, name, task, now)
  const change = (store: Store, row: ScheduleStore.Row | undefined) => {
    const write = writeOf(name, row, decide)
    return write === undefined ? Effect.undefined : store.write(write)
  }
  if (saw === undefined) {
    return (store) =>
      Effect.flatMap(store.find({ names: [name], limit: 1 }), ({ rows }) => change(store, rows[0]))
  }
  const seen = memory.seen.get(saw)?.find((row) => row.name === name)
  return (store) => change(store, seen)
}

/** What a schedule becomes, and what it enqueues; `undefined` where nothing is to be written. */
type Decide = (before: Scheduling.Schedule | undefined) => {
  readonly schedule: Scheduling.Schedule | undefined
  readonly tasks: ReadonlyArray<Driver.NewTask>
} | undefined

const decisionOf = (
  command: Exclude<ScheduleCommand, { _tag: "Look" | "Fire" }>,
  name: string,
  task: Driver.NewTask | undefined,
  now: number,
): Decide =>
(before) => {
  if (command._tag === "Remove") return before && { schedule: undefined, tasks: [] }
  const schedule = command._tag === "Upsert"
    ? Scheduling.upserted(before, name, draftOf(command.plan, task!), now)
    : before && Scheduling.paused(before, command.paused, now)
  return schedule && { schedule, tasks: [] }
}

const writeOf = (
  name: string,
  row: ScheduleStore.Row | undefined,
  decide: Decide,
): ScheduleStore.Write | undefined => {
  const decision = decide(row && Scheduling.ofRow(row))
  return decision && {
    ...{ name, expects: row?.revision, tasks: decision.tasks },
    row: decision.schedule && Scheduling.toRow(decision.schedule),
  }
}

const draftOf = (
  { jitter, misfires, recurrence }: Plan,
  { id: _, isNew: _new, runId: _run, dueAt: _due, awaited: _awaited, trace: _trace, ...template }:
    Driver.NewTask,
): Scheduling.Draft => ({
  ...{ defined: false, recurrence, jitterMillis: jitter, template },
  misfire: { count: misfires, withinMillis: undefined },
})

/** Gives a run the next number, which another one may have had. */
const occur = (memory: Memory, id: Task.TaskId, freed: (number: number) => void): void => {
  const { latest, occurred } = memory
  if (occurred.has(id)) return
  const number = pool.tasks + occurred.size % pool.occurred
  occurred.add(id)
  latest.set(number, id)
  freed(number)
}
