/**
 * Writes what attempts came to, in batches: whatever ended while the batch before was written.
 */
import { Context, Effect, Latch, LogLevel, Metric, References } from "effect"
import type { ClaimedTask, Driver, Settled } from "../../Driver.ts"
import type { DriverError } from "../../DriverError.ts"
import type { Outcome } from "../../Outcome.ts"
import * as Limits from "../../Limits.ts"
import type { Change } from "../../Task.ts"
import { transition } from "../../Transition.ts"
import type { Ended } from "./Attempts.ts"
import { annotationsOf } from "./Attempts.ts"
import { backoffMillis } from "./Outage.ts"

/** Who hears of what was written. */
export interface Reports {
  /** A task is to run again after a time. */
  readonly putOff: (millis: number) => void
  /** A task of a queue with limits is settled, which may let another one through. */
  readonly madeRoom: (queue: string) => void
}

interface Pending {
  readonly ended: Ended
  readonly change: Change
}

export class Settling {
  readonly #driver: Driver["Service"]
  readonly #context: Context.Context<never>
  readonly #reports: Reports
  /** The counters of attempts, by what is counted. */
  readonly #counters = new Map<string, Metric.Counter<number>>()
  #pending: Array<Pending> = []
  #writing = 0
  readonly #arrived = Latch.makeUnsafe(false)
  readonly #empty = Latch.makeUnsafe(true)

  constructor(
    driver: Driver["Service"],
    context: Context.Context<never>,
    reports: Reports,
  ) {
    this.#driver = driver
    this.#context = context
    this.#reports = reports
  }

  /** Takes the outcome of a task that the worker holds. */
  add(ended: Ended): void {
    const { task, policy, outcome, elapsedMillis } = ended
    // The worker's own definition is newer than the stored policy: a deploy changed it.
    const known = policy === undefined ||
        (policy.maxAttempts === task.maxAttempts && policy.maxCrashes === task.maxCrashes)
      ? task
      : { ...task, maxAttempts: policy.maxAttempts, maxCrashes: policy.maxCrashes }
    const change = transition(known, {
      _tag: "AttemptEnded",
      lease: task.lease,
      outcome,
      elapsedMillis,
    })!
    this.#pending.push({ ended, change })
    this.#empty.closeUnsafe()
    this.#arrived.openUnsafe()
  }

  /** How many outcomes are not written yet. */
  get size(): number {
    return this.#pending.length + this.#writing
  }

  /** Waits until everything that was added is written. */
  readonly flushed: Effect.Effect<void> = Effect.suspend(() => this.#empty.await)

  /** Writes until it is interrupted. Several may run side by side. */
  readonly run: Effect.Effect<never> = Effect.gen({ self: this }, function* () {
    while (true) {
      yield* this.#arrived.await
      // The first of many that end at once has woken this fiber: the others are to share its batch.
      yield* Effect.yieldNow
      const batch = this.#pending.splice(0, Limits.batchSize)
      if (this.#pending.length === 0) this.#arrived.closeUnsafe()
      if (batch.length === 0) continue
      this.#writing += batch.length
      yield* this.#write(batch)
      this.#writing -= batch.length
      if (this.size === 0) this.#empty.openUnsafe()
    }
  })

  // An outcome is kept until the driver took it or refused it for good. Repeating a batch whose
  // reply was lost is safe: what was applied answers so.
  readonly #write = (batch: ReadonlyArray<Pending>): Effect.Effect<void> =>
    Effect.gen({ self: this }, function* () {
      for (let failures = 0;; failures++) {
        const changes = batch.map((pending) => pending.change)
        const result = yield* Effect.result(this.#driver.settle(changes))
        if (result._tag === "Success") return yield* this.#written(batch, result.success)
        const error = result.failure
        if (!error.isRetryable) return yield* this.#refused(batch, error)
        if (failures === 0) {
          yield* Effect.logWarning(
            `${batch.length} outcomes wait for the storage. ${error.message}`,
          )
        }
        yield* Effect.sleep(backoffMillis(failures))
      }
    })

  readonly #written = (
    batch: ReadonlyArray<Pending>,
    settled: ReadonlyArray<Settled>,
  ): Effect.Effect<void> => {
    const logs: Array<Effect.Effect<void>> = []
    const limited = new Set<string>()
    const debug = LogLevel.isLessThanOrEqualTo(
      Context.get(this.#context, References.MinimumLogLevel),
      "Debug",
    )
    batch.forEach((pending, index) => {
      const { ended, change } = pending
      ended.session.release(ended.task, ended.place)
      if (ended.task.limited !== undefined) limited.add(ended.task.queue)
      const answer = settled[index]!
      const applied = answer.status === "applied" || answer.kind === change.entry.kind
      if (applied && change.to.state === "ready") this.#reports.putOff(change.to.delayMillis)
      // The run that is told, or what the change has started, may be for this worker.
      if (applied && (change.report ?? change.starts) !== undefined) this.#reports.putOff(0)
      if (!applied || debug || !isQuiet(ended.outcome)) {
        logs.push(applied ? logOf(pending) : logTooLate(pending, answer))
      }
    })
    for (const queue of limited) this.#reports.madeRoom(queue)
    this.#count(batch, settled)
    return logs.length === 0 ? Effect.void : Effect.all(logs, { discard: true })
  }

  #count(batch: ReadonlyArray<Pending>, settled: ReadonlyArray<Settled>): void {
    for (const { attributes, count } of countsOf(batch, settled)) {
      const name = `${attributes.job} ${attributes.queue} ${attributes.outcome}`
      let counter = this.#counters.get(name)
      if (counter === undefined) this.#counters.set(name, counter = counterOf(attributes))
      counter.updateUnsafe(count, this.#context)
    }
  }

  readonly #refused = (
    batch: ReadonlyArray<Pending>,
    error: DriverError,
  ): Effect.Effect<void> => {
    if (batch.length > 1) {
      // One of them may be the cause: each by itself.
      return Effect.forEach(batch, (pending) => this.#write([pending]), { discard: true })
    }
    // The lease stays unanswered. When the session ends, the task is given up and recovered.
    const { task, session, place } = batch[0]!.ended
    session.release(task, place)
    session.drain()
    return Effect.annotateLogs(
      Effect.logError(`The storage refused the outcome of the attempt. ${error.message}`),
      annotationsOf(task),
    )
  }
}

const isQuiet = ({ _tag }: Outcome) => _tag === "Completed" || _tag === "Advanced"

const logOf = ({ ended, change }: Pending): Effect.Effect<void> =>
  Effect.annotateLogs(wordsOf(ended, change), annotationsOf(ended.task))

const nameOf = ({ flowType, flow, step, version }: ClaimedTask): string =>
  flowType === "job"
    ? `job "${flow}"`
    : `step "${step}" of flow "${flow}" in version ${version ?? "unknown"}`

const wordsOf = (ended: Ended, change: Change): Effect.Effect<void> => {
  const { to, entry } = change
  const why = entry.failure === undefined ? "" : `: ${entry.failure.message}`
  if (ended.outcome._tag === "Expired") {
    return Effect.logInfo("Cancelled: it could not begin before it expired")
  }
  if (ended.policy === undefined) {
    return Effect.logWarning(
      `This worker has no handler for ${nameOf(ended.task)}: its run waits for another`,
    )
  }
  if (to.state === "completed") return Effect.logDebug(`Completed in ${ended.elapsedMillis} ms`)
  if (to.state === "waiting") return Effect.logDebug("Waits for its steps")
  if (to.state === "cancelled") return Effect.logInfo("Cancelled, and its steps are undone")
  if (entry.kind === "unwinding") return Effect.logWarning(`The run comes to its end${why}`)
  if (to.state !== "ready") return Effect.logError(`Failed for good${why}`)
  if (entry.kind === "interrupted") return Effect.logInfo("Given back")
  if (entry.kind === "snoozed") return Effect.logInfo(`Snoozed for ${to.delayMillis} ms`)
  return Effect.logWarning(`Failed, to be tried again in ${to.delayMillis} ms${why}`)
}

const logTooLate = ({ ended, change }: Pending, { kind }: Settled): Effect.Effect<void> =>
  Effect.annotateLogs(
    kind === "completed"
      ? Effect.logWarning(
        "The attempt is completed: its transaction was committed, though its handler then came " +
          `to another end (${change.entry.kind}), which is not written`,
      )
      : Effect.logWarning("The attempt ended too late: it was cancelled, or its lease had expired"),
    annotationsOf(ended.task),
  )

const counterOf = (attributes: Attributes): Metric.Counter<number> =>
  Metric.counter("millrace_attempts", {
    description: "Attempts that ended, by job, queue and what they came to",
    attributes,
    incremental: true,
  })

interface Attributes extends Record<string, string> {
  readonly job: string
  readonly queue: string
  readonly outcome: string
}

interface Count {
  readonly attributes: Attributes
  count: number
}

const countsOf = (
  batch: ReadonlyArray<Pending>,
  settled: ReadonlyArray<Settled>,
): ReadonlyArray<Count> => {
  const counts: Array<Count> = []
  let last: Count | undefined
  for (let index = 0; index < batch.length; index++) {
    const { ended: { task }, change: { entry } } = batch[index]!
    // An attempt that had ended before ended as it did then.
    const outcome = settled[index]!.kind ?? entry.kind
    const counted = ({ attributes }: { readonly attributes: Attributes }) =>
      attributes.job === task.flow && attributes.queue === task.queue &&
      attributes.outcome === outcome
    // Mostly it is as the one before.
    if (last === undefined || !counted(last)) {
      last = counts.find(counted)
      if (last === undefined) {
        last = { attributes: { job: task.flow, queue: task.queue, outcome }, count: 0 }
        counts.push(last)
      }
    }
    last.count++
  }
  return counts
}
