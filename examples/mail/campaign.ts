import { Driver } from "@millrace/core"
import { Console, Effect, Schedule } from "effect"
import { createHash, randomUUID } from "node:crypto"
import { mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { dirname } from "node:path"
import { readRecipients, type Recipient } from "./recipients.ts"
import { SendEmail } from "./send-email.ts"

/** The run that a mail to each recipient is. */
type Runs = ReadonlyMap<string, Recipient>

/**
 * Enqueues a mail to every recipient of a CSV file, shows how it goes, and sums up when all of them
 * are delivered or have failed.
 *
 * The campaign's id is kept in a file until the end. A process that is killed in the middle and
 * started again derives the same run ids from it, so that it enqueues nobody twice, and goes on.
 */
export const campaign = Effect.fn("Campaign.run")(function* (csv: string, idFile: string) {
  const { recipients, badRows } = yield* readRecipients(csv)
  for (const { line, reason } of badRows) {
    yield* Console.log(`skipped the row that ends in line ${line}: ${reason}`)
  }
  const id = yield* Effect.promise(() => currentId(idFile))
  const runs: Runs = new Map(recipients.map((one) => [runIdOf(id, one.email), one]))
  yield* Effect.forEach(
    runs,
    ([runId, { email, name }]) =>
      SendEmail.enqueue({
        to: email,
        subject: "Your invoice is ready",
        body: `Dear ${name},\n\nyour invoice for this month is ready.\n`,
      }, { id: runId }),
    { concurrency: 8, discard: true },
  )
  yield* Console.log(`enqueued ${runs.size} mails, those of an interrupted start included`)
  const ended = yield* watch(runs)
  yield* summarize(runs, ended)
  yield* Effect.promise(() => rm(idFile, { force: true }))
})

const currentId = async (file: string): Promise<string> => {
  try {
    return await readFile(file, "utf8")
  } catch {
    const id = randomUUID()
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, id)
    return id
  }
}

/** A UUID of version 8 (RFC 9562): its bits are the application's own, here a hash. */
const runIdOf = (campaignId: string, email: string): string => {
  const hex = createHash("sha256").update(`${campaignId} ${email.toLowerCase()}`).digest("hex")
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${
    hex.slice(20, 32)
  }`
}

const stateOf = Effect.fnUntraced(function* (runs: Runs) {
  const driver = yield* Driver.Driver
  return yield* driver.find({ runs: [...runs.keys()], limit: runs.size })
})

type Records = ReadonlyArray<Driver.TaskRecord>

/** Prints a line whenever something changed, until every run has ended. */
const watch = Effect.fnUntraced(function* (runs: Runs) {
  let shown = ""
  const look = Effect.gen(function* () {
    const records = yield* stateOf(runs)
    const count = (state: string) => records.filter((record) => record.state === state).length
    const line = `delivered ${count("completed")} of ${runs.size}, failed ${count("failed")}, ` +
      `running ${count("running")}, waiting ${count("ready")}`
    if (line !== shown) yield* Console.log(line)
    shown = line
    return records
  })
  const hasEnded = (records: Records) =>
    records.every(({ state }) => state === "completed" || state === "failed")
  return yield* Effect.repeat(look, { schedule: Schedule.spaced("500 millis"), until: hasEnded })
})

const summarize = Effect.fnUntraced(function* (runs: Runs, records: Records) {
  const delivered = records.filter((record) => record.state === "completed")
  const failed = records.filter((record) => record.state === "failed")
  const retried = delivered.filter((record) => record.failures + record.crashes > 0)
  yield* Console.log("")
  yield* Console.log(`delivered: ${delivered.length}, ${retried.length} of them after a retry`)
  yield* Console.log(`failed: ${failed.length}`)
  for (const record of failed) {
    const why = record.history.at(-1)?.failure?.message ?? "no reason was stored"
    yield* Console.log(`  ${runs.get(record.runId)?.email}: ${why}`)
  }
})
