/** Steps that are jobs and flows, made as classes, whose schemas store the same values otherwise. */
import { Flow, Job, Worker } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { assertEquals } from "@std/assert"
import { Effect, Layer, Schema } from "effect"
import { it } from "node:test"

class Later extends Job.make("later", {
  input: { start: Schema.Struct({ at: Schema.DateFromMillis }) },
  output: Schema.DateFromMillis,
}) {}

class Inner extends Flow.make("inner", { input: { later: Schema.Date } })
  .step("year", { output: Schema.Int }) {}

class Outer extends Flow.make("outer", { input: { at: Schema.Date } })
  .step("start", { output: { at: Schema.Date } })
  .job("later", Later, { needs: ["start"] })
  .flow("inner", Inner, { needs: ["later"] })
  .step("tell", { needs: ["later", "inner"], output: Schema.String }) {}

const outer = Outer.perform({
  start: ({ at }) => Effect.succeed({ at }),
  later: Later.perform(({ start }) => Effect.succeed(new Date(start.at.getTime() + 1000))),
  inner: Inner.perform({ year: ({ later }) => Effect.succeed(later.getUTCFullYear()) }),
  tell: ({ later, inner }) => Effect.succeed(`${later.toISOString()} is in ${inner.year}`),
})

it("a value goes from step to step, in whatever form each of them is stored", async () => {
  const live = Layer.provideMerge(Worker.layer({ flows: [outer] }), MemoryDriver.layer)
  const output = await Effect.runPromise(
    Effect.provide(Outer.run({ at: new Date("1999-12-31T23:59:59.000Z") }), live),
  )
  assertEquals(output, { tell: "2000-01-01T00:00:00.000Z is in 2000" })
})
