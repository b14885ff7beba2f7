/**
 * The books of queues with limits: how many tasks are held, what rates have let through, and
 * whether the tasks of a key keep their order.
 *
 * @since 0.1.0
 */
import { Limiting, type Task } from "@millrace/core"

/**
 * A task, as far as limits are concerned.
 *
 * @category models
 * @since 0.1.0
 */
export interface Member {
  readonly queue: string
  readonly group: string | undefined
  /** Grows with each task that is stored. */
  readonly number: number
  readonly state: Task.State
  readonly lease: number
  /** Whether it was to wait from the start. */
  readonly delayed: boolean
  /** Whether it was put off by hand, and nothing else has happened to it. */
  readonly putOff: boolean
}

/**
 * Checks claims against the limits of queues.
 *
 * @category models
 * @since 0.1.0
 */
export class LimitBooks {
  readonly #limits = new Map<string, Limiting.QueueLimits>()
  /** When tasks were claimed, by queue, and by queue and key. */
  readonly #grants = new Map<string, Array<number>>()

  /** Somebody says the limits of a queue. */
  said(queue: string, limits: Limiting.QueueLimits | null): void {
    const after = Limiting.said(this.#limits.get(queue), limits)
    if (after === undefined) this.#limits.delete(queue)
    else this.#limits.set(queue, after)
    for (const name of this.#grants.keys()) {
      if (name === queue || name.startsWith(`${queue} `)) this.#grants.delete(name)
    }
  }

  /**
   * What is wrong with the claim of a task, in a few words, when it is held already; `open` are all
   * that have not ended.
   */
  claimed(task: Member, open: Iterable<Member>, now: number): string | undefined {
    const said = this.#limits.get(task.queue)
    if (said === undefined && task.group === undefined) return undefined
    const limits = said ?? {}
    if (limits.paused === true) return "was claimed although its queue is paused"
    const keys = limits.keys ?? Limiting.strictKeys
    let held = 0
    let ofKey = 0
    let overtaken = false
    for (const other of open) {
      if (other.queue !== task.queue) continue
      const isSame = task.group !== undefined && other.group === task.group
      if (other.state === "running") held++
      if (other.state === "running" && isSame) ofKey++
      overtaken ||= isSame && other !== task && holdsUp(other, task)
    }
    if (held > (limits.concurrency ?? Infinity)) return "was claimed beyond the limit of its queue"
    if (ofKey > keys.concurrency) return "was claimed beyond the limit of its key"
    const isStrict = keys.concurrency === 1 && keys.onFailure === "block"
    if (isStrict && overtaken) return "was claimed before another one of its key"
    if (this.#exceeds(task.queue, limits.rate, now)) {
      return "was claimed beyond the rate of its queue"
    }
    const ofGroup = task.group === undefined ? undefined : keys.rate
    return this.#exceeds(`${task.queue} ${task.group}`, ofGroup, now)
      ? "was claimed beyond the rate of its key"
      : undefined
  }

  /** Notes a claim; answers whether within some time there were more than a rate allows. */
  #exceeds(name: string, rate: Limiting.Rate | undefined, now: number): boolean {
    if (rate === undefined) return false
    const times = this.#grants.get(name) ?? []
    this.#grants.set(name, times)
    times.push(now)
    if (times.length > rememberedGrants) times.shift()
    return times.some((since, index) =>
      times.length - index > rate.burst + Math.floor((now - since) * rate.count / rate.periodMillis)
    )
  }
}

const rememberedGrants = 500

/** Whether a task of the same key has to end before another one may begin. */
const holdsUp = (before: Member, after: Member): boolean =>
  before.number < after.number && (before.state === "ready" || before.state === "running") &&
  (before.lease > 0 ? !before.putOff : !before.delayed && !after.delayed && after.lease === 0)
