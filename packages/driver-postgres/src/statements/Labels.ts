/**
 * Tags and metadata: storing them with their tasks, and removing them.
 *
 * @since 0.1.0
 */
import { type Driver, Labels } from "@millrace/core"
import { arrayLiteral } from "../ArrayLiteral.ts"

/** Whether a batch carries labels.
 * @category guards
 * @since 0.1.0 */
export const hasLabels = (tasks: ReadonlyArray<Driver.NewTask>): boolean =>
  tasks.some(({ meta, tags }) => meta !== undefined || tags !== undefined)

/**
 * The query `labelled`: stores the labels of those tasks that are among `stored`. It takes three
 * parameters, from `$first` on.
 *
 * @category statements
 * @since 0.1.0
 */
export const storeLabels = (schema: string, first: number): string => `
labelled as (
  insert into ${schema}.labels (task_id, name, value)
  select l.task_id, l.name, l.value from unnest($${first}::text::uuid[],
    $${first + 1}::text::text[], $${first + 2}::text::text[]) as l(task_id, name, value)
  where (l.task_id in (select id from stored)) is true
)`

/** Writes the parameters of `storeLabels`.
 * @category statements
 * @since 0.1.0 */
export const labelParams = (tasks: ReadonlyArray<Driver.NewTask>): ReadonlyArray<string> => {
  const rows = tasks.flatMap((task) =>
    Labels.labelsOf(task).map((label) => [task.id, label] as const)
  )
  return [
    arrayLiteral(rows.map(([id]) => id)),
    arrayLiteral(rows.map(([, { name }]) => name)),
    arrayLiteral(rows.map(([, { value }]) => value)),
  ]
}

/** Removes the labels of tasks. `$1` ids.
 * @category statements
 * @since 0.1.0 */
export const dropLabels = (schema: string): string => `
delete from ${schema}.labels where task_id = any($1::text::uuid[])`

/**
 * Counts the tasks of labels, each up to a number. `$1` names, `$2` values, `$3` number.
 *
 * @category statements
 * @since 0.1.0
 */
export const countLabels = (schema: string): string => `
select (
  select count(*) from (
    select 1 from ${schema}.labels l where l.name = u.name and l.value = u.value
    limit $3::text::int
  ) c
)::int as tasks
from unnest($1::text::text[], $2::text::text[]) with ordinality as u(name, value, nth)
order by nth`
