/** A web server that enqueues, and the worker beside it; they share nothing but the driver. */
import { Job, Runs, Worker } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Console, Effect, Layer, References, Schema } from "effect"

class Resize extends Job.make("resize", {
  input: { name: Schema.NonEmptyString, width: Schema.Int },
  output: { file: Schema.String },
}) {}

const resize = Resize.perform(({ name, width }) => Effect.succeed({ file: `${name}@${width}.png` }))

/** `POST /` enqueues and answers the run's id; `GET /<id>` says what has become of it. */
const answer = Effect.fnUntraced(
  function* (request: Request) {
    if (request.method === "POST") {
      const input = yield* Effect.tryPromise({
        try: () => request.json(),
        catch: () => new BadRequest({ message: "Cannot read the request: it is not JSON" }),
      })
      // Whatever came in is checked by the job's own schema.
      return Response.json({ id: yield* Resize.enqueue(input) }, { status: 202 })
    }
    const { state, output } = yield* Runs.get(new URL(request.url).pathname.slice(1))
    return Response.json({ state, output: JSON.parse(output ?? "null") })
  },
  Effect.catch((error) =>
    Effect.succeed(new Response(error.message, { status: statuses[error._tag] }))
  ),
)

class BadRequest extends Schema.TaggedError<BadRequest>()("BadRequest", {
  message: Schema.String,
}) {}

const statuses = {
  BadRequest: 400,
  InputInvalid: 400,
  RunNotFound: 404,
  QueueFull: 429,
  DriverError: 503,
}

type Handler = (request: Request) => Promise<Response>

/** Serves on a free port, on the runtime's own server, until the scope closes. */
const serve = (handler: Handler) =>
  Effect.acquireRelease(Effect.sync(() => listen(handler)), ({ stop }) => Effect.promise(stop))

const listen = (handler: Handler) => {
  const { Bun, Deno } = globalThis as unknown as Runtimes
  const options = { port: 0, hostname: "127.0.0.1" }
  if (Bun !== undefined) {
    const server = Bun.serve({ ...options, fetch: handler })
    return { url: `http://127.0.0.1:${server.port}`, stop: () => server.stop() }
  }
  const server = Deno.serve({ ...options, onListen: () => {} }, handler)
  return { url: `http://127.0.0.1:${server.addr.port}`, stop: () => server.shutdown() }
}

/** As much of either runtime as is used here; a program for one of them needs none of this. */
interface Runtimes {
  readonly Bun?: {
    serve(options: { port: number; hostname: string; fetch: Handler }): {
      readonly port: number
      stop(): Promise<void>
    }
  }
  readonly Deno: {
    serve(
      options: { port: number; hostname: string; onListen: () => void },
      handler: Handler,
    ): { readonly addr: { readonly port: number }; shutdown(): Promise<void> }
  }
}

const program = Effect.gen(function* () {
  const context = yield* Effect.context<Layer.Success<typeof live>>()
  const server = yield* serve((request) => Effect.runPromiseWith(context)(answer(request)))

  const ask = Effect.fnUntraced(function* (path: string, body?: string) {
    const method = body === undefined ? "GET" : "POST"
    const init = body === undefined ? { method } : { method, body }
    const response = yield* Effect.promise(() => fetch(`${server.url}/${path}`, init))
    return { status: response.status, text: yield* Effect.promise(() => response.text()) }
  })
  const show = (name: string, { status, text }: { status: number; text: string }) =>
    Console.log(`${name}: ${status} ${text}`)

  const accepted = yield* ask("", JSON.stringify({ name: "mill", width: 640 }))
  const { id } = JSON.parse(accepted.text)
  yield* Console.log(`POST a job: ${accepted.status}`)
  const { file } = yield* Resize.await(id)
  yield* Console.log(`the worker made ${file}`)
  yield* show("GET its run", yield* ask(id))
  yield* show("POST a wrong width", yield* ask("", JSON.stringify({ name: "mill", width: "wide" })))
  yield* show("POST no JSON", yield* ask("", "{"))
  yield* show("GET an unknown run", yield* ask("nothing"))
})

const live = Layer.provideMerge(Worker.layer({ jobs: [resize] }), MemoryDriver.layer)
await Effect.runPromise(
  Effect.scoped(program).pipe(
    Effect.provide(live),
    Effect.provideService(References.MinimumLogLevel, "None"),
  ),
)
