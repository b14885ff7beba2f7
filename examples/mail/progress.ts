import { Driver, type DriverError, type RunId, Task } from "@millrace/core"
import { Console, Effect, Schedule } from "effect"
import type { Recipient } from "./recipients.ts"
import { SendEmail } from "./send-email.ts"

/** The run that the mail to each recipient is. */
export type Runs = ReadonlyMap<RunId.RunId, Recipient>

type Records = ReadonlyArray<Driver.TaskRecord>

/**
 * Tries again while the storage is away, as the worker does that serves meanwhile. For reading, and
 * for writing what may be written twice.
 */
export const patiently = <A, E extends { readonly _tag: string }, R>(
  effect: Effect.Effect<A, E | DriverError, R>,
) =>
  Effect.retry(effect, {
    while: (error) => "isRetryable" in error && error.isRetryable === true,
    schedule: Schedule.spaced("1 second"),
  })

/** Prints a line whenever something has changed, until every run has ended. */
export const watch = Effect.fnUntraced(function* (runs: Runs) {
  const driver = yield* Driver.Driver
  const ids = [...runs.keys()]
  let shown = ""
  const look = Effect.gen(function* () {
    const records = yield* patiently(driver.find({ runs: ids, limit: Math.max(1, ids.length) }))
    const line = progressOf(runs, records)
    if (line !== shown) yield* Console.log(line)
    shown = line
    return records
  })
  const hasEnded = (records: Records) => records.every(({ state }) => Task.isTerminal(state))
  return yield* Effect.repeat(look, { schedule: Schedule.spaced("500 millis"), until: hasEnded })
})

const progressOf = (runs: Runs, records: Records) => {
  const count = (state: Task.State) => records.filter((record) => record.state === state).length
  return `delivered ${count("completed")} of ${runs.size}, failed ${count("failed")}, ` +
    `running ${count("running")}, waiting ${count("ready")}`
}

/** Prints how many mails were delivered, and who did not get theirs, reason by reason. */
export const summarize = Effect.fnUntraced(function* (runs: Runs, records: Records) {
  const delivered = records.filter((record) => record.state === "completed")
  const retried = delivered.filter((record) => record.failures + record.crashes > 0)
  const done = new Set(delivered.map((record) => record.runId))
  // Taken from what was to be done and not from what is stored, so that nobody can go missing.
  const failed = [...runs].filter(([runId]) => !done.has(runId))
  const reasons = new Map<string, Array<string>>()
  for (const [runId, { email }] of failed) {
    const reason = yield* reasonOf(runId)
    reasons.set(reason, [...(reasons.get(reason) ?? []), email])
  }
  yield* Console.log(`\ndelivered: ${delivered.length}, ${retried.length} of them after a retry`)
  yield* Console.log(`failed: ${failed.length}`)
  for (const [reason, emails] of reasons) {
    yield* Console.log(`  ${emails.length} with ${reason}`)
    for (const email of emails.sort()) yield* Console.log(`    ${email}`)
  }
})

/** Says why a run failed: with the job's own error, where that was foreseen. */
const reasonOf = (runId: RunId.RunId) =>
  patiently(SendEmail.await(runId)).pipe(
    Effect.map(({ accepted }) => `a delivery after all: ${accepted}`),
    Effect.catchTags({
      RunFailed: ({ error, reason, detail }) =>
        Effect.succeed(
          error === undefined
            ? `${reason}: ${detail}`
            : `${error._tag}: ${error.code} ${error.text}`,
        ),
      RunCancelled: ({ message }) => Effect.succeed(message),
      RunNotFound: ({ message }) => Effect.succeed(message),
    }),
  )
