/**
 * The offsets of a time zone, and where they change.
 */
import { DateTime, Option } from "effect"

/** How far around an instant a change of the offset is looked for; no two are that near. */
export const nearMillis = 40 * 60 * 60 * 1000

/** What a zone's offset is around an instant, and when it changes there. */
export interface Around {
  readonly before: number
  readonly after: number
  /** The first instant of the offset `after`; where the two are the same, of no meaning. */
  readonly changesAt: number
}

/** The offset of a zone from UTC at an instant, in milliseconds. */
export type OffsetAt = (instant: number) => number

/** The offsets of a zone by its name, or of a fixed one such as `+05:30`; `undefined` for none. */
export const offsetsOf = (zone: string): OffsetAt | undefined => {
  const found = Option.getOrUndefined(DateTime.zoneFromString(zone))
  if (found === undefined) return undefined
  if (found._tag === "Offset") return () => found.offset
  if (found.id === "UTC") return () => 0
  return (instant) => DateTime.zonedOffset(DateTime.makeZonedUnsafe(instant, { timeZone: found }))
}

/** Looks around an instant of a zone. */
export const around = (zone: string, offsetAt: OffsetAt, instant: number): Around => {
  const [low, high] = [instant - nearMillis, instant + nearMillis]
  const [before, after] = [offsetAt(low), offsetAt(high)]
  if (before === after) return { before, after, changesAt: instant }
  const known = changes.get(zone)?.find((at) => at > low && at <= high)
  return { before, after, changesAt: known ?? remember(zone, changeBetween(offsetAt, low, high)) }
}

const changeBetween = (offsetAt: OffsetAt, from: number, to: number): number => {
  const before = offsetAt(from)
  let [low, high] = [from, to]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(middle) === before) low = middle
    else high = middle
  }
  return high
}

/** By zone, the changes that were found last: facts, which it costs most to find again. */
const changes = new Map<string, ReadonlyArray<number>>()

const remember = (zone: string, at: number): number => {
  changes.set(zone, [at, ...(changes.get(zone) ?? []).slice(0, rememberedChanges - 1)])
  return at
}

const rememberedChanges = 4
