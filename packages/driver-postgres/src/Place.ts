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
export const placeOf = (row: Row, parent = row.parent as string | null): Place => {
  if (parent === null && row.undoes === null) return nowhere
  return {
    branch: parent === null ? undefined : {
      parent,
      step: row.step as string,
      onExhausted: (row.on_exhausted as Task.OnExhausted | null) ?? "fail",
    },
    undoes: (row.undoes as boolean | null) ?? undefined,
  }
}

const nowhere: Place = { branch: undefined, undoes: undefined }
