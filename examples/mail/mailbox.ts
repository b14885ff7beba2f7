import { Effect, Schema } from "effect"
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises"
import { join } from "node:path"

/** What is known of a delivered mail, each header as it was on the wire. */
export interface Delivered {
  readonly to: string
  readonly subject: string
  readonly messageId: string
}

/** The folder of the mailbox cannot be read or written. */
export class MailboxError extends Schema.TaggedError<MailboxError>()("MailboxError", {
  folder: Schema.String,
  reason: Schema.String,
}) {
  override get message() {
    return `Cannot use mailbox "${this.folder}": ${this.reason}`
  }
}

/** Makes the folder, so that a wrong path is an error at the start and not at the first mail. */
export const openMailbox = (folder: string): Effect.Effect<void, MailboxError> =>
  attempt(folder, () => mkdir(folder, { recursive: true })).pipe(Effect.asVoid)

/**
 * Stores one mail as `<message id>.eml` and answers what it holds, one entry a recipient.
 *
 * The name comes from the message id, so a mail that is delivered twice (its sender was killed
 * before it saw the answer) is one file: the receiver makes at-least-once delivery count once.
 */
export const storeMail = Effect.fn("Mailbox.store")(
  function* (folder: string, recipients: ReadonlyArray<string>, content: Buffer, session: string) {
    const envelope = recipients.map((to) => `Delivered-To: ${to}\r\n`).join("")
    const mail = Buffer.concat([Buffer.from(envelope), content])
    const delivered = deliveries(mail.toString("utf8"))
    const path = join(folder, fileName(delivered[0]?.messageId || session))
    // Written beside its place and renamed, so that a kill never leaves half a mail to be counted.
    yield* attempt(folder, async () => {
      await writeFile(`${path}.${session}.part`, mail)
      await rename(`${path}.${session}.part`, path)
    })
    return delivered
  },
)

/** Lists everything the folder holds, also what earlier processes stored there. */
export const readMailbox = Effect.fn("Mailbox.read")(function* (folder: string) {
  const names = yield* attempt(folder, () => readdir(folder))
  const mails = yield* Effect.forEach(
    names.filter((name) => name.endsWith(".eml")).sort(),
    (name) => attempt(folder, () => readFile(join(folder, name), "utf8")),
    { concurrency: 8 },
  )
  return mails.flatMap(deliveries)
})

const deliveries = (mail: string): Array<Delivered> => {
  const end = mail.indexOf("\r\n\r\n")
  const head = mail.slice(0, end < 0 ? undefined : end)
  // A long header goes on in the next line, after white space.
  const lines = head.replace(/\r\n(?=[ \t])/g, "").split("\r\n")
  const values = (name: string) =>
    lines.filter((line) => line.toLowerCase().startsWith(`${name}:`))
      .map((line) => line.slice(name.length + 1).trim())
  const [subject = ""] = values("subject")
  const [messageId = ""] = values("message-id")
  // Only our own `Delivered-To` lines lead the mail; the content may hold more of them.
  const own = lines.findIndex((line) => !line.startsWith("Delivered-To: "))
  return values("delivered-to").slice(0, own < 0 ? undefined : own)
    .map((to) => ({ to, subject, messageId }))
}

// The id was chosen by the client, and must not choose another folder or a hidden file.
const fileName = (messageId: string) =>
  `${messageId.replace(/^\W+|[^\w.@+-]/g, "").slice(0, 200) || "mail"}.eml`

const attempt = <A>(folder: string, run: () => Promise<A>) =>
  Effect.tryPromise({
    try: run,
    catch: (error) =>
      new MailboxError({ folder, reason: error instanceof Error ? error.message : String(error) }),
  })
