/**
 * How far the steps of a run are, as counts: what a run's own task is woken by, stated once.
 *
 * @since 0.1.0
 */
import type { NewTask } from "./Exchange.ts"
import type { Report, TerminalState } from "./Task.ts"

/**
 * How many tasks a step has, and how they ended.
 *
 * @category models
 * @since 0.1.0
 */
export interface StepProgress {
  readonly step: string
  readonly tasks: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
  readonly skipped: number
}

/** A step without tasks.
 * @category constructors
 * @since 0.1.0 */
export const none = (step: string): StepProgress => ({
  step,
  tasks: 0,
  completed: 0,
  failed: 0,
  cancelled: 0,
  skipped: 0,
})

/** How many tasks of a step have not ended.
 * @category rules
 * @since 0.1.0 */
export const open = (of: StepProgress): number =>
  of.tasks - of.completed - of.failed - of.cancelled - of.skipped

/** Whether all tasks of a step have ended, so that its run is to be woken.
 * @category rules
 * @since 0.1.0 */
export const isEnded = (of: StepProgress): boolean => open(of) <= 0

/** A step with one more task, which may have ended already.
 * @category rules
 * @since 0.1.0 */
export const stored = (of: StepProgress, task: NewTask): StepProgress => ({
  ...of,
  tasks: of.tasks + 1,
  ...(task.ended === undefined ? {} : added(of, task.ended.state, 1)),
})

/** A step after a report of one of its tasks.
 * @category rules
 * @since 0.1.0 */
export const reported = (of: StepProgress, report: Report): StepProgress => {
  const left = report.leaves === undefined ? of : { ...of, ...added(of, report.leaves, -1) }
  return report.enters === undefined ? left : { ...left, ...added(left, report.enters, 1) }
}

const added = (of: StepProgress, state: TerminalState, count: number) => ({
  [state]: of[state] + count,
})
