/** Two schedules over the night in which the clocks of Berlin are put forward. */
import { Job, Runs, Schedules, Worker } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Console, DateTime, Effect, Layer, References, Schema } from "effect"
import { TestClock } from "effect/testing"

class Backup extends Job.make("backup", {
  schedule: { cron: "30 2 * * *", timeZone: "Europe/Berlin" },
}) {}

class Report extends Job.make("report", { input: { team: Schema.String } }) {}

const at = (millis: number) =>
  DateTime.makeUnsafe(millis).pipe(
    DateTime.setZone(DateTime.zoneMakeNamedUnsafe("Europe/Berlin")),
    DateTime.formatIsoOffset,
  )

const said = (what: string, runId: string) =>
  Effect.orDie(
    Effect.flatMap(Runs.get(runId), ({ enqueuedAt }) => Console.log(`${at(enqueuedAt)} ${what}`)),
  )

const backup = Backup.perform((_, { runId }) => said("backup", runId))
const report = Report.perform(({ team }, { runId }) => said(`report of ${team}`, runId))

const program = Effect.gen(function* () {
  yield* TestClock.setTime(Date.UTC(2026, 2, 28, 0, 0))
  yield* Effect.gen(function* () {
    yield* Schedules.upsert("report of the mill", Report, { team: "the mill" }, {
      cron: "0 */8 * * *",
      timeZone: "Europe/Berlin",
    })
    yield* TestClock.adjust("2 days")
    const next = yield* Schedules.next("backup")
    yield* Console.log(`the next backup is at ${at(next!)}`)
  }).pipe(Effect.provide(Worker.layer({ jobs: [backup, report] })))
})

const live = Layer.mergeAll(MemoryDriver.layer, TestClock.layer())
await Effect.runPromise(
  program.pipe(
    Effect.provide(live),
    Effect.provideService(References.MinimumLogLevel, "None"),
  ),
)
