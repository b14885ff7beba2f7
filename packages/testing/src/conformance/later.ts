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
  readonly needs: "flows" | "limits" | "cron" | "signals" | "uniqueness" | "worker" | "network"
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
  {
    name: "An error of the storage while a success is saved is no failure of the handler",
    needs: "worker",
    reason: "The port has the repeated settle, which is a case; who repeats it is the worker",
  },
  {
    name: "A handler's error that is named AbortError is not swallowed",
    needs: "worker",
    reason: "Storing it is a case; telling it from an interruption is the worker's",
  },
  {
    name: "A cancel interrupts the handler",
    needs: "worker",
    reason: "That the worker is told is a case; interrupting the fiber is the worker's",
  },
  {
    name: "A batch does not wait for its slowest job, and heartbeats do not wait for the batch",
    needs: "worker",
    reason: "Settling one task of a batch is a case; the rest is concurrency in the worker",
  },
  {
    name: "A shutdown gives back what was claimed and not started",
    needs: "worker",
    reason: "Giving back is a case; doing so at a shutdown is the worker's",
  },
  {
    name: "An idle worker asks for work about once a second",
    needs: "worker",
    reason: "How long to wait is a case; waiting is the worker's",
  },
  {
    name: "A blocked event loop is noticed before the lease is lost",
    needs: "worker",
    reason: "The port cannot see an event loop",
  },
  {
    name: "A listener that died silently is replaced, and its tasks are found meanwhile",
    needs: "network",
    reason: "Finding them is a case; cutting a connection belongs to the tests of a driver",
  },
]
