/**
 * Answers of drivers in one form, without what may differ: the order of keys in JSON, fields that
 * no type names, and whether a task whose time has come was already moved among the ready ones.
 *
 * @since 0.1.0
 */
import type { Driver, Outcome } from "@millrace/core"
import { showJson } from "../conformance/expect.ts"

/** A stored task at an instant.
 * @category conversions
 * @since 0.1.0 */
export const record = (one: Driver.TaskRecord, now: number) => ({
  ...identity(one),
  priority: one.priority,
  group: one.group,
  tags: one.tags,
  meta: one.meta,
  expiresAt: one.expiresAt,
  dueAt: one.dueAt === undefined || one.dueAt <= now ? undefined : one.dueAt,
  history: one.history.map(({ kind, lease, attempt, startedAt, at, output, failure }) => ({
    ...{ kind, lease, attempt, startedAt, at },
    output: showJson(output),
    failure: failureOf(failure),
  })),
})

/** A claim: the tasks of each queue in the order in which they were handed out.
 * @category conversions
 * @since 0.1.0 */
export const claim = ({ tasks, nextDueMillis }: Driver.Claim) => {
  const queues = [...new Set(tasks.map(({ queue }) => queue))].sort()
  return {
    nextDueMillis,
    tasks: queues.flatMap((queue) => tasks.filter((one) => one.queue === queue))
      .map((one) => ({ ...identity(one), expiresInMillis: one.expiresInMillis })),
  }
}

/** A pulse.
 * @category conversions
 * @since 0.1.0 */
export const pulse = ({ live, lost }: Driver.Pulse) => ({
  live,
  lost: lost.map(({ id, lease }) => `${id} with lease ${lease}`).sort(),
})

/** Queues, without their age: it depends on what was moved among the ready ones.
 * @category conversions
 * @since 0.1.0 */
export const queues = (all: ReadonlyArray<Driver.QueueState>) =>
  all.map(({ queue, ready, running, scheduled, limits }) => ({
    ...{ id: queue, ready, scheduled, running },
    limits: limits ?? null,
  }))

/** What became of changes; a stale one has no kind.
 * @category conversions
 * @since 0.1.0 */
export const settled = (all: ReadonlyArray<Driver.Settled>) =>
  all.map(({ taskId, status, kind }) => ({
    taskId,
    status,
    kind: status === "stale" ? undefined : kind,
  }))

const identity = (one: Driver.TaskRecord | Driver.ClaimedTask) => ({
  ...{ id: one.id, runId: one.runId, flowType: one.flowType, flow: one.flow, step: one.step },
  ...{ index: one.index, queue: one.queue, state: one.state, lease: one.lease },
  ...{ failures: one.failures, crashes: one.crashes, awaited: one.awaited },
  ...{ maxAttempts: one.maxAttempts, maxCrashes: one.maxCrashes, enqueuedAt: one.enqueuedAt },
  ...{ version: one.version, branch: one.branch, undoes: one.undoes === true },
  input: showJson(one.input),
})

/** How far runs are, in the order of their ids.
 * @category conversions
 * @since 0.1.0 */
export const progress = (all: ReadonlyArray<Driver.RunProgress>) =>
  all.map(({ id, wakes, ending, steps }) => ({
    id,
    wakes,
    ending: failureOf(ending),
    steps: steps.map(({ step, ...counts }) => ({ id: step, ...counts })),
  })).sort((a, b) => (a.id < b.id ? -1 : 1))

const failureOf = (failure: Outcome.Failure | undefined) =>
  failure && { ...failure, error: showJson(failure.error) }
