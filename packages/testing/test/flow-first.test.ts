import { type Driver, Flow, Job, Runs, Worker } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Embedded } from "@millrace/driver-postgres"
import { assertEquals, assertMatch } from "@std/assert"
import { Effect, Layer, References, Schema } from "effect"
import { it } from "node:test"
import { serverLayer, serverUrl } from "./stores.ts"

class Refused extends Schema.TaggedError<Refused>()("Refused", { cents: Schema.Int }) {}

const Ship = Job.make("ship", { input: { sku: Schema.String }, output: { box: Schema.String } })
const ship = Ship.perform(({ sku }) => Effect.succeed({ box: `box of ${sku}` }))

class Order extends Flow.make("order", { input: { id: Schema.String, cents: Schema.Int } })
  .step("validate", { output: { items: Schema.Array(Schema.String) } })
  .step("charge", { needs: ["validate"], output: Schema.Int, error: Refused, undo: true })
  .map("pack", { over: "validate.items", output: { sku: Schema.String } })
  .step("gift", {
    needs: ["validate"],
    if: { validate: { items: ["ribbon"] } },
    output: Schema.Int,
  })
  .job("first", Ship, { needs: ["pack"], input: ({ pack }) => ({ sku: pack[0]!.sku }) })
  .waitFor("approve", { needs: ["charge"], output: { by: Schema.String } })
  .sleep("rest", "1 second", { needs: ["approve"] })
  .step("confirm", {
    needs: ["charge", "pack", "gift", "approve", "rest"],
    output: Schema.String,
  }) {}

const order = Order.perform({
  validate: ({ id }) => Effect.succeed({ items: [`${id}-1`, `${id}-2`] }),
  charge: {
    run: (_, ctx) => {
      const { cents } = ctx.input as { cents: number }
      return cents > 100 ? Effect.fail(new Refused({ cents })) : Effect.succeed(cents)
    },
    undo: () => Effect.void,
  },
  pack: (sku) => Effect.succeed({ sku: sku.toUpperCase() }),
  gift: () => Effect.succeed(1),
  first: ship,
  confirm: ({ charge, pack, gift, approve }) =>
    Effect.succeed(`${charge} for ${pack.map(({ sku }) => sku)}, gift ${gift}, by ${approve.by}`),
})

const stores: ReadonlyArray<readonly [string, Layer.Layer<Driver.Driver, unknown> | undefined]> = [
  ["in memory", MemoryDriver.layer],
  ["embedded", Embedded.layer({ directory: undefined })],
  ["on a server", serverUrl === undefined ? undefined : serverLayer("database")],
]

for (const [where, store] of stores) {
  const skip = store === undefined
  const live = Worker.layer({ flows: [order] }).pipe(
    Layer.provideMerge(store ?? MemoryDriver.layer),
    Layer.provide(Layer.succeed(References.MinimumLogLevel, "None")),
  )

  it(`a flow of all kinds of steps runs on a worker, ${where}`, { skip }, () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const id = yield* Order.start({ id: "a", cents: 7 })
        yield* Order.signal(id, "approve", { by: "ada" })
        assertEquals(yield* Order.await(id), {
          first: { box: "box of A-1" },
          confirm: "7 for A-1,A-2, gift undefined, by ada",
        })
        const steps = yield* Runs.steps(id)
        assertEquals(steps.map(({ step, state }) => `${step} ${state}`).sort(), [
          "approve completed",
          "charge completed",
          "confirm completed",
          "first completed",
          "gift skipped",
          "pack completed",
          "rest completed",
          "validate completed",
        ])
        assertEquals(yield* Order.output(id, "charge"), 7)
        assertEquals(yield* Order.output(id, "pack"), [{ sku: "A-1" }, { sku: "A-2" }])
        assertEquals(yield* Order.output(id, "gift"), undefined)
        const again = yield* Effect.flip(Order.signal(id, "approve", { by: "bob" }))
        assertMatch(again.message, /has ended/)
      }).pipe(Effect.provide(live)),
    ))

  it(
    `a failing flow says which step failed, with its typed error, ${where}`,
    { skip },
    () =>
      Effect.runPromise(
        Effect.gen(function* () {
          const failed = yield* Effect.flip(Order.run({ id: "a", cents: 700 }))
          assertEquals(failed._tag, "RunFailed")
          if (failed._tag !== "RunFailed") return
          assertEquals(failed.reason, "StepFailed")
          assertEquals(failed.error?.step, "charge")
          assertEquals((failed.error?.error as Refused).cents, 700)
        }).pipe(Effect.provide(live)),
      ),
  )
}
