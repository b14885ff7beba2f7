/** graphile-worker with a job key for each job that no other has. */
import { contestantOf } from "./graphile-worker.ts"

export const contestant = contestantOf({
  configuration: "as graphile-worker, each job with a jobKey of its own",
  more: ({ n }) => ({ jobKey: `key ${n}` }),
})
