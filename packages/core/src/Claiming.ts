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
 * Cuts a batch out of the first tasks of a queue: a task that has crashed is taken alone, so that
 * its neighbours do not pay if it takes the next worker down too.
 *
 * @category rules
 * @since 0.1.0
 */
export const batchOf = <A extends Place>(ordered: ReadonlyArray<A>): ReadonlyArray<A> => {
  const suspect = ordered.findIndex((task) => task.crashes > 0)
  return suspect === -1 ? ordered : ordered.slice(0, Math.max(1, suspect))
}
