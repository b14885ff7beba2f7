import { Context, Effect, Layer, Schema } from "effect"
import { createTransport, type NodemailerError } from "nodemailer"

export interface MailerOptions {
  readonly host: string
  readonly port: number
  /** The sender's address. */
  readonly from?: string | undefined
}

export interface Letter {
  /** One address; the name is for the greeting in the body. */
  readonly to: string
  readonly subject: string
  readonly body: string
  /** Stays the same over all attempts of a job, so that a receiver can tell a mail sent twice. */
  readonly messageId: string
}

/** The server's reply to a mail that it did not take: `550 5.1.1 No such user here`. */
const reply = { to: Schema.String, code: Schema.Int, text: Schema.String }

/** The server does not take the mail now (4xx, or it cannot be reached): try again later. */
export class MailDeferred extends Schema.TaggedError<MailDeferred>()("MailDeferred", reply) {
  override get message() {
    return `Mail to "${this.to}" was deferred: ${this.code} ${this.text}`
  }
}

/** The server will never take the mail (5xx): trying again would only annoy it. */
export class MailRejected extends Schema.TaggedError<MailRejected>()("MailRejected", reply) {
  override get message() {
    return `Mail to "${this.to}" was rejected: ${this.code} ${this.text}`
  }
}

/** Sends mail over SMTP. */
export class Mailer extends Context.Service<Mailer, {
  /** Hands one mail to the server; interruption closes the connection at once. */
  readonly send: (
    letter: Letter,
  ) => Effect.Effect<{ readonly accepted: string }, MailDeferred | MailRejected>
}>()("@millrace/examples/mail/Mailer") {
  static readonly layer = (options: MailerOptions) => Layer.effect(Mailer, make(options))
}

const make = Effect.fnUntraced(function* (options: MailerOptions) {
  const from = options.from ?? "millrace@millrace.example"
  const transport = yield* Effect.acquireRelease(
    // One connection a mail, not a pool: what is interrupted takes nobody else's mail with it.
    // Connections are cut and not closed politely, as a server that hangs says no goodbye either.
    Effect.sync(() =>
      createTransport({ host: options.host, port: options.port, socketCloseTimeout: 0 })
    ),
    (transport) => Effect.sync(() => transport.close()),
  )
  const send = Effect.fn("Mailer.send")(function* ({ to, subject, body, messageId }: Letter) {
    const info = yield* Effect.tryPromise({
      // As a string, the address would be parsed as a list, and a comma in it would make two.
      try: (signal) =>
        transport.sendMail({
          from,
          to: { name: "", address: to },
          subject,
          text: body,
          messageId,
          signal,
        }),
      catch: (error) => failure(to, error as NodemailerError),
    })
    return { accepted: info.response }
  })
  return Mailer.of({ send })
})

// What a client reports that got no answer at all (RFC 5321: service not available).
const NOT_AVAILABLE = 421
const BAD_ADDRESS = 553

const failure = (to: string, error: NodemailerError): MailDeferred | MailRejected => {
  const { response, responseCode } = error
  const code = responseCode ?? (error.code === "EENVELOPE" ? BAD_ADDRESS : NOT_AVAILABLE)
  const text = (response ?? error.message).replace(/^\d{3}[ -]/, "").replace(/\s+/g, " ").trim()
  return code >= 500 ? new MailRejected({ to, code, text }) : new MailDeferred({ to, code, text })
}
