/** Millrace with a limit that is never reached, so that its cost alone is measured. */
import { contestantOf } from "./millrace.ts"

export const contestant = contestantOf({
  configuration: "as millrace, and its queue has a limit of 100,000 at a time over all workers",
  limits: { concurrency: 100_000 },
})
