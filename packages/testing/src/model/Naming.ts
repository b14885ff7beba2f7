/**
 * What the numbers of a program stand for in a trial.
 *
 * @since 0.1.0
 */
import type { Driver } from "@millrace/core"
import { everything, type Stage } from "../conformance/fixtures.ts"
import type { Command, List, NewTask } from "./Command.ts"

/** Of each trial its own, so that nothing else in the store is seen.
 * @category conversions
 * @since 0.1.0 */
export const flowOf = (stage: Stage) => stage.queue.replace("q_", "flow_")

/** The name of a queue.
 * @category conversions
 * @since 0.1.0 */
export const queueOf = (stage: Stage, queue: number) => queue === 0 ? stage.queue : stage.otherQueue

/** What is asked to find tasks.
 * @category conversions
 * @since 0.1.0 */
export const queryOf = (
  stage: Stage,
  { queue, states, parents, steps, after, limit }: Extract<Command, { _tag: "Find" }>,
): Driver.FindQuery => ({
  flow: flowOf(stage),
  queue: queue === undefined ? undefined : queueOf(stage, queue),
  states,
  parents: parents?.map((number) => stage.id(number)),
  steps,
  after: after === undefined ? undefined : stage.id(after),
  limit,
})

/** What is asked to list tasks.
 * @category conversions
 * @since 0.1.0 */
export const listOf = (
  stage: Stage,
  { queue, states, own, group, key, tags, meta, since, until, descending, from, limit }: List,
  now: number,
): Driver.FindQuery => ({
  ...{ flow: flowOf(stage), states, own, group, tags, meta, descending, limit },
  queue: queue === undefined ? undefined : queueOf(stage, queue),
  key: key === undefined ? undefined : { flow: flowOf(stage), key },
  createdFrom: since === undefined ? undefined : now - since,
  createdBefore: until === undefined ? undefined : now - until,
  ...(from === undefined ? {} : { [descending ? "before" : "after"]: stage.id(from) }),
})

/** What is stored for a task.
 * @category conversions
 * @since 0.1.0 */
export const newTask = (
  stage: Stage,
  { task, delay, dueIn, expires, place, ...rest }: NewTask,
  now: number,
): Driver.NewTask =>
  stage.newTask({
    ...{ ...rest, id: stage.id(task), queue: queueOf(stage, rest.queue), flow: flowOf(stage) },
    // What is said to be new and is not has to be found all the same.
    isNew: true,
    ...{
      delayMillis: delay,
      expiresMillis: expires,
      dueAt: dueIn === undefined ? undefined : now + dueIn,
    },
    ...(place === undefined ? {} : placed(stage, place)),
  })

const placed = (
  stage: Stage,
  { parent, step, onExhausted, undoes, waits, ended }: NonNullable<NewTask["place"]>,
): Partial<Driver.NewTask> => ({
  ...(parent === undefined ? {} : { parent: stage.id(parent), onExhausted }),
  // What waits is the own task of a run, which may be a step.
  ...(parent === undefined || waits ? {} : { runId: stage.id(parent) }),
  ...{ flowType: "flow", version: "v1", step, ended },
  undoes: undoes ? true : undefined,
  state: waits ? "waiting" : undefined,
})

/** What a command asks to prune.
 * @category conversions
 * @since 0.1.0 */
export const pruneOf = (
  stage: Stage,
  { age, runs }: Extract<Command, { _tag: "Prune" }>,
): Driver.PruneRequest => ({
  olderThanMillis: age,
  limit: everything,
  ...(runs === undefined ? {} : {
    ...{ flow: flowOf(stage), states: runs.states, keep: runs.keep },
    youngerThanMillis: runs.within === undefined ? undefined : age + runs.within,
  }),
})
