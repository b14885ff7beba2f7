/**
 * What a claim takes, stated once: which tasks are due, in which order, and where a batch ends. The
 * memory driver calls these; the SQL of other drivers is checked against them.
 *
 * @since 0.1.0
 */

/**
 * A ready task's place in its queue.
 *
 * @category models
 * @since 0.1.0
 */
export interface Place {
  /** 0 to 9; 0 runs first. */
  readonly priority: number
  /** Grows with each task that becomes ready, whether new, due, retried or given back. */
  readonly sequence: number
  readonly crashes: number
}

/** Whether a scheduled task is due.
 * @category rules
 * @since 0.1.0 */
export const isDue = (dueAt: number, now: number): boolean => dueAt <= now

/** Whether a lease that holds until `expiresAt` has ended.
 * @category rules
 * @since 0.1.0 */
export const isExpired = (expiresAt: number, now: number): boolean => expiresAt <= now

/** The order in which a queue's ready tasks are claimed.
 * @category rules
 * @since 0.1.0 */
export const byPlace = (a: Place, b: Place): number =>
  a.priority - b.priority || a.sequence - b.sequence

/**
 * One claim in so many is for the eldest, so that no priority starves behind a busier one.
 *
 * @category rules
 * @since 0.1.0
 */
export const eldestEvery = 10

/**
 * What a claim for the eldest may take of a queue: the tasks of the priority whose first has waited
 * longest.
 *
 * @category rules
 * @since 0.1.0
 */
export const eldestOf = <A extends Place>(tasks: ReadonlyArray<A>): ReadonlyArray<A> => {
  const eldest = tasks.reduce<A | undefined>(
    (found, task) => found === undefined || task.sequence < found.sequence ? task : found,
    undefined,
  )
  return tasks.filter(({ priority }) => priority === eldest?.priority)
}

/**
 * Cuts the batches of one claim out of the first tasks of each of its queues: a task that has
 * crashed is taken alone, so that no neighbour pays if it takes the next worker down too.
 *
 * **Details**
 *
 * Where a queue begins with such a task, the claim is that one task; of several queues that do, the
 * first counts. Else each queue gives what stands before its first such task.
 *
 * @category rules
 * @since 0.1.0
 */
export const batchesOf = <A extends Place>(
  queues: ReadonlyArray<ReadonlyArray<A>>,
): ReadonlyArray<ReadonlyArray<A>> => {
  const alone = queues.findIndex((tasks) => isSuspect(tasks[0]))
  return alone === -1
    ? queues.map(beforeSuspect)
    : queues.map((tasks, index) => index === alone ? tasks.slice(0, 1) : [])
}

const beforeSuspect = <A extends Place>(tasks: ReadonlyArray<A>): ReadonlyArray<A> => {
  const suspect = tasks.findIndex(isSuspect)
  return suspect === -1 ? tasks : tasks.slice(0, suspect)
}

const isSuspect = (task: Place | undefined): boolean => task !== undefined && task.crashes > 0
