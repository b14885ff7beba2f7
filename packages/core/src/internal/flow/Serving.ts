/**
 * What a worker runs of a flow: its runs' own tasks, and its steps.
 */
import { Effect } from "effect"
import type * as Codec from "../../Codec.ts"
import type { ClaimedTask, Driver } from "../../Driver.ts"
import type { DriverError } from "../../DriverError.ts"
import type * as Flow from "../../Flow.ts"
import type { AnyHandledFlow } from "../../FlowHandlers.ts"
import type { Outcome } from "../../Outcome.ts"
import type { Served } from "../worker/Served.ts"
import { conduct } from "./Conductor.ts"
import { conducting, laterMillis } from "./conducting.ts"
import * as Facts from "./Facts.ts"
import type { Plannable } from "./Plan.ts"
import { runInputsOf } from "./runInputs.ts"
import { runOf, undoOf } from "./Handled.ts"
import type { StepParts } from "./Parts.ts"
import * as Standing from "./Standing.ts"

/** The work of a flow. */
export interface Work {
  /** The work of the own tasks of its runs. */
  readonly run: Served
  /** The work of its steps, by their names. */
  readonly steps: ReadonlyMap<string, Served>
}

/** A step with all that it takes to run it. */
export interface StepWork extends Omit<StepParts, "value" | "job" | "flow"> {
  readonly isJob: boolean
  readonly run: Served["handler"] | undefined
  readonly undo: Served["handler"] | undefined
}

/** The work of a flow with its handlers, and of the flows that are steps of it. */
export const ofFlow = (handled: AnyHandledFlow): ReadonlyMap<string, Work> => {
  const { parts } = handled.flow
  const steps = [...parts.steps.values()].map((step) => {
    const given = handled.handlers[step.step.slug]
    const isJob = step.job !== undefined
    return { ...step, isJob, run: runOf(step, given), undo: undoOf(step, given) }
  })
  const works = new Map([[keyOf(parts.definition), workOf(parts, parts.input, steps)]])
  for (const step of steps) {
    if (step.flow === undefined) continue
    const given = handled.handlers[step.step.slug]
    const sub = step.step.undo ? (given as { readonly run: unknown }).run : given
    for (const [key, work] of ofFlow(sub as AnyHandledFlow)) works.set(key, work)
  }
  return works
}

/** What tells the versions of flows apart. */
export const keyOf = (of: {
  readonly slug: string
  readonly version?: string | undefined
}): string => `${of.slug} ${of.version}`

/** The work of a flow whose steps have these handlers. */
const workOf = (
  flow: Plannable,
  input: Codec.Codec<unknown>,
  steps: ReadonlyArray<StepWork>,
): Work => {
  const runInput = runInputsOf(input)
  return {
    run: {
      ...answering(flow.definition.slug, (driver, task) => conduct(driver, flow, task)),
      policy: conducting,
    },
    steps: new Map(steps.flatMap((work) => ofStep(work, runInput))),
  }
}

const ofStep = (
  work: StepWork,
  runInput: NonNullable<Served["runInput"]>,
): ReadonlyArray<readonly [string, Served]> => {
  const { step, run, undo, input, output, error, retryable } = work
  const { slug, policy } = step
  switch (step.kind) {
    case "flow":
      return undo === undefined ? [] : [[Standing.undoOf(slug), undoing(work, runInput)]]
    case "signal":
      return [[slug, { ...answering(slug, awaitSignal(step)), policy }]]
    case "sleep":
      return [[slug, { ...answering(slug, () => Effect.succeed(slept)), policy }]]
    case "task":
    case "map": {
      if (run === undefined) return []
      const served = {
        ...{ step: slug, policy, input, output, error, retryable, handler: run },
        // A job is told its own input, wherever it is a step.
        runInput: work.isJob ? undefined : runInput,
      }
      return undo === undefined
        ? [[slug, served]]
        : [[slug, served], [Standing.undoOf(slug), undoing(work, runInput)]]
    }
  }
}

const undoing = (
  { step, output, error, retryable, undo }: StepWork,
  runInput: NonNullable<Served["runInput"]>,
): Served => ({
  step: Standing.undoOf(step.slug),
  policy: step.policy,
  input: output,
  output: anything,
  error,
  retryable,
  handler: (value, ctx) => Effect.as(undo!(value, ctx), null),
  runInput,
})

/** JSON text as it is. */
const anything: Codec.Any = {
  encode: (value: unknown) => ({ ok: true, value: JSON.stringify(value) ?? "null" }),
  decode: (text) => ({ ok: true, value: text }),
}

const answering = (
  step: string,
  answer: NonNullable<Served["answer"]>,
): Omit<Served, "policy"> => ({
  step,
  input: anything,
  output: anything,
  error: anything,
  retryable: () => true,
  handler: () => Effect.void,
  answer: (driver, task) => Effect.catch(answer(driver, task), later),
})

const later = (_: DriverError): Effect.Effect<Outcome> =>
  Effect.succeed({ _tag: "Snoozed", delayMillis: laterMillis })

const slept: Outcome = { _tag: "Completed", output: "null" }

// Its time is over, unless it was only just retried by hand: then the wait begins anew.
const awaitSignal =
  (step: Flow.Step) =>
  (driver: Driver["Service"], task: ClaimedTask): Effect.Effect<Outcome, DriverError> =>
    Effect.map(Facts.tasksOf(driver, task.runId, [step.slug]), ([record]) => {
      const retried = record?.history.at(-1)?.kind === "retried"
      return retried && step.waitMillis !== undefined
        ? { _tag: "Snoozed", delayMillis: step.waitMillis }
        : {
          _tag: "Discarded",
          failure: { reason: "TimedOut", message: `No signal "${step.slug}" came in time` },
        }
    })
