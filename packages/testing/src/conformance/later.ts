/**
 * Failures of job queues that no case covers, because what they need is not a part of the port.
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
  readonly needs: "measuring"
  readonly reason: string
}

/** The failures that wait for something.
 * @category cases
 * @since 0.1.0 */
export const later: ReadonlyArray<Later> = [
  {
    name: "A global limit does not halve the throughput",
    needs: "measuring",
    reason: "That it is never exceeded is a case; what it costs is measured by a benchmark",
  },
  {
    name: "A fan-out of 4,000 elements takes as long per element as one of 40",
    needs: "measuring",
    reason: "That 4,000 tasks come to their end is a case; how long it takes is measured",
  },
]
