/**
 * What every driver must do: cases as data, and a runner for any test framework.
 *
 * @since 0.1.0
 */
import type { Driver } from "@millrace/core"
import { Effect } from "effect"
import { attemptCases } from "./conformance/attempts.ts"
import { branchCases } from "./conformance/branches.ts"
import { cancelCases } from "./conformance/cancel.ts"
import { claimCases } from "./conformance/claim.ts"
import { crashCases } from "./conformance/crash.ts"
import { Unexpected } from "./conformance/expect.ts"
import { discardCases } from "./conformance/discard.ts"
import { depthCases } from "./conformance/depth.ts"
import { expiryCases } from "./conformance/expiry.ts"
import { fencingCases } from "./conformance/fencing.ts"
import { findCases } from "./conformance/find.ts"
import type { Case } from "./conformance/fixtures.ts"
import { flowScheduleCases } from "./conformance/flow-schedules.ts"
import { groupCases } from "./conformance/groups.ts"
import { heartbeatCases } from "./conformance/heartbeat.ts"
import { insertCases } from "./conformance/insert.ts"
import { limitCases } from "./conformance/limits.ts"
import { labelCases } from "./conformance/labels.ts"
import { listCases } from "./conformance/list.ts"
import { manyCases } from "./conformance/many.ts"
import { orderCases } from "./conformance/order.ts"
import { pausingCases } from "./conformance/pausing.ts"
import { overdueCases } from "./conformance/overdue.ts"
import { payloadCases } from "./conformance/payload.ts"
import { progressCases } from "./conformance/progress.ts"
import { pruneCases } from "./conformance/prune.ts"
import { queueCases } from "./conformance/queues.ts"
import { rescheduleCases } from "./conformance/reschedule.ts"
import { reportingCases } from "./conformance/reporting.ts"
import { retentionCases } from "./conformance/retention.ts"
import { retryCases } from "./conformance/retry.ts"
import { runCases } from "./conformance/runs.ts"
import { occurrenceCases } from "./conformance/occurrences.ts"
import { type ScheduleCase, storingScheduleCases } from "./conformance/schedules.ts"
import { scheduleCases } from "./conformance/schedule.ts"
import { settleCases } from "./conformance/settle.ts"
import { startingCases } from "./conformance/starting.ts"
import { signalCases, stepCases } from "./conformance/steps.ts"
import { joiningCases, settlingCases, type TransactionCase } from "./conformance/transaction.ts"
import { transactCases } from "./conformance/transact.ts"
import { treeCases } from "./conformance/within.ts"
import { uniqueCases } from "./conformance/unique.ts"
import { wakeupCases } from "./conformance/wakeup.ts"
import { wakingCases } from "./conformance/waking.ts"

export type { Case } from "./conformance/fixtures.ts"
export type { ScheduleCase } from "./conformance/schedules.ts"
export type { TransactionCase } from "./conformance/transaction.ts"
export { type Later, later } from "./conformance/later.ts"

/**
 * All cases.
 *
 * **Details**
 *
 * - A case brings its own `TestClock`, which starts at zero: the driver has to take its time from
 *   Effect's `Clock`.
 * - Cases of one store run one after the other. Each one empties the store before it begins.
 * - No case sleeps in real time, but where a wakeup has to cross a network.
 *
 * **Gotchas**
 *
 * Everything that the store holds is removed: give it a database schema of its own.
 *
 * @category cases
 * @since 0.1.0
 */
export const cases: ReadonlyArray<Case> = [
  ...insertCases,
  ...uniqueCases,
  ...scheduleCases,
  ...claimCases,
  ...orderCases,
  ...limitCases,
  ...groupCases,
  ...depthCases,
  ...settleCases,
  ...fencingCases,
  ...attemptCases,
  ...retryCases,
  ...cancelCases,
  ...discardCases,
  ...rescheduleCases,
  ...expiryCases,
  ...crashCases,
  ...heartbeatCases,
  ...transactCases,
  ...pruneCases,
  ...retentionCases,
  ...findCases,
  ...listCases,
  ...labelCases,
  ...manyCases,
  ...queueCases,
  ...branchCases,
  ...progressCases,
  ...wakingCases,
  ...startingCases,
  ...runCases,
  ...stepCases,
  ...signalCases,
  ...wakeupCases,
  ...payloadCases,
  ...pausingCases,
  ...overdueCases,
  ...reportingCases,
]

/**
 * The cases of transactions, for drivers that provide `Transaction.Transactions`. Each is run as it
 * is, with the driver's whole layer.
 *
 * @category cases
 * @since 0.1.0
 */
export const transactionCases: ReadonlyArray<TransactionCase> = [
  ...joiningCases,
  ...settlingCases,
  ...treeCases,
]

/**
 * The cases of schedules, for drivers that provide `ScheduleStore.ScheduleStore`. Each is run as it
 * is, with the driver's whole layer.
 *
 * @category cases
 * @since 0.1.0
 */
export const schedulingCases: ReadonlyArray<ScheduleCase> = [
  ...storingScheduleCases,
  ...flowScheduleCases,
  ...occurrenceCases,
]

/**
 * A case that a driver does not pass, and why.
 *
 * @category models
 * @since 0.1.0
 */
export interface Skip {
  readonly name: string
  readonly reason: string
}

/**
 * A test to be registered.
 *
 * @category models
 * @since 0.1.0
 */
export interface Registration {
  /** The name of the case; that of a skipped one ends with the reason. */
  readonly name: string
  readonly effect: Effect.Effect<void, unknown, Driver.Driver>
}

/**
 * Lists the cases as tests to register with any test framework, each run with the driver under
 * test.
 *
 * **Details**
 *
 * Nothing is skipped in silence: a skipped case is a test too, whose name tells the reason, and it
 * fails once the driver passes the case. A case ends within a minute of real time. Throws where a
 * skip names no case or gives no reason.
 *
 * **Example** (The memory driver with `node:test`)
 *
 * ```ts
 * import { MemoryDriver } from "@millrace/driver-memory"
 * import { Conformance } from "@millrace/testing"
 * import { Effect } from "effect"
 * import { test } from "node:test"
 *
 * for (const { name, effect } of Conformance.run().slice(0, 3)) {
 *   test(name, () => Effect.runPromise(Effect.provide(effect, MemoryDriver.layer)))
 * }
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const run = (
  options: { readonly skip?: ReadonlyArray<Skip> } = {},
): ReadonlyArray<Registration> => {
  const reasons = new Map<string, string>()
  for (const { name, reason } of options.skip ?? []) {
    if (!cases.some((one) => one.name === name)) throw new Error(`Cannot skip "${name}": no case`)
    if (reason.trim() === "") throw new Error(`Cannot skip "${name}" without a reason`)
    reasons.set(name, reason)
  }
  return cases.map((one) => {
    const reason = reasons.get(one.name)
    const effect = Effect.timeout(one.run, "1 minute")
    return reason === undefined
      ? { name: one.name, effect }
      : { name: `${one.name} (skipped: ${reason})`, effect: stillFails(effect, one.name) }
  })
}

const stillFails = (effect: Registration["effect"], name: string): Registration["effect"] =>
  Effect.flatMap(
    Effect.exit(effect),
    (exit) =>
      exit._tag === "Failure"
        ? Effect.void
        : Effect.die(new Unexpected(`The driver passes "${name}": skip it no longer`)),
  )
