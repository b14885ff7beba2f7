/** graphile-worker with named queues, each of which is worked off one by one, in order. */
import { contestantOf } from "./graphile-worker.ts"

export const contestant = contestantOf({
  configuration: "as graphile-worker, in 2,000 named queues",
  more: ({ n }) => ({ queueName: `group ${n % 2000}` }),
})
