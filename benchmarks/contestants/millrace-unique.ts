/** Millrace with a key for each job that no other has. */
import { contestantOf } from "./millrace.ts"

export const contestant = contestantOf({
  configuration: "as millrace, each job with a unique key of its own",
  unique: { key: ({ n }) => `key ${n}` },
})
