/**
 * The loop of a worker that removes runs which ended long enough ago, a few at a time.
 */
import { Clock, Effect, Random } from "effect"
import type { Driver } from "../../Driver.ts"
import type { DriverError } from "../../DriverError.ts"
import * as Limits from "../../Limits.ts"
import type { Rule } from "../../Retention.ts"
import { monotonicMillis } from "./Monotonic.ts"

/** What is removed of the runs of one definition. */
export interface Retained {
  readonly flow: string
  readonly flowType: "job" | "flow"
  readonly rules: ReadonlyArray<Rule>
}

/** How long a round takes at least, on average: half of it to one and a half, at random. */
const roundMillis = 60_000

/** To find the newest of many takes long, so that is done in one round of so many. */
const countingRounds = 10

/** How long to wait between two batches: others want the storage too. */
const pauseMillis = 1000

/** How many runs of a flow go at once, each with all below it. */
const flowsAtOnce = 20

/** What ends while a round is looking is looked at again by the next one. */
const overlapMillis = 60_000

/** Removes what has been kept long enough, until it is interrupted. */
export const run = (
  driver: Driver["Service"],
  retained: ReadonlyArray<Retained>,
): Effect.Effect<never> =>
  Effect.gen(function* () {
    const looked = new Map<Rule, number>()
    for (let round = 0;; round++) {
      yield* Effect.sleep(Math.round(roundMillis * (0.5 + (yield* Random.next))))
      let removed = 0
      for (const { flow, flowType, rules } of retained) {
        for (const rule of rules) {
          if (rule.keep !== undefined && round % countingRounds > 0) continue
          const limit = flowType === "flow" ? flowsAtOnce : Limits.batchSize
          removed += yield* remove(driver, flow, rule, limit, looked).pipe(
            Effect.catch((error) =>
              Effect.as(
                Effect.logWarning(
                  `Old runs of "${flow}" are not removed for now. ${error.message}`,
                ),
                0,
              )
            ),
          )
        }
      }
      if (removed > 0) yield* Effect.logDebug(`Removed ${removed} tasks of runs that had ended`)
    }
  })

/** Removes what a rule says, and answers how much; `looked` knows when it last had done so. */
const remove = Effect.fnUntraced(function* (
  driver: Driver["Service"],
  flow: string,
  rule: Rule,
  limit: number,
  looked: Map<Rule, number>,
): Effect.fn.Return<number, DriverError> {
  const clock = yield* Clock.Clock
  const began = monotonicMillis(clock)
  const before = looked.get(rule)
  const { keep, olderThanMillis, state } = rule
  let removed = 0
  while (true) {
    const elapsed = monotonicMillis(clock) - (before ?? 0) + overlapMillis
    // What had ended before was removed, or was not to be: nobody need read it again.
    const within = before === undefined || keep !== undefined ? {} : {
      youngerThanMillis: Math.ceil(olderThanMillis + elapsed),
    }
    const pruned = yield* driver.prune({
      ...{ flow, states: [state], olderThanMillis, limit, keep },
      ...within,
    })
    removed += pruned
    if (pruned < limit) break
    yield* Effect.sleep(pauseMillis)
  }
  looked.set(rule, began)
  return removed
})
