/**
 * One attempt of the own task of a run: reads how far its steps are, and answers what is next.
 *
 * Everything that it reads is stored, and all that it decides follows from that, so it may be lost
 * and repeated at any point.
 */
import { Effect } from "effect"
import type { ClaimedTask, Driver, NewTask, RunProgress } from "../../Driver.ts"
import type { DriverError } from "../../DriverError.ts"
import type * as Flow from "../../Flow.ts"
import type { Failure, Outcome } from "../../Outcome.ts"
import type { StepProgress } from "../../Progress.ts"
import * as Facts from "./Facts.ts"
import { type Plannable, plan, type RunFacts } from "./Plan.ts"
import { deliver, kept } from "./Signals.ts"
import { isOver, type Standing, standingOf } from "./Standing.ts"
import { cancelOpen, unwind } from "./Unwinding.ts"

/** What is known of a run when its own task is claimed. */
export interface View {
  readonly driver: Driver["Service"]
  readonly flow: Plannable
  readonly run: RunFacts
  readonly progress: RunProgress
  readonly counts: ReadonlyMap<string, StepProgress>
  readonly standings: Map<string, Standing>
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
  const failed = flow.definition.steps.find((step) => view.standings.get(step.slug) === "failed")
  if (failed !== undefined) return { _tag: "Unwinding", failure: yield* failureOf(view, failed) }
  const spoilt = flow.definition.steps.filter((step) =>
    view.standings.get(step.slug) === "spoilt"
  ).map((step) => step.slug)
  if (spoilt.length > 0) yield* cancelOpen(view, (step) => spoilt.includes(step))
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
  return {
    driver,
    flow,
    run: { id: task.id, input: task.input, trace: task.trace },
    progress,
    counts,
    standings: new Map(
      flow.definition.steps.map((step) => [step.slug, standingOf(step, counts.get(step.slug))]),
    ),
  }
}

/** Starts what can start, until nothing more can; then the run waits, or has ended. */
const proceed = Effect.fnUntraced(function* (
  view: View,
): Effect.fn.Return<Outcome, DriverError> {
  const { flow, run, standings } = view
  const facts = new Map<string, Facts.Fact>()
  const starts: Array<NewTask> = []
  const signals = yield* kept(view)
  const ready = readySteps(flow.definition, standings)
  while (ready.length > 0) {
    const steps = ready.splice(0)
    yield* learn(view, facts, steps.flatMap((step) => step.needs))
    for (const step of steps) {
      const planned = plan(flow, run, step, facts, signals.get(step.slug))
      if (planned._tag === "Refused") return { _tag: "Unwinding", failure: planned.failure }
      if (planned._tag === "Started") {
        starts.push(...planned.tasks)
        standings.set(step.slug, "open")
        continue
      }
      starts.push(planned.task)
      facts.set(step.slug, planned.fact)
      standings.set(step.slug, planned.fact._tag === "Value" ? "completed" : "skipped")
      ready.push(...readyAfter(flow.definition, standings, step.slug))
    }
  }
  const open = flow.definition.steps.some((step) => !isOver(standings.get(step.slug)))
  if (open || starts.length > 0) return advanced(view, starts)
  return yield* ended(view, facts)
})

// What it has started as ended is stored first; then it is at once ready to end.
const advanced = ({ progress, standings }: View, starts: ReadonlyArray<NewTask>): Outcome => {
  const over = [...standings.values()].every(isOver)
  return { _tag: "Advanced", starts, seen: over ? progress.wakes - 1 : progress.wakes }
}

const readySteps = (
  definition: Flow.Definition,
  standings: ReadonlyMap<string, Standing>,
): Array<Flow.Step> => definition.steps.filter((step) => isReady(step, standings))

const readyAfter = (
  definition: Flow.Definition,
  standings: ReadonlyMap<string, Standing>,
  slug: string,
): ReadonlyArray<Flow.Step> =>
  (dependentsOf(definition).get(slug) ?? []).filter((step) => isReady(step, standings))

const isReady = (step: Flow.Step, standings: ReadonlyMap<string, Standing>): boolean =>
  standings.get(step.slug) === "none" && step.needs.every((need) => isOver(standings.get(need)))

const dependents = new WeakMap<Flow.Definition, ReadonlyMap<string, ReadonlyArray<Flow.Step>>>()

const dependentsOf = (definition: Flow.Definition) => {
  const known = dependents.get(definition)
  if (known !== undefined) return known
  const made = new Map<string, Array<Flow.Step>>()
  for (const step of definition.steps) {
    for (const need of step.needs) {
      const found = made.get(need)
      if (found === undefined) made.set(need, [step])
      else found.push(step)
    }
  }
  dependents.set(definition, made)
  return made
}

/** Reads what some steps came to that nobody knows yet. */
const learn = Effect.fnUntraced(function* (
  { driver, flow, run }: View,
  facts: Map<string, Facts.Fact>,
  slugs: ReadonlyArray<string>,
): Effect.fn.Return<void, DriverError> {
  const wanted = new Set(slugs.filter((slug) => !facts.has(slug)))
  if (wanted.size === 0) return
  const steps = flow.definition.steps.filter((step) => wanted.has(step.slug))
  for (const [slug, fact] of yield* Facts.read(driver, run.id, steps)) facts.set(slug, fact)
})

/** The run's output: what its last steps came to that were not skipped. */
const ended = Effect.fnUntraced(function* (
  view: View,
  facts: Map<string, Facts.Fact>,
): Effect.fn.Return<Outcome, DriverError> {
  const { definition } = view.flow
  const leaves = definition.steps
    .filter((step) => !dependentsOf(definition).has(step.slug))
    .map((step) => step.slug)
  yield* learn(view, facts, leaves)
  const fields = leaves.flatMap((slug) => {
    const fact = facts.get(slug)
    return fact?._tag === "Value" ? [`${JSON.stringify(slug)}:${fact.json}`] : []
  })
  return { _tag: "Completed", output: `{${fields.join(",")}}` }
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
    error: failure?.error,
  }
})
