/** pg-boss with a singleton key for each job that no other has, of which one waits or runs. */
import { contestantOf } from "./pg-boss.ts"

export const contestant = contestantOf({
  configuration: "as pg-boss, policy exclusive, each job with a singletonKey of its own",
  policy: "exclusive",
  more: ({ n }) => ({ singletonKey: `key ${n}` }),
})
