import { Cause, Effect, Exit, type Fiber, Option, Schema } from "effect"
import type { AddressInfo, Socket } from "node:net"
import type { SMTPServer } from "smtp-server"

/** Loopback only: the sink takes mail from anybody, so nobody else may reach it. */
export const HOST = "127.0.0.1"

/** The sink cannot listen on loopback. */
export class SinkUnavailable extends Schema.TaggedError<SinkUnavailable>()("SinkUnavailable", {
  reason: Schema.String,
}) {
  override get message() {
    return `Cannot start SMTP sink on ${HOST}: ${this.reason}`
  }
}

/** What a command is refused with: the reply code, and the text with the enhanced status code. */
export interface Refusal extends Error {
  readonly responseCode: number
}

export const refusal = (responseCode: number, text: string): Refusal =>
  Object.assign(new Error(text), { responseCode })

/** Answers a command when its fiber ends, in every case: an unanswered one hangs its session. */
export const reply = (
  fiber: Fiber.Fiber<void, Refusal>,
  callback: (error?: Error | null) => void,
) =>
  fiber.addObserver((exit) => {
    if (Exit.isSuccess(exit)) return callback()
    const failure = Cause.findErrorOption(exit.cause)
    callback(Option.getOrElse(failure, () => refusal(451, "4.3.0 Sink cannot answer")))
  })

/** Listens on a free port until the scope closes, which also closes every session. */
export const listen = Effect.fnUntraced(function* (smtp: SMTPServer) {
  const sockets = new Set<Socket>()
  smtp.server.on("connection", (socket: Socket) => {
    sockets.add(socket)
    socket.once("close", () => sockets.delete(socket))
  })
  // A client that is killed in mid-sentence is an error event here, and unheard it would be thrown.
  smtp.on("error", () => {})
  yield* Effect.acquireRelease(open(smtp), () => close(smtp, sockets))
  return (smtp.server.address() as AddressInfo).port
})

const open = (smtp: SMTPServer) =>
  Effect.callback<void, SinkUnavailable>((resume) => {
    const onError = (error: Error) =>
      resume(Effect.fail(new SinkUnavailable({ reason: error.message })))
    smtp.server.once("error", onError)
    smtp.listen(0, HOST, () => {
      smtp.server.off("error", onError)
      resume(Effect.void)
    })
  })

// Left alone, the server would wait half a minute for clients to say goodbye.
const close = (smtp: SMTPServer, sockets: ReadonlySet<Socket>) =>
  Effect.callback<void>((resume) => {
    smtp.close(() => resume(Effect.void))
    for (const socket of sockets) socket.destroy()
  })
