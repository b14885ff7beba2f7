/**
 * What is to be done by hand to a run and to all that is below it. Pure.
 */
import type { Change, Task, TaskId } from "../../Task.ts"
import { isTerminal } from "../../Task.ts"
import { transition } from "../../Transition.ts"

/** Whether a step undoes another. */
export const isUndo = (step: string): boolean => step.endsWith(":undo")

/**
 * Cancels what is below a run and has not ended, but for what undoes steps; of its own steps only
 * those that are included.
 */
export const cancelled = (
  run: TaskId,
  tasks: ReadonlyArray<Task>,
  reason: string,
  includes: (step: string) => boolean,
): ReadonlyArray<Change> => {
  const children = Map.groupBy(
    tasks.filter((task) => task.branch !== undefined && !isUndo(task.branch.step)),
    (task) => task.branch!.parent,
  )
  const reached = (children.get(run) ?? []).filter((task) => includes(task.branch!.step))
  for (const task of reached) reached.push(...children.get(task.id) ?? [])
  return reached.flatMap((task) => transition(task, { _tag: "CancelRequested", reason }) ?? [])
}

/**
 * Lets a run that failed or was cancelled go on where it was, with fresh budgets: its own task, and
 * all below it that failed or was cancelled, but for what was allowed to fail. `undefined` where
 * steps of it were undone, so that it cannot go on.
 */
export const retried = (
  run: TaskId,
  tasks: ReadonlyArray<Task>,
): ReadonlyArray<Change> | undefined => {
  const own = tasks.find((task) => task.id === run)
  if (own === undefined || !isTerminal(own.state)) return []
  if (tasks.some((task) => task.branch !== undefined && isUndo(task.branch.step))) return undefined
  return tasks
    .filter((task) => !(task.state === "failed" && task.branch?.onExhausted === "collect"))
    .flatMap((task) => transition(task, { _tag: "RetryRequested" }) ?? [])
}
