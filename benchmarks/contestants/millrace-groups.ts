/** Millrace with FIFO groups: of each of 2,000 keys one job runs at a time, in order. */
import { contestantOf } from "./millrace.ts"

export const contestant = contestantOf({
  configuration: "as millrace, in 2,000 FIFO groups",
  group: ({ n }) => `group ${n % 2000}`,
})
