/**
 * Which queues have limits or groups, and what of them is on offer.
 *
 * @since 0.1.0
 */
import { Claiming, type Driver, Limiting } from "@millrace/core"
import type { Lane } from "./Lane.ts"
import { type Asked, Limited, type Offered } from "./Limited.ts"
import { claimedOf, placeOf, type Row } from "./Row.ts"

export class LimitedQueues {
  private readonly queues = new Map<string, Limited>()

  /** Takes over what another one has. */
  fill(others: LimitedQueues): void {
    for (const [queue, limited] of others.queues) this.queues.set(queue, limited.copy())
  }

  /** Says the limits of a queue, and answers those before. */
  say(
    queue: string,
    limits: Limiting.QueueLimits | null | undefined,
  ): Limiting.QueueLimits | undefined {
    const before = this.queues.get(queue)
    const answer = before?.limits
    if (limits === undefined) return answer
    const after = Limiting.said(answer, limits)
    if (after === undefined && before?.grouped !== true) {
      this.queues.delete(queue)
    } else {
      const limited = before ?? new Limited()
      limited.limits = after
      this.queues.set(queue, limited)
    }
    return answer
  }

  /** The queues of which something is known. */
  names(): Iterable<string> {
    return this.queues.keys()
  }

  /** Whether anything is known of a queue. */
  has(queue: string): boolean {
    return this.queues.has(queue)
  }

  /** A queue has groups from the first on, also from that of a task that is not stored. */
  note({ group, queue }: Driver.NewTask): void {
    if (group === undefined) return
    const limited = this.queues.get(queue) ?? new Limited()
    limited.grouped = true
    this.queues.set(queue, limited)
  }

  /** How many tasks wait in a lane, and how many may. */
  depthOf(lane: Lane): Limiting.Depth | undefined {
    const max = this.queues.get(lane.queue)?.limits?.maxDepth
    return max === undefined ? undefined : { depth: lane.depth, max }
  }

  /** Takes what a claim is given of some lanes; says when limits may let more through. */
  take(
    { eldest = false }: Driver.ClaimRequest,
    asked: ReadonlyMap<Lane, number>,
    running: Iterable<Row>,
    now: number,
  ): { readonly claimed: ReadonlyArray<Row>; readonly nextDue: number } {
    const lanes = [...asked.keys()]
    const offers = lanes.map((lane) => {
      const how = { running, asked: asked.get(lane)!, eldest }
      return this.queues.get(lane.queue)?.offer(lane, how, now) ?? plainOffer(lane, how)
    })
    const batches = Claiming.batchesOf(offers.map(({ tasks }) => tasks))
    batches.forEach((batch, index) => offers[index]!.take(batch))
    const claimed = batches.flat().map(({ row }) => row)
    const waits = claimed.length > 0 ? [] : offers.map(({ nextMillis }) => now + nextMillis)
    return { claimed, nextDue: Math.min(...waits) }
  }

  /** What a worker is given. */
  claimedOf(row: Row, now: number): Driver.ClaimedTask {
    const limited = this.queues.get(row.task.queue)
    const how = limited === undefined ? undefined : limited.isPaced ? "paced" : "held"
    return claimedOf(row, how, now)
  }
}

const plainOffer = (lane: Lane, { asked, eldest }: Asked): Offered => {
  const ready = lane.first(eldest ? Infinity : asked)
    .map((row) => ({ row, key: "", begun: false, ...placeOf(row) }))
  return {
    tasks: eldest ? Claiming.eldestOf(ready).slice(0, asked) : ready,
    nextMillis: Infinity,
    take: (tasks) => {
      if (eldest) { for (const { row } of tasks) lane.remove(row) }
      else lane.take(tasks.length)
    },
  }
}
