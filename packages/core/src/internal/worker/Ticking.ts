/**
 * The loop of a worker that enqueues what schedules are due for. Every worker has it, and no two
 * enqueue one occurrence.
 */
import { Effect, Result } from "effect"
import type { ScheduleStore } from "../../ScheduleStore.ts"
import { adopt, define, type Defined, tick, type Versions } from "../ticks.ts"

/** How often to look for schedules that nobody told of, at the most. */
const minPauseMillis = 10_000

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
    const mostMillis = Math.max(minPauseMillis, settings.pollMillis)
    let look = begin(store, settings)
    while (true) {
      const looked = yield* Effect.result(look)
      if (Result.isSuccess(looked)) {
        look = tick(store)
        yield* Effect.sleep(Math.min(mostMillis, looked.success))
      } else {
        yield* Effect.logWarning(`Schedules are not looked at for now. ${looked.failure.message}`)
        yield* Effect.sleep(failedPauseMillis)
      }
    }
  })

const begin = (store: ScheduleStore["Service"], { schedules, versions }: Settings) =>
  define(store, schedules).pipe(
    Effect.andThen(adopt(store, versions)),
    Effect.andThen(tick(store)),
  )
