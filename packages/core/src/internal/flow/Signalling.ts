/**
 * Sending a signal to a run: kept until its step waits for it.
 */
import { Effect } from "effect"
import type * as Codec from "../../Codec.ts"
import { Driver } from "../../Driver.ts"
import type { DriverError } from "../../DriverError.ts"
import type * as Flow from "../../Flow.ts"
import * as Progress from "../../Progress.ts"
import { RunNotFound, SignalRefused } from "../../RunError.ts"
import * as RunId from "../../RunId.ts"
import { isTerminal } from "../../Task.ts"
import { signalOf } from "./Standing.ts"
import { derive } from "./TaskIds.ts"

/** Stores a signal of a run. */
export const signal = Effect.fnUntraced(function* (
  flow: {
    readonly definition: Flow.Definition
    readonly outputOf: (step: string) => Codec.Any | undefined
  },
  runId: RunId.RunId,
  slug: string,
  value: unknown,
): Effect.fn.Return<void, RunNotFound | SignalRefused | DriverError, Driver> {
  const { definition } = flow
  const refuse = (reason: SignalRefused["reason"], detail: string) =>
    new SignalRefused({ runId: String(runId), step: slug, reason, detail })
  const step = definition.steps.find((one) => one.slug === slug && one.kind === "signal")
  if (step === undefined) {
    return yield* refuse("UnknownStep", `flow "${definition.slug}" has no such signal`)
  }
  const encoded = flow.outputOf(slug)!.encode(value)
  if (!encoded.ok) return yield* refuse("ValueInvalid", encoded.reason)
  const driver = yield* Driver
  const own = RunId.isRunId(runId) ? yield* driver.find({ ids: [runId], limit: 1 }) : []
  const run = own[0]
  if (run?.flow !== definition.slug) return yield* new RunNotFound({ runId: String(runId) })
  if (isTerminal(run.state)) return yield* refuse("TooLate", "the run has ended")
  const [progress] = yield* driver.progress([runId])
  const countsOf = (name: string) => progress?.steps.find((one) => one.step === name)
  const twice = "the run has had this signal before"
  if (countsOf(signalOf(slug)) !== undefined) return yield* refuse("AlreadySignalled", twice)
  const counts = countsOf(slug)
  if (counts !== undefined && Progress.isEnded(counts)) {
    return yield* refuse("TooLate", "the step has ended")
  }
  const [stored] = yield* driver.insert([{
    id: derive(runId, signalOf(slug), 0),
    runId,
    flowType: "flow",
    flow: definition.slug,
    version: run.version,
    step: signalOf(slug),
    index: 0,
    queue: step.queue ?? definition.queue,
    priority: run.priority,
    input: "null",
    maxAttempts: 1,
    maxCrashes: 0,
    delayMillis: 0,
    awaited: false,
    parent: runId,
    ended: { state: "completed", output: encoded.value },
  }])
  if (stored?.inserted !== true) return yield* refuse("AlreadySignalled", twice)
})
