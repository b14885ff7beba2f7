/**
 * Finding tasks: which index a search begins with.
 *
 * @since 0.1.0
 */
import { type Driver, Labels, RunId } from "@millrace/core"
import { arrayLiteral } from "./ArrayLiteral.ts"
import type { Query } from "./Connection.ts"
import { toRecord } from "./Records.ts"
import type { Statements } from "./Statements.ts"
import type { Store } from "./Store.ts"

/** Finds tasks, with the statement that suits what is asked.
 * @category running
 * @since 0.1.0 */
export const find = async (
  { statements, queues }: Store,
  run: Query,
  query: Driver.FindQuery,
): Promise<ReadonlyArray<Driver.TaskRecord>> => {
  const queue = query.queue === undefined ? undefined : await queues.find(run, query.queue)
  if (query.queue !== undefined && queue === undefined) return []
  const { ids, runs, parents } = query
  const origin = ids ? "ids" : parents ? "parents" : runs ? "runs" : "all"
  const plain = [
    query.flow ?? null,
    queue === undefined ? null : String(queue),
    listOf(query.states),
    String(query.limit),
    listOf(query.steps),
    query.after ?? null,
    ...[ids, runs, parents].map((list) => listOf(list && idsIn(list))),
  ]
  const more = moreOf(query)
  const lists = query.descending === true ? statements.newest : statements.oldest
  const labels = Labels.labelsOf(query)
  const counted = labels.length === 0 ? [] : await countedOf(statements, run, labels)
  const rows = more === undefined && labels.length === 0
    ? await run(statements.find[origin], plain)
    : await run(lists[origin === "all" ? startOf(query, counted) : origin], [
      ...plain,
      ...more ?? none,
      ...labelParams(counted),
    ])
  const nameOf = await queues.names(run, rows.map((row) => row.queue_id as number))
  return rows.map((row) => toRecord(row, nameOf))
}

// What only people ask for has statements of its own.
const moreOf = (query: Driver.FindQuery): ReadonlyArray<string | null> | undefined => {
  const { before, createdBefore, createdFrom, group, key, own } = query
  const more = [
    before ?? null,
    own === true ? "true" : null,
    group ?? null,
    // Nothing was stored before 1970, and the database may not know the year.
    createdFrom === undefined ? null : String(Math.max(0, createdFrom)),
    createdBefore === undefined ? null : String(Math.max(0, createdBefore)),
    key?.flow ?? null,
    key?.key ?? null,
  ]
  return query.descending === true || more.some((value) => value !== null) ? more : undefined
}

const none = Array.from({ length: 7 }, () => null)

const labelParams = (counted: ReadonlyArray<Counted>) =>
  counted.length === 0
    ? [null, null]
    : [listOf(counted.map(({ name }) => name)), listOf(counted.map(({ value }) => value))]

/** A label, and how many tasks have it, counted up to `countedTo`. */
interface Counted extends Labels.Label {
  readonly tasks: number
}

const countedTo = 1000

/** The labels that are asked for, the rarest first. */
const countedOf = async (
  statements: Statements,
  run: Query,
  labels: ReadonlyArray<Labels.Label>,
): Promise<ReadonlyArray<Counted>> => {
  const rows = await run(statements.countLabels, [
    listOf(labels.map(({ name }) => name))!,
    listOf(labels.map(({ value }) => value))!,
    String(countedTo),
  ])
  return labels
    .map((label, nth) => ({ ...label, tasks: rows[nth]!.tasks as number }))
    .sort((a, b) => a.tasks - b.tasks)
}

const startOf = ({ key, states }: Driver.FindQuery, [rarest]: ReadonlyArray<Counted>) => {
  if (key !== undefined) return "key"
  const many = states === undefined ||
    states.some((one) => one === "completed" || one === "skipped")
  if (rarest !== undefined && (many || rarest.tasks < countedTo)) return "labels"
  return many ? "all" : "states"
}

/** What can be an id, each once.
 * @category conversions
 * @since 0.1.0 */
export const idsIn = (all: ReadonlyArray<string>): ReadonlyArray<string> =>
  [...new Set(all)].filter((id) => RunId.isRunId(id))

const listOf = (all: ReadonlyArray<string> | undefined) =>
  all === undefined ? null : arrayLiteral(all)
