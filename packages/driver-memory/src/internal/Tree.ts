/**
 * What belongs to runs of flows: which tasks are below a run, and how far its steps are.
 *
 * @since 0.1.0
 */
import { type Driver, Progress, type Task } from "@millrace/core"
import type { Row } from "./Row.ts"

interface Branches {
  readonly rows: Set<Row>
  readonly steps: Map<string, Progress.StepProgress>
}

export class Tree {
  private readonly branches = new Map<Task.TaskId, Branches>()

  /** Takes over what another tree has, row by row. */
  fill(tree: Tree, twinOf: (row: Row) => Row): void {
    for (const [parent, { rows, steps }] of tree.branches) {
      this.branches.set(parent, { rows: new Set([...rows].map(twinOf)), steps: new Map(steps) })
    }
  }

  /** Adds the task of a step. */
  add(parent: Task.TaskId, row: Row): void {
    let branches = this.branches.get(parent)
    if (branches === undefined) {
      this.branches.set(parent, branches = { rows: new Set(), steps: new Map() })
    }
    branches.rows.add(row)
    this.count(parent, row.task.step, (of) => Progress.stored(of, row.task))
  }

  /** Changes the counts of a step as a task of it reports. */
  report(report: Task.Report): void {
    this.count(report.parent, report.step, (of) => Progress.reported(of, report))
  }

  /** Whether all tasks of a step have ended. */
  isEnded(parent: Task.TaskId, step: string): boolean {
    return Progress.isEnded(this.branches.get(parent)!.steps.get(step)!)
  }

  /** Forgets a task of a run that is gone. */
  remove(parent: Task.TaskId, row: Row): void {
    const branches = this.branches.get(parent)
    branches?.rows.delete(row)
    if (branches?.rows.size === 0) this.branches.delete(parent)
  }

  /** The tasks of the steps of a run. */
  rowsOf(parent: Task.TaskId): Iterable<Row> {
    return this.branches.get(parent)?.rows ?? []
  }

  /** Some tasks, and all that are below them, each once, in the order of ids. */
  below(roots: ReadonlyArray<Row>): ReadonlyArray<Row> {
    const found = new Set(roots)
    for (const row of found) for (const child of this.rowsOf(row.task.id)) found.add(child)
    return [...found].sort((a, b) => a.task.id < b.task.id ? -1 : 1)
  }

  /** How far a run is. */
  progressOf({ task, wakes, history }: Row): Driver.RunProgress {
    const steps = [...this.branches.get(task.id)?.steps.values() ?? []]
    const turn = history.findLast(({ kind }) => kind === "unwinding" || kind === "retried")
    return {
      id: task.id,
      wakes,
      ending: turn?.kind === "unwinding" ? turn.failure : undefined,
      steps: steps.sort((a, b) => a.step < b.step ? -1 : 1),
    }
  }

  private count(
    parent: Task.TaskId,
    step: string,
    f: (of: Progress.StepProgress) => Progress.StepProgress,
  ): void {
    const { steps } = this.branches.get(parent)!
    steps.set(step, f(steps.get(step) ?? Progress.none(step)))
  }
}
