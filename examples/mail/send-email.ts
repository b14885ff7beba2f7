import { Backoff, Job } from "@millrace/core"
import { Schema } from "effect"
import { MailDeferred, Mailer, MailRejected } from "./mailer.ts"

/** One mail to one recipient. A web server could import this and enqueue, without a mailer. */
export class SendEmail extends Job.make("send_email", {
  input: { to: Schema.String, subject: Schema.String, body: Schema.String },
  output: { accepted: Schema.String },
  error: Schema.Union([MailDeferred, MailRejected]),
  maxAttempts: 4,
  // Short, so that the example ends soon. Real greylisting wants minutes.
  backoff: Backoff.exponential({ base: "500 millis", cap: "10 seconds", jitter: 0.2 }),
  timeout: "2 seconds",
  retryable: (error) => error._tag === "MailDeferred",
}) {}

/** The handler; what it needs, `Mailer`, shows in its type. */
export const sendEmail = SendEmail.perform("send", (letter, ctx) =>
  Mailer.use((mailer) =>
    // The same id in every attempt: the receiver can tell a mail that was sent twice.
    mailer.send({ ...letter, messageId: `<${ctx.runId}@millrace.example>` })
  ))
