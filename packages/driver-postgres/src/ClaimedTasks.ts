/**
 * The tasks that a claim answers, read from its packed rows.
 *
 * @since 0.1.0
 */
import type { Driver } from "@millrace/core"
import type { Row } from "./Connection.ts"
import type { Claim } from "./Holdings.ts"
import { unpack } from "./Packing.ts"
import { placeOf } from "./Place.ts"
import { own as ownColumns } from "./statements/Claim.ts"

/** Reads them; each gets its ticket of the claim.
 * @category conversions
 * @since 0.1.0 */
export const tasksOf = (
  rows: ReadonlyArray<Row>,
  nameOf: (queueId: number) => string,
  claim: Claim,
  limited?: Driver.ClaimedTask["limited"],
): ReadonlyArray<Driver.ClaimedTask> =>
  unpack(rows, ownColumns, (row, texts) => {
    // A copy of what is shared is made for each task, so nothing is looked up but once.
    const lease = row.lease as number
    const failures = row.failures as number
    const crashes = row.crashes as number
    const maxAttempts = row.max_attempts as number
    const maxCrashes = row.max_crashes as number
    const awaited = row.awaited as boolean
    const flowType = row.flow_type as "job" | "flow"
    const flow = row.flow as string
    const step = row.step as string
    const index = row.index as number | null
    const queue = nameOf(row.queue_id as number)
    const version = (row.version as string | null) ?? undefined
    const { branch, undoes } = placeOf(row)
    const expiresInMillis = (row.left_millis as number | null) ?? undefined
    const { created, element, input, run_id: run, task_id: ids, trace } = texts
    return (place: number) => {
      const id = ids![place]!
      return {
        id,
        runId: run?.[place] ?? id,
        state: "running",
        lease,
        failures,
        crashes,
        maxAttempts,
        maxCrashes,
        awaited,
        flowType,
        flow,
        step,
        index: index ?? Number(element?.[place]),
        queue,
        input: input![place]!,
        enqueuedAt: Number(created![place]),
        trace: trace?.[place],
        version,
        branch,
        undoes,
        limited,
        expiresInMillis,
        ticket: claim.add(id, lease),
      }
    }
  })
