/**
 * Makes a failing run smaller: with fewer workers, in less time, and without the faults that are
 * not needed for the same thing to be wrong.
 *
 * @since 0.1.0
 */
import type { Ending } from "./Seed.ts"

/**
 * What can be made smaller.
 *
 * @category models
 * @since 0.1.0
 */
export interface Size {
  readonly workers: number
  readonly durationMillis: number
  /** The numbers of the faults that are left out. */
  readonly skip: ReadonlySet<number>
}

/** Finds a smaller size at which the same kind of thing is wrong, and how it ends there.
 * @category running
 * @since 0.1.0 */
export const smallest = (
  size: Size,
  first: Ending,
  run: (size: Size) => Ending,
): { readonly size: Size; readonly ending: Ending } => {
  const kind = kindOf(first.broken!)
  let best = { size, ending: first }
  let tries = maxTries
  const accept = (smaller: Size): boolean => {
    if (tries-- <= 0) return false
    const ending = run(smaller)
    if (ending.broken === undefined || kindOf(ending.broken) !== kind) return false
    best = { size: smaller, ending }
    return true
  }
  for (let workers = 1; workers < size.workers; workers++) {
    if (accept({ ...best.size, workers })) break
  }
  withoutFaults(() => best, accept)
  const needed = Math.max(1000, Math.ceil(best.ending.simulatedMillis / 1000) * 1000)
  if (needed < size.durationMillis) accept({ ...best.size, durationMillis: needed })
  return best
}

/** Leaves out halves of the faults, then quarters, down to single ones. */
const withoutFaults = (
  best: () => { readonly size: Size; readonly ending: Ending },
  accept: (smaller: Size) => boolean,
): void => {
  for (let many = Math.ceil(best().ending.faults / 2); many >= 1; many = Math.floor(many / 2)) {
    for (let from = 0; from < best().ending.faults; from += many) {
      const { size } = best()
      const more = Array.from({ length: many }, (_, index) => from + index)
      const skip = new Set([...size.skip, ...more])
      if (skip.size > size.skip.size) accept({ ...size, skip })
    }
  }
}

/** What is wrong, whichever task and number it is about. */
const kindOf = (broken: string): string => broken.replace(/"[^"]*"|\d+(?:\.\d+)?/g, "#")

const maxTries = 200
