import { Deploy, Flow, Job, Worker } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Embedded } from "@millrace/driver-postgres"
import { assertEquals } from "@std/assert"
import { Effect, Layer, References, Schema } from "effect"
import { describe, it } from "node:test"
import { serverLayer, serverUrl } from "./stores.ts"

const mailBefore = Job.make("mail", { input: { to: Schema.String }, maxAttempts: 2 })
const mailPatient = Job.make("mail", { input: { to: Schema.String }, maxAttempts: 5 })
const mailAfter = Job.make("mail", { input: { to: Schema.String, cc: Schema.String } })
const tourBefore = Flow.make("tour").step("see", { output: Schema.Int })
const tourAfter = tourBefore.step("tell", { needs: ["see"] })

const before = Worker.layer({
  jobs: [mailBefore.perform(() => Effect.void)],
  flows: [tourBefore.perform({ see: () => Effect.succeed(1) })],
})

const shown = (differences: ReadonlyArray<Deploy.Difference>) =>
  differences.map(({ slug, change, options, open, ofOtherVersions, unreadable }) => ({
    slug,
    change,
    options: options.map(({ option, from, to }) => `${option}: ${from} to ${to}`),
    tasks: [open, ofOtherVersions, unreadable],
  }))

const program = Effect.gen(function* () {
  assertEquals(shown(yield* Deploy.plan([mailBefore])), [
    { slug: "mail", change: "new", options: [], tasks: [0, 0, 0] },
  ])
  // Two workers that begin at once remember the same.
  yield* Effect.all([serveOnce, serveOnce], { concurrency: 2 })
  yield* mailBefore.enqueue({ to: "ada" }, { delay: "1 day" })
  yield* tourBefore.start(undefined, { delay: "1 day" })
  assertEquals(shown(yield* Deploy.plan([mailPatient, tourBefore])), [
    { slug: "mail", change: "options", options: ["maxAttempts: 2 to 5"], tasks: [1, 0, 0] },
    { slug: "tour", change: "none", options: [], tasks: [1, 0, 0] },
  ])
  const [mail, tour] = shown(yield* Deploy.plan([mailAfter, tourAfter]))
  assertEquals([mail?.change, mail?.tasks], ["version", [1, 0, 1]])
  assertEquals([tour?.change, tour?.tasks], ["version", [1, 1, 0]])
})

const serveOnce = Effect.scoped(Layer.build(Layer.fresh(before)))

describe("the plan of a deploy", () => {
  const stores = [
    ["in memory", MemoryDriver.layer],
    ["embedded", Embedded.layer({ directory: undefined })],
    ["on a server", serverUrl === undefined ? undefined : serverLayer("database")],
  ] as const
  for (const [where, store] of stores) {
    it(`tells what is new, changed, and can not be read, ${where}`, {
      skip: store === undefined,
    }, () =>
      Effect.runPromise(program.pipe(
        Effect.provide(store ?? MemoryDriver.layer),
        Effect.provideService(References.MinimumLogLevel, "None"),
      )))
  }
})
