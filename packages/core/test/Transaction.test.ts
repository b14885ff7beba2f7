import { assertEquals } from "@std/assert"
import { Job, Transaction } from "@millrace/core"
import { JobTest } from "@millrace/testing"
import { Effect, Schema } from "effect"
import { it } from "node:test"
const Notify = Job.make("notify", { input: Schema.String })
const Order = Job.make("order", { input: Schema.String, output: Schema.Int })
const order = Order.perform((name) =>
  Transaction.complete(Effect.as(Effect.orDie(Notify.enqueue(name)), name.length))
)
const notify = Notify.perform(() => Effect.void)
it("smoke", async () => {
  const [run] = await Effect.runPromise(JobTest.drain(order, ["tea"], { others: [notify] }))
  assertEquals([run?.state, run?.output, run?.attempts.length], ["completed", 3, 1])
})
