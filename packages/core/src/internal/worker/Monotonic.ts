/**
 * The time between two moments of one process.
 */
import type { Clock } from "effect"

/** Milliseconds, with fractions, that no change of the wall clock moves. */
export const monotonicMillis = (clock: Clock.Clock): number =>
  Number(clock.monotonicTimeNanosUnsafe()) / 1e6
