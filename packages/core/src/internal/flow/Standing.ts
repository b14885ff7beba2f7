/**
 * Where the steps of a run stand, read from the counts of their tasks. Pure.
 */
import type * as Flow from "../../Flow.ts"
import * as Progress from "../../Progress.ts"

/**
 * Where a step stands: `spoilt` is a step that failed and may be skipped, while some of its tasks
 * are still open.
 */
export type Standing = "none" | "open" | "spoilt" | "completed" | "skipped" | "failed"

/** Where a step stands whose tasks have these counts. */
export const standingOf = (
  step: Flow.Step,
  counts: Progress.StepProgress | undefined,
): Standing => {
  if (counts === undefined || counts.tasks === 0) return "none"
  const open = Progress.open(counts)
  const mayFail = step.kind === "map" && (step.onFailure ?? "fail") !== "fail"
  if (counts.failed > 0 && !mayFail) {
    if (step.whenExhausted === "fail") return "failed"
    return open > 0 ? "spoilt" : "skipped"
  }
  if (open > 0) return "open"
  if (counts.cancelled > 0) return "failed"
  return counts.skipped > 0 ? "skipped" : "completed"
}

/** Whether a step has ended well, so that what needs it can go on. */
export const isOver = (standing: Standing | undefined): boolean =>
  standing === "completed" || standing === "skipped"

/** The name under which a signal is kept for its step. */
export const signalOf = (step: string): string => `${step}:signal`

/** The name of the step that undoes a step. */
export const undoOf = (step: string): string => `${step}:undo`

/** The queue of the own tasks of runs, so that long handlers never keep them from going on. */
export const runsOf = (queue: string): string => `${queue}:runs`

/** The index of the one task that stands for a whole map step. */
export const wholeMap = -1
