/**
 * One attempt of the own task of a run: reads how far its steps are, and answers what is next.
 *
 * Everything that it reads is stored, and all that it decides follows from that, so it may be lost
 * and repeated at any point.
 */
import { Effect } from "effect"
import type { ClaimedTask, Driver, RunProgress } from "../../Driver.ts"
import type { DriverError } from "../../DriverError.ts"
import type * as Flow from "../../Flow.ts"
import * as Limits from "../../Limits.ts"
import type { Failure, Outcome } from "../../Outcome.ts"
import type { StepProgress } from "../../Progress.ts"
import { Advance, leavesOf } from "./Advance.ts"
import * as Facts from "./Facts.ts"
import type { Plannable, RunFacts } from "./Plan.ts"
import { deliver, kept } from "./Signals.ts"
import { type Standing, standingOf } from "./Standing.ts"
import { cancelOpen, unwind } from "./Unwinding.ts"

/** What is known of a run when its own task is claimed. */
export interface View {
  readonly driver: Driver["Service"]
  readonly flow: Plannable
  readonly run: RunFacts
  readonly progress: RunProgress
  readonly counts: ReadonlyMap<string, StepProgress>
  readonly standings: ReadonlyMap<string, Standing>
}

/** Takes a run as far as it can go. */
export const conduct = Effect.fnUntraced(function* (
  driver: Driver["Service"],
  flow: Plannable,
  task: ClaimedTask,
): Effect.fn.Return<Outcome, DriverError> {
  const [progress] = yield* driver.progress([task.id])
  if (progress === undefined) return { _tag: "Interrupted" }
  const view = viewOf(driver, flow, task, progress)
  if (progress.ending !== undefined) return yield* unwind(view, progress.ending)
  const [failed] = stepsAt(view, "failed")
  if (failed !== undefined) return { _tag: "Unwinding", failure: yield* failureOf(view, failed) }
  const spoilt = new Set(stepsAt(view, "spoilt").map((step) => step.slug))
  if (spoilt.size > 0) yield* cancelOpen(view, (step) => spoilt.has(step))
  yield* deliver(view)
  return yield* proceed(view)
})

const viewOf = (
  driver: Driver["Service"],
  flow: Plannable,
  task: ClaimedTask,
  progress: RunProgress,
): View => {
  const counts = new Map(progress.steps.map((one) => [one.step, one]))
  const standings = new Map(
    flow.definition.steps.map((step) => [step.slug, standingOf(step, counts.get(step.slug))]),
  )
  const run = { id: task.id, input: task.input, trace: task.trace }
  return { driver, flow, run, progress, counts, standings }
}

const stepsAt = ({ flow, standings }: View, standing: Standing): ReadonlyArray<Flow.Step> =>
  flow.definition.steps.filter((step) => standings.get(step.slug) === standing)

/** Starts what can start; then the run waits, or has ended. */
const proceed = Effect.fnUntraced(function* (view: View): Effect.fn.Return<Outcome, DriverError> {
  const { driver, run, progress } = view
  const advance = new Advance({ ...view, signals: yield* kept(view) })
  while (true) {
    const advanced = advance.run()
    switch (advanced._tag) {
      case "Asks":
        advance.learn(yield* Facts.read(driver, run.id, advanced.steps))
        continue
      case "Refused":
        return { _tag: "Unwinding", failure: advanced.failure }
      case "Waits":
        return { _tag: "Advanced", starts: advanced.starts, seen: progress.wakes }
      case "Over":
        // What is over is stored first; not to have seen the last wake makes it ready at once.
        return advanced.starts.length === 0
          ? yield* completed(view, advance)
          : { _tag: "Advanced", starts: advanced.starts, seen: progress.wakes - 1 }
    }
  }
})

/** The run's output: what its last steps came to that were not skipped. */
const completed = Effect.fnUntraced(function* (
  { driver, flow, run }: View,
  advance: Advance,
): Effect.fn.Return<Outcome, DriverError> {
  const leaves = leavesOf(flow.definition)
  const unknown = leaves.filter((step) => advance.factOf(step.slug) === undefined)
  advance.learn(yield* Facts.read(driver, run.id, unknown))
  const fields = leaves.flatMap(({ slug }) => {
    const fact = advance.factOf(slug)
    return fact?._tag === "Value" ? [`${JSON.stringify(slug)}:${fact.json}`] : []
  })
  const output = `{${fields.join(",")}}`
  if (output.length <= Limits.runOutputLength) return { _tag: "Completed", output }
  const message = `The output of the run has ${output.length} characters of JSON, ` +
    `more than the limit of ${Limits.runOutputLength}`
  return { _tag: "Unwinding", failure: { reason: "OutputInvalid", message } }
})

/** Why a run fails whose step has failed. */
const failureOf = Effect.fnUntraced(function* (
  { driver, run }: View,
  step: Flow.Step,
): Effect.fn.Return<Failure, DriverError> {
  const records = yield* Facts.tasksOf(driver, run.id, [step.slug])
  const bad = records.find((record) => record.state === "failed") ??
    records.find((record) => record.state === "cancelled")
  const failure = bad === undefined ? undefined : Facts.endOf(bad)?.failure
  const which = step.kind === "map" && bad !== undefined ? ` (element ${bad.index})` : ""
  const how = bad?.state === "cancelled" ? "was cancelled" : "failed"
  return {
    reason: "StepFailed",
    message: `Step "${step.slug}"${which} ${how}: ${failure?.message ?? "no reason was stored"}`,
    error: failure?.error === undefined
      ? undefined
      : `{"step":${JSON.stringify(step.slug)},"error":${failure.error}}`,
  }
})
