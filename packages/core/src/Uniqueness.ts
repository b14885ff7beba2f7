/**
 * Uniqueness, stated once: who has a key, and what becomes of a task that comes to a key which is
 * taken. The drivers lock the keys, ask this, and write what it answers.
 *
 * @since 0.1.0
 */
import type { Inserted, NewTask } from "./Exchange.ts"
import type { Change, State, Task, TaskId } from "./Task.ts"
import { isTerminal } from "./Task.ts"
import { transition } from "./Transition.ts"

/**
 * The key of a task that is to be the only one with it, among those of its job.
 *
 * @category models
 * @since 0.1.0
 */
export interface Unique {
  readonly key: string
  /** A task has its key while it is in one of these states. */
  readonly states: ReadonlyArray<State>
  /** And for this long after it was stored; `undefined` for as long as the state says. */
  readonly periodMillis?: number | undefined
  /**
   * What becomes of a task whose key is taken: with `ignore` it is not stored; with `replace` the
   * one that has the key is cancelled.
   */
  readonly onClash: "ignore" | "replace"
}

/**
 * A stored task, as far as uniqueness is concerned.
 *
 * @category models
 * @since 0.1.0
 */
export interface Holder extends Task {
  readonly enqueuedAt: number
}

/**
 * What becomes of a task that is to be stored.
 *
 * @category models
 * @since 0.1.0
 */
export interface Verdict {
  readonly stored: boolean
  /** Which task has the key, where that is why it is not stored. */
  readonly holder?: TaskId | undefined
  /** The task that had the key before, and is cancelled for it. */
  readonly replaced?: Change | undefined
}

/**
 * What is known when tasks are to be stored.
 *
 * @category models
 * @since 0.1.0
 */
export interface Known {
  /** Whether there is a task with this id. */
  readonly exists: (id: TaskId) => boolean
  /** The last task that was stored with a key of a job, if it is still there. */
  readonly holderOf: (flow: string, key: string) => Holder | undefined
}

/**
 * What becomes of a batch, and which keys then belong to whom.
 *
 * @category models
 * @since 0.1.0
 */
export interface Decision {
  /** In the order of the tasks. */
  readonly verdicts: ReadonlyArray<Verdict>
  /** The keys that were taken, and the tasks that took them last. */
  readonly taken: ReadonlyMap<string, NewTask>
}

/** Whether a stored task has its key, as a task with `unique` sees it.
 * @category rules
 * @since 0.1.0 */
export const hasKey = (holder: Holder, unique: Unique, now: number): boolean =>
  unique.states.includes(holder.state) &&
  (unique.periodMillis === undefined || holder.enqueuedAt + unique.periodMillis > now)

/**
 * Decides on a batch as if its tasks came one after the other: each sees what those before it did.
 *
 * @category rules
 * @since 0.1.0
 */
export const decide = (
  tasks: ReadonlyArray<NewTask>,
  known: Known,
  now: number,
): Decision => {
  const stored = new Set<TaskId>()
  const taken = new Map<string, NewTask>()
  const verdicts = tasks.map((task): Verdict => {
    if (stored.has(task.id) || known.exists(task.id)) return { stored: false }
    const { unique } = task
    if (unique === undefined) {
      stored.add(task.id)
      return { stored: true }
    }
    const name = nameOf(task.flow, unique.key)
    const before = taken.get(name)
    const holder = before === undefined
      ? known.holderOf(task.flow, unique.key)
      : asStored(before, now)
    const clashes = holder !== undefined && hasKey(holder, unique, now)
    if (clashes && (unique.onClash === "ignore" || isTerminal(holder.state))) {
      return { stored: false, holder: holder.id }
    }
    stored.add(task.id)
    taken.set(name, task)
    return clashes ? { stored: true, replaced: replaced(holder, task) } : { stored: true }
  })
  return { verdicts, taken }
}

/** What the caller is told of a verdict.
 * @category conversions
 * @since 0.1.0 */
export const answerOf = (id: TaskId, { holder, replaced, stored }: Verdict): Inserted => ({
  id,
  inserted: stored,
  ...(holder === undefined ? {} : { holder }),
  ...(replaced === undefined ? {} : { replaced: replaced.taskId }),
})

/** One text for the key of a job.
 * @category conversions
 * @since 0.1.0 */
export const nameOf = (flow: string, key: string): string => `${flow} ${key}`

// A run of a flow that has begun ends what is below it first, as one with steps to undo does.
const replaced = (holder: Task, by: NewTask): Change | undefined => {
  const undoes = by.flowType === "flow" && (holder.state !== "ready" || holder.lease > 0)
  return transition(undoes ? { ...holder, undoes } : holder, {
    _tag: "CancelRequested",
    reason: `replaced by run ${by.id}`,
  })
}

const asStored = (task: NewTask, now: number): Holder => ({
  id: task.id,
  state: task.ended?.state ?? task.state ?? "ready",
  lease: task.ended === undefined ? 0 : 1,
  failures: 0,
  crashes: 0,
  maxAttempts: task.maxAttempts,
  maxCrashes: task.maxCrashes,
  awaited: task.awaited,
  branch: branchOf(task),
  undoes: task.undoes,
  enqueuedAt: now,
})

const branchOf = ({ parent, step, onExhausted = "fail" }: NewTask): Task["branch"] =>
  parent === undefined ? undefined : { parent, step, onExhausted }
