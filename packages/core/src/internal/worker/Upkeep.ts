/**
 * The loops that a worker consists of, and how it stops.
 */
import { Effect, Option, Stream } from "effect"
import type { Context } from "effect"
import type { Driver } from "../../Driver.ts"
import type { DriverError } from "../../DriverError.ts"
import type { ScheduleStore } from "../../ScheduleStore.ts"
import type { Attempts, Held } from "./Attempts.ts"
import { annotationsOf } from "./Attempts.ts"
import * as Backlog from "./Backlog.ts"
import type { Intake } from "./Intake.ts"
import type { Sessions } from "./Sessions.ts"
import type { Settings } from "./Settings.ts"
import type { Settling } from "./Settling.ts"
import * as Retaining from "./Retaining.ts"
import * as Ticking from "./Ticking.ts"

export interface Parts {
  readonly driver: Driver["Service"]
  readonly settings: Settings
  readonly settling: Settling
  readonly attempts: Attempts
  readonly sessions: Sessions
  readonly intake: Intake
  /** Where schedules are stored, if the driver can. */
  readonly schedules: Option.Option<ScheduleStore["Service"]>
}

/** Two batches may be written at a time: while one is on its way, the next is under way already. */
const writers = 2

/** All that a worker does, each loop for a fiber of its own. */
export const fibers = (parts: Parts): ReadonlyArray<Effect.Effect<unknown>> => [
  parts.attempts.deadlines.run,
  parts.intake.runStarts,
  parts.intake.runClaims,
  parts.intake.runFurtherClaims,
  parts.sessions.run,
  listen(parts),
  ...Option.toArray(parts.schedules).map((store) => Ticking.run(store, parts.settings)),
  ...(parts.settings.retained.length === 0
    ? []
    : [Retaining, Backlog].map(({ run }) => run(parts.driver, parts.settings.retained))),
  ...Array.from({ length: writers }, () => parts.settling.run),
]

/** Says the limits of queues, and warns where others were said before. */
export const sayLimits = (
  driver: Driver["Service"],
  { limits, name }: Settings,
): Effect.Effect<void, DriverError> =>
  Effect.forEach(limits, ([queue, own]) =>
    Effect.flatMap(driver.limit(queue, own), (before) => {
      const { paused: _, ...others } = before ?? own
      const [said, held] = [JSON.stringify(own), JSON.stringify(others)]
      return said === held ? Effect.void : Effect.logWarning(
        `Worker "${name}" changed the limits of queue "${queue}" for all workers, ` +
          `from ${held} to ${said}`,
      )
    }), { discard: true })

/** How long a handler may take to end, after the grace period and its interruption. */
const abandonMillis = 5000

/** Stops claiming, lets attempts finish, gives back the rest, writes all of it, and ends. */
export const stop = (
  { settings, settling, attempts, sessions, intake }: Parts,
): Effect.Effect<void> =>
  Effect.gen(function* () {
    yield* Effect.logInfo(
      `Worker "${settings.name}" stops; attempts that still run: ${attempts.size}`,
    )
    yield* intake.stop
    yield* ended(attempts, settings.graceMillis)
    if (attempts.size > 0) {
      attempts.interruptAll()
      yield* ended(attempts, abandonMillis)
    }
    if (attempts.size > 0) {
      yield* Effect.logWarning(
        `${attempts.size} handlers did not end when interrupted; their tasks are given up`,
      )
    }
    yield* Effect.timeoutOption(settling.flushed, settings.leaseMillis)
    yield* Effect.timeoutOption(sessions.end, settings.leaseMillis)
  })

/** Waits until no attempt runs, but no longer than this. */
const ended = (attempts: Attempts, millis: number): Effect.Effect<unknown> =>
  Effect.timeoutOption(attempts.idle, millis)

/** Acts on the driver's hints. Without them there is still the poll, so losing them is no error. */
const listen = ({ driver, intake, sessions }: Parts): Effect.Effect<never> =>
  driver.wakeups.pipe(
    Stream.runForEachArray((wakeups) => {
      for (const wakeup of wakeups) {
        if (wakeup._tag === "Ready") intake.wake(wakeup.queue)
        if (wakeup._tag === "Missed") intake.wake()
        // Only a heartbeat tells whether this worker's lease of the task is meant.
        if (wakeup._tag === "Cancelled" && sessions.holds(wakeup.taskId)) sessions.hurry()
      }
      return Effect.void
    }),
    Effect.catch((error) =>
      Effect.logWarning(`Announcements of work are not heard for now. ${error.message}`)
    ),
    Effect.andThen(Effect.sleep(relistenMillis)),
    Effect.andThen(Effect.sync(() => intake.wake())),
    Effect.forever,
  )

const relistenMillis = 1000

/** Says that a handler goes on although its time is over; it holds a place in its queue. */
export const warnOverdue = (context: Context.Context<never>, { task }: Held): void => {
  Effect.runForkWith(context)(Effect.annotateLogs(
    Effect.logWarning("The handler has not ended long after its timeout interrupted it"),
    annotationsOf(task),
  ))
}
