import { RunId } from "@millrace/core"
import { Console, Effect } from "effect"
import { createHash, randomUUID } from "node:crypto"
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { dirname } from "node:path"
import { patiently, type Runs, summarize, watch } from "./progress.ts"
import { readRecipients, type Recipient } from "./recipients.ts"
import { SendEmail } from "./send-email.ts"

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
  const runs = new Map<RunId.RunId, Recipient>()
  for (const recipient of recipients) {
    const runId = runIdOf(id, recipient.email)
    if (runs.has(runId)) yield* Console.log(`skipped another row for ${recipient.email}`)
    else runs.set(runId, recipient)
  }
  yield* enqueue(runs)
  yield* Console.log(`enqueued ${runs.size} mails, those of an interrupted start included`)
  yield* summarize(runs, yield* watch(runs))
  yield* Effect.promise(() => rm(idFile, { force: true }))
})

const enqueue = (runs: Runs) =>
  Effect.forEach(
    runs,
    ([id, { email, name }]) => {
      const letter = {
        to: email,
        subject: "Your invoice is ready",
        body: `Dear ${name},\n\nyour invoice for this month is ready.\n`,
      }
      // With an id of its own a run can be enqueued again, when nobody knows whether it was.
      return patiently(SendEmail.enqueue(letter, { id }))
    },
    { concurrency: 8, discard: true },
  )

/** Reads the id of the campaign that was interrupted, or begins a new one. */
const currentId = async (file: string): Promise<string> => {
  const found = await readFile(file, "utf8").catch(() => "")
  if (RunId.isRunId(found)) return found
  const id = randomUUID()
  await mkdir(dirname(file), { recursive: true })
  // Renamed into its place, so that a kill never leaves half an id.
  await writeFile(`${file}.part`, id)
  await rename(`${file}.part`, file)
  return id
}

/** A UUID of version 8 (RFC 9562): its bits are the application's own, here a hash. */
const runIdOf = (campaignId: string, email: string): RunId.RunId => {
  const hex = createHash("sha256").update(`${campaignId} ${email.toLowerCase()}`).digest("hex")
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${
    hex.slice(20, 32)
  }`
}
