/**
 * The loop of a worker that removes runs which had ended before the worker began, and which the
 * rounds of `Retaining.ts` have passed over, since others held them.
 */
import { Clock, Effect } from "effect"
import type { Driver } from "../../Driver.ts"
import type { Rule } from "../../Retention.ts"
import { monotonicMillis } from "./Monotonic.ts"
import { limitOf, pauseMillis, type Retained, roundMillis, sleepAbout, warn } from "./Retaining.ts"

/** How long between two walks, about. The first comes soon. */
const againMillis = 86_400_000

/** The first window of time that is looked at. */
const firstMillis = 3_600_000

/** A look that takes longer has read much: it is followed by a pause, and by a shorter window. */
const slowMillis = 50

/** No run has ended before that. */
const beginningMillis = 100 * 365 * 86_400_000

/**
 * Goes back through history, definition by definition, and stops where there is none.
 *
 * **Details**
 *
 * A look at all of it could take minutes, and whatever reads for so long keeps dead rows from being
 * removed, which slows down claims. So each window is as wide as can be read quickly: twice as wide
 * as the last where that was quick, else half as wide.
 */
export const run = (
  driver: Driver["Service"],
  retained: ReadonlyArray<Retained>,
): Effect.Effect<never> =>
  Effect.gen(function* () {
    for (let pause = roundMillis;; pause = againMillis) {
      yield* sleepAbout(pause)
      for (const one of retained) {
        for (const rule of one.rules) if (rule.keep === undefined) yield* goBack(driver, one, rule)
      }
    }
  })

const goBack = Effect.fnUntraced(function* (
  driver: Driver["Service"],
  one: Retained,
  { olderThanMillis, state }: Rule,
): Effect.fn.Return<void> {
  const clock = yield* Clock.Clock
  const limit = limitOf(one)
  const { flow } = one
  let width = firstMillis
  for (let from = olderThanMillis; from < beginningMillis;) {
    const began = monotonicMillis(clock)
    const window = { olderThanMillis: from, youngerThanMillis: from + width }
    // Where it fails, the same window is looked at again.
    const pruned = yield* driver.prune({ flow, states: [state], limit, ...window }).pipe(
      Effect.catch((error) => Effect.as(warn(flow, error), undefined)),
    )
    if (pruned === undefined) {
      yield* Effect.sleep(roundMillis)
      continue
    }
    if (pruned < limit) from += width
    if (pruned >= limit || monotonicMillis(clock) - began > slowMillis) {
      width = Math.max(firstMillis / 60, Math.round(width / 2))
      yield* Effect.sleep(pauseMillis)
    } else width *= 2
  }
})
