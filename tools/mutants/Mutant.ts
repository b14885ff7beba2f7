/** A mutant: one way to break Millrace, as data. */
export interface Mutant {
  /** What is broken, in words. */
  readonly name: string
  /** The file, from the root of the repository. */
  readonly file: string
  /** Stands in the file exactly once. */
  readonly find: string
  readonly replace: string
  /** Where it is looked for, in this order, until one check fails. */
  readonly checks: ReadonlyArray<Check>
}

/**
 * The checks: the conformance cases on memory and on PGlite (`expiry`: those of expiry alone), the
 * cases of schedules on every driver, the races between real connections, in general and of runs,
 * the random flows, and the simulation without faults, with all of them, with wakeups that get lost,
 * and of schedules with limits.
 */
export type Check =
  | ("memory" | "pglite" | "expiry" | "schedules" | "races" | "flows" | "graphs")
  | ("calm" | "storm" | "deaf" | "slots")

/** Writes the mutants of one file. */
export const mutantsOf = (
  file: string,
  checks: ReadonlyArray<Check>,
  changes: ReadonlyArray<readonly [name: string, find: string, replace: string]>,
): ReadonlyArray<Mutant> =>
  changes.map(([name, find, replace]) => ({ name, file, find, replace, checks }))
