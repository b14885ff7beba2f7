/**
 * Instants that callers give.
 */
import { DateTime } from "effect"

/** An instant: milliseconds since 1970, or an object that tells it. */
export type Instant = Date | DateTime.DateTime | number

/** Reads an instant in milliseconds since 1970; NaN where it is none. */
export const instantOf = (at: unknown): number =>
  typeof at === "number"
    ? at
    : at instanceof Date
    ? at.getTime()
    : DateTime.isDateTime(at)
    ? DateTime.toEpochMillis(at)
    : NaN

/** Whether every storage can hold it. */
export const isStorable = (at: number): boolean => at >= yearZero && at <= endOfYear9999

const yearZero = -62_167_219_200_000
const endOfYear9999 = 253_402_300_799_999
