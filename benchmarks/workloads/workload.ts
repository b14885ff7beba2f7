/** The shape of a workload. */
import type { Bench } from "../harness/bench.ts"
import type { Requirement, Series } from "../model.ts"

export interface Workload {
  readonly name: string
  /** What is measured, in a sentence. */
  readonly title: string
  readonly run: (bench: Bench) => Promise<ReadonlyArray<Series>>
  readonly requirements: ReadonlyArray<Requirement>
}

/** The ratio of two figures, where both were measured. */
export const ratio = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined || b === 0 ? undefined : a / b
