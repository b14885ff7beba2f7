/**
 * A task's place in the run of a flow, read from its row.
 *
 * @since 0.1.0
 */
import type { Task } from "@millrace/core"
import type { Row } from "./Connection.ts"

/** What only tasks of flows have.
 * @category models
 * @since 0.1.0 */
export type Place = Pick<Task.Task, "branch" | "undoes">

/** Reads it; a job's task has none.
 * @category conversions
 * @since 0.1.0 */
export const placeOf = (row: Row): Place => {
  if (row.parent === null && row.undoes === null) return nowhere
  return {
    branch: row.parent === null ? undefined : {
      parent: row.parent as string,
      step: row.step as string,
      onExhausted: (row.on_exhausted as Task.OnExhausted | null) ?? "fail",
    },
    undoes: (row.undoes as boolean | null) ?? undefined,
  }
}

const nowhere: Place = { branch: undefined, undoes: undefined }
