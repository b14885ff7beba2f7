/** Runs of flows that are started, signalled and cancelled in a transaction: with it, or not. */
import { Flow, RunId, Runs, Transaction, Worker } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { assertEquals } from "@std/assert"
import { Effect, Layer, References, Schema } from "effect"
import { describe, it } from "node:test"
import { embedded, onServer, serverUrl } from "./stores.ts"

class Trip extends Flow.make("trip", { input: { to: Schema.String } })
  .waitFor("approve", { output: Schema.Boolean })
  .step("book", { needs: ["approve"], output: Schema.String }) {}

const trip = Trip.perform({
  book: ({ approve }, { input }) => Effect.succeed(`${input.to}: ${approve}`),
})

/** Runs an effect in a transaction that then fails. */
const undone = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(Transaction.run(Effect.andThen(effect, Effect.fail("undone"))))
    assertEquals(error, "undone" as typeof error, "Why the transaction failed")
  })

const started = Effect.gen(function* () {
  const id = yield* RunId.make
  yield* undone(Trip.start({ to: "Lima" }, { id }))
  assertEquals((yield* Effect.flip(Runs.get(id)))._tag, "RunNotFound", "What was rolled back")
  yield* Transaction.run(Trip.start({ to: "Oslo" }, { id }))
  const serving = Worker.layer({ flows: [trip] })
  const output = yield* Effect.provide(
    Effect.gen(function* () {
      yield* undone(Trip.signal(id, "approve", false))
      yield* undone(Runs.cancel(id))
      // Had the first one been stored, this would be told that the run has had it.
      yield* Transaction.run(Trip.signal(id, "approve", true))
      return yield* Trip.await(id)
    }),
    serving,
    { local: true },
  )
  assertEquals(output, { book: "Oslo: true" })
  const again = yield* Effect.flip(Trip.signal(id, "approve", true))
  assertEquals(again._tag, "SignalRefused", "A second signal")
}).pipe(Effect.provideService(References.MinimumLogLevel, "None"))

const name = "is started, signalled and cancelled with its transaction, or not at all"

describe("a run of a flow in memory", () => {
  it(name, () => Effect.runPromise(Effect.provide(started, Layer.fresh(MemoryDriver.layer))))
})

describe("a run of a flow in the embedded driver", () => {
  const store = embedded("database")
  it(name, () => store.run(started))
})

describe("a run of a flow on a server", {
  skip: serverUrl === undefined && "no DATABASE_URL",
}, () => {
  const store = onServer("database")
  it(name, () => store.run(started))
})
