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

/** How long a round takes at least, on average. */
export const roundMillis = 60_000

/** To find the newest of many takes long, so that is done in one round of so many. */
const countingRounds = 10

/** How long to wait between two batches: others want the storage too. */
export const pauseMillis = 1000

/** How many runs of a flow go at once, each with all below it. */
const flowsAtOnce = 20

/** How many runs of a definition go at once. */
export const limitOf = ({ flowType }: Retained): number =>
  flowType === "flow" ? flowsAtOnce : Limits.batchSize

/** What ends while a round is looking is looked at again by the next one. */
const overlapMillis = 60_000

/** Removes what has been kept long enough, until it is interrupted. */
export const run = (
  driver: Driver["Service"],
  retained: ReadonlyArray<Retained>,
): Effect.Effect<never> =>
  Effect.gen(function* () {
    // What had ended before is removed by `Backlog.ts`.
    const began = monotonicMillis(yield* Clock.Clock)
    const looked = new Map(retained.flatMap(({ rules }) => rules.map((rule) => [rule, began])))
    for (let round = 0;; round++) {
      yield* sleepAbout(roundMillis)
      let removed = 0
      for (const one of retained) {
        for (const rule of one.rules) {
          if (rule.keep !== undefined && round % countingRounds > 0) continue
          removed += yield* remove(driver, one, rule, looked).pipe(
            Effect.catch((error) => Effect.as(warn(one.flow, error), 0)),
          )
        }
      }
      if (removed > 0) yield* Effect.logDebug(`Removed ${removed} tasks of runs that had ended`)
    }
  })

/** Sleeps for half of a time to one and a half, at random: workers are not to come all at once. */
export const sleepAbout = (millis: number): Effect.Effect<void> =>
  Effect.flatMap(Random.next, (chance) => Effect.sleep(Math.round(millis * (0.5 + chance))))

/** Says that runs of a definition stay for now. */
export const warn = (flow: string, error: DriverError): Effect.Effect<void> =>
  Effect.logWarning(`Old runs of "${flow}" are not removed for now. ${error.message}`)

/** Removes what a rule says, and answers how much; `looked` knows when it last had done so. */
const remove = Effect.fnUntraced(function* (
  driver: Driver["Service"],
  one: Retained,
  rule: Rule,
  looked: Map<Rule, number>,
): Effect.fn.Return<number, DriverError> {
  const clock = yield* Clock.Clock
  const limit = limitOf(one)
  const began = monotonicMillis(clock)
  const before = looked.get(rule) ?? began
  const { keep, olderThanMillis, state } = rule
  let removed = 0
  while (true) {
    const elapsed = monotonicMillis(clock) - before + overlapMillis
    // What had ended before was removed, or was not to be: nobody need read it again.
    const within = keep !== undefined ? {} : {
      youngerThanMillis: Math.ceil(olderThanMillis + elapsed),
    }
    const pruned = yield* driver.prune({
      ...{ flow: one.flow, states: [state], olderThanMillis, limit, keep },
      ...within,
    })
    removed += pruned
    if (pruned < limit) break
    yield* Effect.sleep(pauseMillis)
  }
  looked.set(rule, began)
  return removed
})
