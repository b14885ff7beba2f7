/** A web server that enqueues, and the worker beside it; they share nothing but the driver. */
import { Job, Runs, Worker } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Console, Effect, Layer, References, Schema } from "effect"

class Resize extends Job.make("resize", {
  input: { name: Schema.NonEmptyString, width: Schema.Int },
  output: { file: Schema.String },
}) {}

const resize = Resize.perform(({ name, width }) => Effect.succeed({ file: `${name}@${width}.png` }))

type Handler = (request: Request) => Promise<Response>

/** Serves on a free port, on the runtime's own server. */
const serve = (handler: Handler): { readonly url: string; readonly stop: () => unknown } => {
  const { Bun, Deno } = globalThis as unknown as Runtimes
  if (Bun !== undefined) {
    const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: handler })
    return { url: `http://127.0.0.1:${server.port}`, stop: () => server.stop() }
  }
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, handler)
  return { url: `http://127.0.0.1:${server.addr.port}`, stop: () => server.shutdown() }
}

interface Runtimes {
  readonly Bun?: {
    serve(options: { port: number; hostname: string; fetch: Handler }): {
      readonly port: number
      stop(): unknown
    }
  }
  readonly Deno: {
    serve(
      options: { port: number; hostname: string; onListen: () => void },
      handler: Handler,
    ): { readonly addr: { readonly port: number }; shutdown(): unknown }
  }
}

const program = Effect.gen(function* () {
  const context = yield* Effect.context<Layer.Success<typeof live>>()
  const answer = Effect.fnUntraced(function* (request: Request) {
    if (request.method === "POST") {
      const input = yield* Effect.promise(() => request.json())
      const id = yield* Resize.enqueue(input)
      return Response.json({ id }, { status: 202 })
    }
    const run = yield* Runs.get(new URL(request.url).pathname.slice(1))
    return Response.json({ state: run.state, output: JSON.parse(run.output ?? "null") })
  }, Effect.catch((error) => Effect.succeed(new Response(error.message, { status: 400 }))))
  const server = serve((request) => Effect.runPromiseWith(context)(answer(request)))

  const post = (body: unknown) =>
    Effect.promise(() => fetch(server.url, { method: "POST", body: JSON.stringify(body) }))
  const accepted = yield* post({ name: "mill", width: 640 })
  const { id } = yield* Effect.promise(() => accepted.json() as Promise<{ id: string }>)
  yield* Console.log(`POST: ${accepted.status}`)
  yield* Resize.await(id)
  const found = yield* Effect.promise(() => fetch(`${server.url}/${id}`))
  yield* Console.log(`GET: ${yield* Effect.promise(() => found.text())}`)
  const refused = yield* post({ name: "mill", width: "wide" })
  yield* Console.log(`POST: ${refused.status} ${yield* Effect.promise(() => refused.text())}`)
  server.stop()
})

const live = Layer.provideMerge(Worker.layer({ jobs: [resize] }), MemoryDriver.layer)
await Effect.runPromise(
  program.pipe(Effect.provide(live), Effect.provideService(References.MinimumLogLevel, "None")),
)
