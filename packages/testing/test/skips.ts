/** The cases that every driver of ours fails, and why. */
import type { Conformance } from "@millrace/testing"

export const skips: ReadonlyArray<Conformance.Skip> = [
  {
    name: "A task that has crashed is claimed alone among all queues of a claim",
    reason: "the rule cuts the batch of each queue by itself",
  },
]
