/**
 * What to claim for which lanes, and what becomes of the answer.
 */
import { type Clock, type Effect, Exit } from "effect"
import * as Claiming from "../../Claiming.ts"
import type { Claim, ClaimedTask, Driver } from "../../Driver.ts"
import type { DriverError } from "../../DriverError.ts"
import type { Claimed, Held } from "./Attempts.ts"
import type { Lane } from "./Lane.ts"
import { monotonicMillis } from "./Monotonic.ts"
import type { Session } from "./Session.ts"

/** The lanes to claim for, and how much. */
export type Wanted = ReadonlyArray<{ readonly queue: string; readonly limit: number }>

/** A claim on its way. */
export interface Asked {
  readonly session: Session
  readonly lanes: Wanted
  /** Those that had been announced before. */
  readonly loud: ReadonlyArray<Lane>
  readonly sentAt: number
}

export class Claims {
  readonly #lanes: ReadonlyMap<string, Lane>
  readonly #driver: Driver["Service"]
  readonly #clock: Clock.Clock
  /** Hears of a task that is too late to begin. */
  readonly #expired: (held: Held) => void
  #count = 0

  constructor(
    lanes: ReadonlyMap<string, Lane>,
    driver: Driver["Service"],
    clock: Clock.Clock,
    expired: (held: Held) => void,
  ) {
    this.#lanes = lanes
    this.#driver = driver
    this.#clock = clock
    this.#expired = expired
  }

  /** Whether any lane has places, and may have work. */
  isAnyWanted(): boolean {
    let wanted = false
    for (const lane of this.#lanes.values()) {
      // The last announcement may have been for a place that was not free then.
      if (lane.need === 0) lane.quiet = false
      else wanted ||= !lane.quiet
    }
    return wanted
  }

  /** The lanes with places, where any of them may have work. */
  wanted(): Wanted {
    const lanes: Array<Wanted[number]> = []
    if (!this.isAnyWanted()) return lanes
    for (const { need, queue } of this.#lanes.values()) {
      if (need > 0) lanes.push({ queue, limit: need })
    }
    return lanes
  }

  /** Whether a lane gave all that the last claim asked for. */
  get isAnyAbundant(): boolean {
    for (const lane of this.#lanes.values()) if (lane.abundant) return true
    return false
  }

  /** The lanes that gave all that the last claim asked for, and have places for more. */
  wantedMore(): Wanted {
    return [...this.#lanes.values()].flatMap(({ abundant, need, queue }) =>
      abundant && need > 0 ? [{ queue, limit: need }] : []
    )
  }

  /** Takes note of a claim that is about to be sent. */
  ask(session: Session, lanes: Wanted): Asked {
    const loud: Array<Lane> = []
    for (const { limit, queue } of lanes) {
      const lane = this.#lanes.get(queue)!
      lane.asked += limit
      if (!lane.quiet) loud.push(lane)
    }
    return { session, lanes, loud, sentAt: monotonicMillis(this.#clock) }
  }

  /** The claim that waits for announcements where it finds nothing. */
  first({ lanes, loud, session }: Asked): Effect.Effect<Claim, DriverError> {
    // For what is announced from now on, this claim may be too early.
    for (const lane of loud) lane.quiet = true
    const eldest = ++this.#count % Claiming.eldestEvery === 0
    return this.#driver.claim({ worker: session.id, lanes, waits: true, eldest })
  }

  /** Another claim, while the first one is on its way. */
  further({ lanes, session }: Asked): Effect.Effect<Claim, DriverError> {
    return this.#driver.claim({ worker: session.id, lanes, waits: false })
  }

  /** Puts what was answered into the lanes, and answers whether that is anything. */
  answered(asked: Asked, claimed: Exit.Exit<Claim, DriverError>): boolean {
    const tasks = Exit.isSuccess(claimed) ? claimed.value.tasks : []
    // The tasks may have been handed out, and only the reply been lost.
    if (Exit.isFailure(claimed)) asked.session.drain()
    if (Exit.isFailure(claimed) || tasks.length > 0) {
      for (const lane of asked.loud) lane.quiet = false
    }
    this.#take(asked, tasks)
    return tasks.length > 0
  }

  #take({ lanes, sentAt, session }: Asked, tasks: ReadonlyArray<ClaimedTask>): void {
    const now = monotonicMillis(this.#clock)
    const byQueue = new Map<string, Array<Claimed>>()
    for (const task of tasks) {
      const left = task.expiresInMillis
      const beginsBefore = left === undefined ? Infinity : sentAt + left
      const held: Claimed = { task, session, place: session.hold(task), beginsBefore }
      if (beginsBefore <= sentAt) {
        this.#expired(held)
        continue
      }
      const found = byQueue.get(task.queue)
      if (found === undefined) byQueue.set(task.queue, [held])
      else found.push(held)
    }
    for (const { queue, limit } of lanes) {
      this.#lanes.get(queue)!.add(byQueue.get(queue) ?? none, limit, now)
    }
  }
}

const none: ReadonlyArray<Claimed> = []
