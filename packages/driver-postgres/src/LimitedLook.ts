/**
 * Looking at queues that have limits: how they stand, and which of their keys may give tasks.
 *
 * @since 0.1.0
 */
import { Granting, type Limiting, Limits } from "@millrace/core"
import type { Query, Row } from "./Connection.ts"
import type { Statements } from "./Statements.ts"

/**
 * What is asked of each queue, in the order of the request.
 *
 * @category models
 * @since 0.1.0
 */
export interface Asked {
  readonly queueId: number
  readonly limit: number
}

/**
 * How a queue stands, and whether it has groups.
 *
 * @category models
 * @since 0.1.0
 */
export interface Standing extends Granting.Standing {
  readonly grouped: boolean
}

/**
 * What a claim looks at, and when.
 *
 * @category models
 * @since 0.1.0
 */
export interface Look {
  readonly query: Query
  readonly statements: Statements
  readonly now: number
  readonly eldest: boolean
  readonly standings: ReadonlyMap<number, Standing>
}

/** How queues stand, by the rows that were locked and by what is held.
 * @category conversions
 * @since 0.1.0 */
export const standingsOf = (
  locked: ReadonlyArray<Row>,
  seen: Row,
): ReadonlyMap<number, Standing> => {
  const held = new Map<number, Map<string, number>>()
  const counts = JSON.parse((seen.held as string | null) ?? "[]") as ReadonlyArray<
    readonly [queueId: number, key: string, held: number]
  >
  for (const [queueId, key, count] of counts) {
    const keys = held.get(queueId) ?? new Map<string, number>()
    held.set(queueId, keys.set(key, (keys.get(key) ?? 0) + count))
  }
  return new Map(locked.map((row) => [row.queue_id as number, {
    limits: JSON.parse((row.declared as string | null) ?? "{}") as Limiting.QueueLimits,
    held: held.get(row.queue_id as number) ?? new Map(),
    bucket: bucketOf(row),
    turn: row.turn as string,
    grouped: row.grouped as boolean,
  }]))
}

const bucketOf = (row: Row): Limiting.Bucket | undefined =>
  row.level === null || row.level === undefined ? undefined : {
    level: row.level as number,
    periodMillis: row.period as number,
    at: row.at as number,
  }

/** The keys of a queue that are looked at, and what they offer.
 * @category running
 * @since 0.1.0 */
export const keysOf = async (
  look: Look,
  lane: Asked,
  standing: Standing,
  room: number,
) => {
  const { query, statements, now } = look
  const keys: Array<Granting.Key> = []
  // More keys are read for as long as those that were read cannot give enough.
  const read = async (after: string, to: string | null): Promise<boolean> => {
    let from = after
    while (keys.length < Limits.keysLooked) {
      const count = Math.min(room + standing.held.size, Limits.keysLooked - keys.length)
      const rows = await query(statements.limited.keys, [
        String(lane.queueId),
        from,
        to,
        String(count),
      ])
      for (const row of rows) {
        keys.push({ key: row.key as string, waits: row.waits === true, bucket: bucketOf(row) })
      }
      if (Granting.offerOf(standing, keys, room, now).keys.length >= room) return true
      if (rows.length < count) return false
      from = keys.at(-1)!.key
    }
    return true
  }
  const isEnough = await read(standing.turn, null)
  if (!isEnough && keys.length < Limits.keysLooked) {
    const [keyless] = await query(statements.limited.hasKeyless, [String(lane.queueId)])
    if (keyless?.there === true) keys.push({ key: "", waits: false, bucket: undefined })
    if (standing.turn !== "") await read("", standing.turn)
  }
  return { keys, offer: Granting.offerOf(standing, keys, room, now) }
}
