/**
 * What a simulated storage has to know of runs of flows: how far their steps are, and that no edge
 * of a graph fires twice.
 *
 * @since 0.1.0
 */
import { type Driver, Progress, type Task } from "@millrace/core"

/**
 * Keeps the books of the steps of runs.
 *
 * @category models
 * @since 0.1.0
 */
export class Branches {
  readonly #steps = new Map<string, Progress.StepProgress>()
  readonly #places = new Map<string, Task.TaskId>()

  /** Notes a task that was stored; answers the task that was started in its place before. */
  stored(task: Driver.NewTask): Task.TaskId | undefined {
    const { id, parent, step, index } = task
    if (parent === undefined) return undefined
    this.#count(parent, step, (of) => Progress.stored(of, task))
    const place = `${parent} ${step} ${index}`
    const before = this.#places.get(place)
    this.#places.set(place, id)
    return before
  }

  /** Notes what a run is told. */
  reported(report: Task.Report): void {
    this.#count(report.parent, report.step, (of) => Progress.reported(of, report))
  }

  /** Whether all tasks of a step have ended. */
  isEnded(parent: Task.TaskId, step: string): boolean {
    return Progress.isEnded(this.#of(parent, step))
  }

  #of(parent: Task.TaskId, step: string): Progress.StepProgress {
    return this.#steps.get(`${parent} ${step}`) ?? Progress.none(step)
  }

  #count(
    parent: Task.TaskId,
    step: string,
    f: (of: Progress.StepProgress) => Progress.StepProgress,
  ): void {
    this.#steps.set(`${parent} ${step}`, f(this.#of(parent, step)))
  }
}
