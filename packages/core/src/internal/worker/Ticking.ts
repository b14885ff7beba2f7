/**
 * The loop of a worker that enqueues what schedules are due for. Every worker has it, and no two
 * enqueue one occurrence.
 */
import { Effect } from "effect"
import type { ScheduleStore } from "../../ScheduleStore.ts"
import { adopt, define, type Defined, tick, type Versions } from "../ticks.ts"

/** How often to look for schedules that nobody told of, at the most. */
const minPauseMillis = 5000

/** How long to wait after the storage failed. */
const failedPauseMillis = 1000

interface Settings {
  readonly schedules: Defined
  readonly versions: Versions
  readonly pollMillis: number
}

/** Stores the schedules of the definitions, then enqueues what is due, until it is interrupted. */
export const run = (store: ScheduleStore["Service"], settings: Settings): Effect.Effect<never> =>
  Effect.gen(function* () {
    let defined = false
    while (true) {
      const pause = yield* Effect.gen(function* () {
        if (!defined) {
          yield* define(store, settings.schedules)
          yield* adopt(store, settings.versions)
        }
        defined = true
        return yield* tick(store)
      }).pipe(Effect.catch((error) =>
        Effect.as(
          Effect.logWarning(`Schedules are not looked at for now. ${error.message}`),
          failedPauseMillis,
        )
      ))
      const most = Math.max(minPauseMillis, settings.pollMillis)
      yield* Effect.sleep(Math.min(most, pause))
    }
  })
