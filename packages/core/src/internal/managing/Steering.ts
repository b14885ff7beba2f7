/**
 * What people do to a run and to all that is below it. Pure.
 */
import type { Change, Task, TaskId } from "../../Task.ts"
import { transition } from "../../Transition.ts"
import * as Below from "../flow/Below.ts"

/** Decides on a run, among all tasks below it; `undefined` where steps of it were undone. */
export type Steer = (
  run: TaskId,
  tasks: ReadonlyArray<Task>,
) => ReadonlyArray<Change> | undefined

/** Stops a run, and all that is below it. */
export const stopping =
  (_tag: "CancelRequested" | "DiscardRequested", reason: string): Steer => (run, tasks) => {
    const own = tasks.find(({ id }) => id === run)
    const changed = own && transition(own, { _tag, reason })
    if (changed === undefined) return []
    return [changed, ...Below.cancelled(run, tasks, reason, () => true)]
  }

/** Lets a run that failed or was cancelled go on. */
export const retrying: Steer = Below.retried

/** When a run is to be due: after a delay, or at an instant. */
export interface Due {
  readonly delayMillis: number
  readonly dueAt?: number | undefined
}

/** Makes a run that is ready due at another time. */
export const rescheduling = (due: Due): Steer => (run, tasks) => {
  const own = tasks.find(({ id }) => id === run)
  const changed = own && transition(own, { _tag: "RescheduleRequested", ...due })
  return changed === undefined ? [] : [changed]
}
