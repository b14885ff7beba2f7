/**
 * Reading tasks by what people ask for, page by page, in either order of ids.
 *
 * @since 0.1.0
 */
import { candidates, conditions, first, type Origin, selected } from "./Find.ts"
import { instantOf } from "./Parameters.ts"
import { standingJoins } from "./Standing.ts"

/**
 * Which index a list begins with: those of a search, that of keys or of labels, or, for states that
 * few tasks are in, the tables of those that have not ended and the index of those that failed.
 *
 * @category models
 * @since 0.1.0
 */
export type ListOrigin = Origin | "key" | "labels" | "states"

/**
 * Lists tasks. `$1` to `$9` are as in `find`; `$10` the id that they come before, `$11` whether
 * only own tasks of runs, `$12` group, `$13` and `$14` the instants from and before which they were
 * stored, `$15` and `$16` the flow and the text of a key, `$17` and `$18` the names and the values
 * of labels, the rarest first.
 *
 * @category statements
 * @since 0.1.0
 */
export const list = (schema: string, origin: ListOrigin, descending: boolean): string => {
  const order = descending ? " desc" : ""
  const { place, text } = from(schema, origin, order)
  return `
select * from (
  ${selected(schema)}, t.${place} as place
  from (${text}) t ${standingJoins(schema, "t.id")}
) found
where ${conditions}
  and ($10::text is null or id < $10::text::uuid)
  and ($11::text is null or (parent is null and run_id = id))
  and ($12::text is null or (group_key = $12::text and group_key <> ''))
  and ($13::text is null or created_at >= ${instantOf("$13::text")})
  and ($14::text is null or created_at < ${instantOf("$14::text")})
  and ($15::text is null or id in (${ofKey(schema)}))
  and ($17::text is null or (${labelsFound(schema)}) = cardinality($17::text::text[]))
order by place${order} limit $4::text::int`
}

const last = "coalesce($10::text, 'ffffffff-ffff-ffff-ffff-ffffffffffff')::uuid"

const ofKey = (schema: string) =>
  `select task_id from ${schema}.keys where flow = $15::text and key = $16::text`

/** Tasks, and which of their columns says the order that they are in. */
interface From {
  readonly place: "id" | "task_id"
  readonly text: string
}

// One look for each label, which no plan turns into a look at all labels.
const labelsFound = (schema: string) => `
    select count(*) from unnest($17::text::text[], $18::text::text[]) as u(name, value)
    cross join lateral (
      select 1 from ${schema}.labels b
      where b.name = u.name and b.value = u.value and b.task_id = found.id limit 1
    ) b`

const ofLabel = (schema: string, order: string) => `
      select task_id from ${schema}.labels
      where name = ($17::text::text[])[1] and value = ($18::text::text[])[1]
        and task_id >= ${first} and task_id <= ${last}
      order by task_id${order}`

const from = (schema: string, origin: ListOrigin, order: string): From => {
  switch (origin) {
    case "all":
      return {
        place: "id",
        text: `
    select * from ${schema}.tasks where id >= ${first} and id <= ${last} order by id${order}`,
      }
    case "key":
      return tasksOf(schema, ofKey(schema))
    case "labels":
      return tasksOf(schema, ofLabel(schema, order))
    case "states":
      return tasksOf(schema, inStates(schema, order))
    default:
      return { place: "id", text: candidates[origin](schema) }
  }
}

// A join could be turned round, and begin with all tasks.
const tasksOf = (schema: string, ids: string): From => ({
  place: "task_id",
  text: `
    select c.task_id, t.* from (${ids}) c cross join lateral (
      select * from ${schema}.tasks where id = c.task_id limit 1
    ) t`,
})

// Each part in the order of ids, so that they are merged and a page reads no more of them.
const inStates = (schema: string, order: string) => {
  const between = (id: string) => `${id} >= ${first} and ${id} <= ${last}`
  const parts = [
    `select task_id from ${schema}.ready where ${asked("ready")} and ${between("task_id")}`,
    `select task_id from ${schema}.scheduled where ${asked("ready")} and ${between("task_id")}`,
    `select task_id from ${schema}.runs
        where ${asked("waiting")} and seen is not null and ${between("task_id")}`,
    `select u.task_id from ${schema}.claims c,
          unnest(c.task_ids, c.leases) as u(task_id, lease)
        where ${asked("running")} and c.id >= 0 and ${between("u.task_id")} and (
          select true from ${schema}.attempts a
          where a.task_id = u.task_id and a.lease >= u.lease limit 1
        ) is null`,
    `select a.task_id from ${schema}.attempts a
        where ($3::text::text[] && array['failed', 'cancelled'])
          and a.state in ('failed', 'cancelled') and ${between("a.task_id")} and (
            select true from ${schema}.attempts b
            where b.task_id = a.task_id and b.lease > a.lease limit 1
          ) is null`,
  ]
  return `
      ${parts.map((part) => `(${part} order by task_id${order})`).join("\n      union all\n      ")}
      order by task_id${order}`
}

const asked = (state: string) => `'${state}' = any($3::text::text[])`
