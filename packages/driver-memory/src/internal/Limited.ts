/**
 * What is known of a queue with limits beyond its tasks: its tokens, and whose turn it is.
 *
 * @since 0.1.0
 */
import { Claiming, Granting, type Limiting, Limits } from "@millrace/core"
import type { Lane } from "./Lane.ts"
import { hasPlace, placeOf, type Row } from "./Row.ts"

/** A ready task on offer. */
export type Ready = Granting.Ready & { readonly row: Row }

/** What a claim asks of a lane. */
export interface Asked {
  readonly running: Iterable<Row>
  readonly asked: number
  readonly eldest: boolean
}

/** What a lane has on offer to a claim, and what it does when some of it is taken. */
export interface Offered {
  readonly tasks: ReadonlyArray<Ready>
  readonly nextMillis: number
  readonly take: (tasks: ReadonlyArray<Ready>) => void
}

export class Limited {
  /** What somebody said; a queue with groups has limits though nobody did. */
  limits: Limiting.QueueLimits | undefined
  grouped = false
  private bucket: Limiting.Bucket | undefined
  private buckets = new Map<string, Limiting.Bucket>()
  private turn = ""

  copy(): Limited {
    const copy = new Limited()
    copy.limits = this.limits
    copy.grouped = this.grouped
    copy.bucket = this.bucket
    copy.buckets = new Map(this.buckets)
    copy.turn = this.turn
    return copy
  }

  get isPaced(): boolean {
    return this.limits?.rate !== undefined || this.limits?.keys?.rate !== undefined
  }

  /** What a claim may take. */
  offer(lane: Lane, { asked, eldest, running }: Asked, now: number): Offered {
    const standing = this.standing(lane, running)
    const room = Granting.roomOf(standing, asked, now)
    if (room === 0) {
      return { tasks: [], nextMillis: Granting.millisToRoom(standing, now), take: () => {} }
    }
    const byKey = this.byKey(lane, eldest)
    const waiting = lane.waitingKeys()
    const keys = [...byKey.keys()]
      .sort(Granting.turnOf(this.turn))
      .slice(0, Limits.keysLooked)
      .map((key) => ({ key, waits: waiting.has(key), bucket: this.buckets.get(key) }))
    const offer = Granting.offerOf(standing, keys, room, now)
    const tasks = offer.keys.flatMap(({ key, limit }) =>
      byKey.get(key)!.sort(Granting.byTurn).slice(0, limit)
    ).slice(0, room)
    return {
      tasks,
      nextMillis: offer.nextMillis,
      take: (taken) => {
        const granted = Granting.grant(standing, keys, offer, taken, now)
        this.bucket = granted.bucket
        this.turn = granted.turn
        for (const [key, bucket] of granted.keys) this.buckets.set(key, bucket)
        for (const { row } of taken) lane.remove(row)
      },
    }
  }

  private standing(lane: Lane, running: Iterable<Row>): Granting.Standing {
    const held = new Map<string, number>()
    for (const { task } of running) {
      if (task.queue !== lane.queue) continue
      const key = task.group ?? ""
      held.set(key, (held.get(key) ?? 0) + 1)
    }
    return { limits: this.limits ?? {}, held, bucket: this.bucket, turn: this.turn }
  }

  private byKey(lane: Lane, eldest: boolean): Map<string, Array<Ready>> {
    const byKey = new Map<string, Array<Ready>>()
    lane.first(Infinity).forEach((row, index) => {
      const key = row.task.group ?? ""
      if (key === "" && this.grouped && index >= Limits.tasksLooked) return
      const ready = { row, key, begun: key !== "" && hasPlace(row), ...placeOf(row) }
      const all = byKey.get(key)
      if (all === undefined) byKey.set(key, [ready])
      else all.push(ready)
    })
    const keyless = byKey.get("")
    if (eldest && !this.grouped && keyless !== undefined) {
      byKey.set("", [...Claiming.eldestOf(keyless)])
    }
    return byKey
  }
}
