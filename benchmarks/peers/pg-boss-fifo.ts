/** pg-boss with the policy that keeps the order of each key. */
import { contestantOf } from "./pg-boss.ts"

export const contestant = contestantOf({
  configuration: "as pg-boss, policy key_strict_fifo with 2,000 singleton keys",
  policy: "key_strict_fifo",
  more: ({ n }) => ({ singletonKey: `group ${n % 2000}` }),
})
