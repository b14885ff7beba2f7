/**
 * Failures of job queues that no case covers yet, because what they need is not a part of the port.
 *
 * @since 0.1.0
 */

/**
 * A failure that is to become a case, and what it waits for.
 *
 * @category models
 * @since 0.1.0
 */
export interface Later {
  readonly name: string
  readonly needs: "flows" | "limits" | "cron" | "signals" | "uniqueness"
  readonly reason: string
}

/** The failures that wait for something.
 * @category cases
 * @since 0.1.0 */
export const later: ReadonlyArray<Later> = [
  {
    name: "A resume or a signal that lands before its wait is stored is not lost",
    needs: "signals",
    reason: "The port has no signals; for the end of a task there is a case",
  },
  {
    name: "A parent does not block for ever when its child fails or is removed",
    needs: "flows",
    reason: "The port has no tasks that wait for others",
  },
  {
    name: "A global limit is never exceeded, and does not halve the throughput",
    needs: "limits",
    reason: "A claim has limits of its worker alone",
  },
  {
    name: "A job at 02:30 runs once in autumn and once in spring",
    needs: "cron",
    reason: "There are no schedules",
  },
  {
    name: "A fan-out of 4,000 elements takes as long per element as one of 40",
    needs: "flows",
    reason: "There are no map steps; storing and running 4,000 tasks is a case",
  },
  {
    name: "A chain of more than 50 steps ends",
    needs: "flows",
    reason: "There are no steps that need others",
  },
  {
    name: "Two runs with one key are not stored at a time",
    needs: "uniqueness",
    reason: "A task has no key but its id, for which there are cases",
  },
]
