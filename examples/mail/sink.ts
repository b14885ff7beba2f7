import { Context, type Duration, Effect, FiberMap, Layer, Ref } from "effect"
import { buffer } from "node:stream/consumers"
import { SMTPServer } from "smtp-server"
import { type Delivered, openMailbox, storeMail } from "./mailbox.ts"
import { HOST, listen, type Refusal, refusal, reply } from "./smtp.ts"

export interface SinkOptions {
  /** The folder that accepted mails are stored in, one `.eml` file each. */
  readonly mailbox: string
  /** How long `slow.example` takes to answer the first time; longer than the job's timeout. */
  readonly slowReply?: Duration.Input | undefined
}

/**
 * A mail server on loopback that keeps what it is sent, and that is as difficult as real ones are.
 *
 * The domain of the recipient says how: `greylist.example` is deferred at its first attempt,
 * `gone.example` has no such user, `slow.example` answers its first attempt too late, and
 * `stuck.example` never answers. Everybody else gets their mail at once.
 */
export class Sink extends Context.Service<Sink, {
  readonly host: string
  readonly port: number
  /** What this process accepted, in order; a mail that came twice is there twice. */
  readonly delivered: Effect.Effect<ReadonlyArray<Delivered>>
}>()("@millrace/examples/mail/Sink") {
  static readonly layer = (options: SinkOptions) => Layer.effect(Sink, make(options))
}

const make = Effect.fnUntraced(function* (options: SinkOptions) {
  yield* openMailbox(options.mailbox)
  const accepted = yield* Ref.make<ReadonlyArray<Delivered>>([])
  // In memory only: after a restart the sink greylists anew, and the jobs have to cope with that.
  const attempts = new Map<string, number>()
  // One fiber a session: a client that hangs up also stops the answer it was waiting for.
  const run = yield* FiberMap.makeRuntime<never, string>()

  const server = new SMTPServer({
    name: "sink.millrace.example",
    // Nothing secret passes over loopback, and a client must not ask for either of them.
    disabledCommands: ["AUTH", "STARTTLS"],
    disableReverseLookup: true,
    logger: false,
    onRcptTo({ address }, session, callback) {
      const recipient = address.toLowerCase()
      const attempt = (attempts.get(recipient) ?? 0) + 1
      attempts.set(recipient, attempt)
      reply(run(session.id, answer(recipient, attempt, options.slowReply)), callback)
    },
    onData(stream, session, callback) {
      const recipients = session.envelope.rcptTo.map(({ address }) => address)
      const store = Effect.fnUntraced(function* (content: Buffer) {
        const mails = yield* storeMail(options.mailbox, recipients, content, session.id)
        yield* Ref.update(accepted, (before) => [...before, ...mails])
      }, Effect.uninterruptible)
      const receive = Effect.tryPromise(() => buffer(stream)).pipe(
        Effect.flatMap(store),
        // Only what is on the disk may be answered with 250.
        Effect.mapError(() => refusal(452, "4.3.1 Mailbox cannot be written")),
      )
      reply(run(session.id, receive), callback)
    },
    onClose(session) {
      // Takes the place of the answer that this session was still waiting for, if any.
      run(session.id, Effect.void)
    },
  })
  const port = yield* listen(server)
  return Sink.of({ host: HOST, port, delivered: Ref.get(accepted) })
})

/** How the recipient's server answers: a delay, a refusal, or nothing to object to. */
const answer = (
  recipient: string,
  attempt: number,
  slowReply: Duration.Input = "30 seconds",
): Effect.Effect<void, Refusal> => {
  switch (recipient.slice(recipient.lastIndexOf("@") + 1)) {
    case "greylist.example":
      return attempt > 1 ? Effect.void : Effect.fail(refusal(451, "4.7.1 Greylisted, try again"))
    case "gone.example":
      return Effect.fail(refusal(550, "5.1.1 No such user here"))
    case "slow.example":
      return attempt > 1 ? Effect.void : Effect.sleep(slowReply)
    case "stuck.example":
      return Effect.never
    default:
      return Effect.void
  }
}
