import { Attempt, Job, Problem } from "@millrace/core"
import { assert, assertEquals, assertThrows } from "@std/assert"
import { Cause, Effect, Exit, Schema } from "effect"
import { describe, it } from "node:test"

class Double extends Job.make("double", { input: Schema.Int, output: Schema.Int }) {}

/** What JavaScript may call it with. */
const perform = Double.perform as (...args: ReadonlyArray<unknown>) => unknown

describe("perform", () => {
  for (const args of [["step"], ["step", undefined], [], [undefined], [5], [{}], ["step", 5]]) {
    it(`refuses what is no handler: (${args.map((one) => typeof one).join(", ")})`, () => {
      const error = assertThrows(() => perform(...args), Problem.DefinitionError)
      assertEquals(error.problem.option, "handler")
      const got = Problem.show(args.length === 2 || args[0] !== "step" ? args.at(-1) : undefined)
      assertEquals(
        error.message,
        `Cannot define job "double": handler must be a function of the input, got ${got}`,
      )
    })
  }

  it("refuses a step that is no slug, before it looks at the handler", () => {
    const error = assertThrows(() => perform("Two words"), Problem.DefinitionError)
    assertEquals(error.problem.option, "step")
  })
})

describe("a handled job that is called in a test", () => {
  const thrown = new Error("boom")
  const handled = Double.perform((): Effect.Effect<number> => {
    throw thrown
  })

  it("dies where its handler throws, and does not throw itself", async () => {
    const exit = await Effect.runPromiseExit(handled.perform(1))
    assert(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
    assertEquals(Cause.squash(exit.cause), thrown)
  })

  it("calls its handler each time that it is run, and not before", async () => {
    let calls = 0
    const counted = Double.perform((n) => Effect.succeed(n + ++calls))
    const called = counted.perform(1)
    assertEquals(calls, 0)
    assertEquals([await Effect.runPromise(called), await Effect.runPromise(called)], [2, 3])
  })

  it("fails with what its handler fails with", async () => {
    const snooze = Attempt.snooze("1 minute")
    const snoozing = Double.perform(() => Effect.fail(snooze))
    const error = await Effect.runPromise(Effect.flip(snoozing.perform(1)))
    assertEquals([error._tag, { ...error }], [snooze._tag, { ...snooze }])
  })
})
