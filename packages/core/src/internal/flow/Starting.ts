/**
 * Starting runs of flows: the run's own task, and the first steps with it.
 */
import { Effect } from "effect"
import type { Driver, NewTask, TaskRecord } from "../../Driver.ts"
import type { DriverError } from "../../DriverError.ts"
import type * as Flow from "../../Flow.ts"
import * as RunId from "../../RunId.ts"
import { Advance, followersOf } from "./Advance.ts"
import * as Facts from "./Facts.ts"
import { overTask, type Plannable } from "./Plan.ts"
import { isOver, runsOf, standingOf } from "./Standing.ts"
import { conducting } from "./conducting.ts"

/** How many first steps are stored together with a run; one with more starts them when claimed. */
const startedAtOnce = 500

/**
 * The tasks that are stored for a new run. Where somebody else may have started a run under the
 * same id, or the run is to begin later or may expire, it is its own task alone: that starts the
 * first steps.
 */
export const expand = (flow: Plannable, base: NewTask): ReadonlyArray<NewTask> => {
  const own = ownTask(flow, base)
  if (own.isNew !== true || own.delayMillis > 0 || own.dueAt !== undefined) return [own]
  if (own.expiresMillis !== undefined) return [own]
  const advanced = new Advance({
    flow,
    run: { id: own.id, input: own.input, trace: own.trace },
    standings: new Map(flow.definition.steps.map((step) => [step.slug, "none"])),
    signals: new Map(),
  }).run()
  return advanced._tag === "Waits" && advanced.starts.length <= startedAtOnce
    ? [{ ...own, state: "waiting" }, ...advanced.starts]
    : [own]
}

/** What of the own task of a run follows from its flow. */
export const storedOf = (
  { definition }: Plannable,
): Pick<NewTask, "queue" | "undoes" | "version"> => ({
  queue: runsOf(definition.queue),
  version: definition.version,
  undoes: definition.steps.some((step) => step.undo) ? true : undefined,
})

/** The own task of a run, made from what any run is enqueued with. */
const ownTask = ({ definition }: Plannable, base: NewTask): NewTask => ({
  ...base,
  flowType: "flow",
  version: definition.version,
  undoes: definition.steps.some((step) => step.undo) ? true : undefined,
  maxAttempts: conducting.maxAttempts,
  maxCrashes: conducting.maxCrashes,
})

/**
 * The tasks of a new run that begins where another one is, but runs a step, and all that follow it,
 * again. `undefined` where there is no such run.
 */
export const again = Effect.fnUntraced(function* (
  flow: Plannable,
  driver: Driver["Service"],
  runId: RunId.RunId,
  from: string,
): Effect.fn.Return<ReadonlyArray<NewTask> | undefined, DriverError> {
  const [old] = yield* driver.find({ ids: [runId], limit: 1 })
  const [progress] = yield* driver.progress([runId])
  if (old?.flow !== flow.definition.slug || progress === undefined) return undefined
  const counts = new Map(progress.steps.map((one) => [one.step, one]))
  const anew = from === undefined ? new Set<string>() : allAfter(flow.definition, from)
  const kept = flow.definition.steps.filter((step) =>
    !anew.has(step.slug) && isOver(standingOf(step, counts.get(step.slug)))
  )
  const facts = yield* Facts.read(driver, runId, kept)
  const own = ownTask(flow, newTask(old, yield* RunId.make))
  return [
    own,
    ...kept.map((step) =>
      overTask(flow, { id: own.id, input: own.input }, step, facts.get(step.slug)!)
    ),
  ]
})

/** A step, and all that follow it. */
const allAfter = (definition: Flow.Definition, from: string): ReadonlySet<string> => {
  const found = new Set([from])
  for (const slug of found) {
    for (const step of followersOf(definition).get(slug) ?? []) found.add(step.slug)
  }
  return found
}

const newTask = (old: TaskRecord, id: RunId.RunId): NewTask => ({
  id,
  runId: id,
  flowType: "flow",
  flow: old.flow,
  step: old.step,
  index: 0,
  queue: old.queue,
  priority: old.priority,
  input: old.input,
  maxAttempts: old.maxAttempts,
  maxCrashes: old.maxCrashes,
  delayMillis: 0,
  awaited: false,
  ...(old.tags === undefined ? {} : { tags: old.tags }),
  ...(old.meta === undefined ? {} : { meta: old.meta }),
})
