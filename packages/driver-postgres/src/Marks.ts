/**
 * From where on a busy queue is read: what was claimed leaves dead entries in the index, and a
 * claim that began at the front would walk over all of them, over and over.
 *
 * @since 0.1.0
 */
import { Limits } from "@millrace/core"

/**
 * A claimed lane: how much was asked of it and came, where its first task stood, and the id below
 * which every transaction had ended when it was read.
 *
 * @category models
 * @since 0.1.0
 */
export interface Front {
  readonly queueId: number
  readonly priority: number
  readonly born: bigint
  readonly horizon: bigint
}

interface Marked {
  /** For each priority the first `born` that can be there. */
  readonly borns: Array<bigint>
  readonly since: number
}

/** What another worker had locked may be free again: then it is found so much later. */
const rescanMillis = 1000

const priorities = Array.from({ length: Limits.lowestPriority + 1 }, (_, priority) => priority)

/**
 * Remembers where claims found their first tasks, for a second.
 *
 * **Details**
 *
 * Before the first task of a claim stood nothing but what others had locked, and what becomes
 * visible later has a `born` that is no lower than the horizon. A higher priority has a mark of its
 * own, so that what comes in it is seen at once.
 *
 * @category models
 * @since 0.1.0
 */
export class Marks {
  readonly #marked = new Map<number, Marked>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** The marks of some queues as parameters; `undefined` where none has any. */
  of(queueIds: ReadonlyArray<number>): readonly [string, string, string] | undefined {
    const after = this.#now() - rescanMillis
    for (const id of queueIds) {
      if ((this.#marked.get(id)?.since ?? after) < after) this.#marked.delete(id)
    }
    if (!queueIds.some((id) => this.#marked.has(id))) return undefined
    const rows = queueIds.flatMap((id) =>
      priorities.map((priority) => [id, priority, this.#marked.get(id)?.borns[priority] ?? 0n])
    )
    const column = (index: number) => `{${rows.map((row) => row[index]).join(",")}}`
    return [column(0), column(1), column(2)]
  }

  /** A claim got all that it asked for. */
  learn(fronts: ReadonlyArray<Front>): void {
    for (const { queueId, priority, born, horizon } of fronts) {
      const before = this.#marked.get(queueId)
      const safe = born < horizon ? born : horizon
      const borns = priorities.map((other) =>
        other < priority ? horizon : other === priority ? safe : before?.borns[other] ?? 0n
      )
      this.#marked.set(queueId, { borns, since: before?.since ?? this.#now() })
    }
  }

  /** A claim got less: the next one begins at the front. */
  forget(queueIds: ReadonlyArray<number>): void {
    for (const id of queueIds) this.#marked.delete(id)
  }
}

/** Reads what a claim says of its lanes: `queue priority born`, with commas between lanes.
 * @category conversions
 * @since 0.1.0 */
export const parseFronts = (text: string, horizon: string): ReadonlyArray<Front> =>
  text.split(",").map((front) => {
    const [queueId, priority, born] = front.split(" ") as [string, string, string]
    return {
      queueId: Number(queueId),
      priority: Number(priority),
      born: BigInt(born),
      horizon: BigInt(horizon),
    }
  })
