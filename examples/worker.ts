/**
 * Sends a mail to every recipient in `recipients.csv`, through a mail server that is as difficult
 * as real ones are, and sums up.
 *
 *     bun run examples/worker.ts [--watch]
 *     deno task worker [--watch]
 *
 * It keeps its database and its mailbox in `.millrace/`; with `DATABASE_URL` it uses that server.
 * Kill it in the middle and start it again: it goes on where it was.
 */
import { Worker } from "@millrace/core"
import { Embedded, Postgres } from "@millrace/driver-postgres"
import { Effect, Layer } from "effect"
import { fileURLToPath } from "node:url"
import process from "node:process"
import { parseArgs } from "node:util"
import { campaign } from "./mail/campaign.ts"
import { logLines } from "./mail/log.ts"
import { Mailer } from "./mail/mailer.ts"
import { sendEmail } from "./mail/send-email.ts"
import { Sink } from "./mail/sink.ts"

const folder = ".millrace"

const options = (() => {
  try {
    return parseArgs({ options: { watch: { type: "boolean", default: false } } }).values
  } catch (error) {
    console.error(`${(error as Error).message.split(". ")[0]}. The only option is --watch`)
    return process.exit(2)
  }
})()

const storage = process.env["DATABASE_URL"]
  ? Postgres.layerConfig()
  : Embedded.layer({ directory: `${folder}/database` })

const mail = Layer.provideMerge(
  Layer.unwrap(Effect.map(Sink, Mailer.layer)),
  // Slower than the job's timeout.
  Sink.layer({ mailbox: `${folder}/mailbox`, slowReply: "10 seconds" }),
)

const recipients = fileURLToPath(new URL("./recipients.csv", import.meta.url))
const once = campaign(recipients, `${folder}/campaign`)

Worker.run(
  {
    jobs: [sendEmail],
    // What a killed worker held is taken up again this long after it.
    lease: "5 seconds",
    until: options.watch ? Effect.andThen(once, Effect.never) : once,
  },
  Layer.mergeAll(storage, mail, logLines),
)
