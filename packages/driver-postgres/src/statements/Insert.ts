/**
 * Storing tasks: the wide row, its position, and a wakeup where somebody waits, in one statement.
 *
 * @since 0.1.0
 */
import type { Driver } from "@millrace/core"
import type { Element } from "../ArrayLiteral.ts"
import { noting } from "./Overdue.ts"
import { instantOf, nowOf, type Rows, rows } from "./Parameters.ts"
import { wakeReady } from "./Wake.ts"

/** The columns of a task.
 * @category models
 * @since 0.1.0 */
export const taskColumns = {
  id: "uuid",
  run_id: "uuid",
  queue_id: "int",
  index: "int",
  max_attempts: "int",
  priority: "smallint",
  max_crashes: "smallint",
  awaited: "boolean",
  flow_type: "text",
  flow: "text",
  step: "text",
  input: "json",
  trace: "text",
  delay: "float8",
  due: "float8",
} as const

const given = rows(4, taskColumns)

const grouped = rows(4, { ...taskColumns, group_key: "text" })

const expiring = rows(4, { ...taskColumns, group_key: "text", expires: "float8" })

/**
 * What a batch of tasks carries, and what was looked at for it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Carries {
  /** The keys of groups. */
  readonly groups: boolean
  /** Times of expiry, and perhaps the keys of groups. */
  readonly expires?: boolean
  /** The queues were asked whether they are full: else nothing is stored in one that can be. */
  readonly counted: boolean
}

/**
 * How tasks are stored: whether workers are woken unasked, and the only transaction to do it in:
 * `open` for any that has written something.
 *
 * @category models
 * @since 0.1.0
 */
export interface How {
  readonly always: boolean
  readonly transaction?: string | undefined
  /** Whether the queues were asked whether they are full. */
  readonly counted?: boolean
}

/**
 * Whether `$3` allows to store. A transaction has an id once it writes, so outside of one there is
 * none before the statement itself has written.
 *
 * @category statements
 * @since 0.1.0
 */
export const inTransaction: string = `case $3::text
  when 'open' then pg_current_xact_id_if_assigned() is not null
  else $3::text is null or $3::text = pg_current_xact_id()::text
end`

/** The id of the transaction, where it is somebody's own.
 * @category statements
 * @since 0.1.0 */
export const transactionOf: string =
  "case when $3::text is not null then pg_current_xact_id()::text end as transaction"

/**
 * Answers how many were stored, and which, in one row. `$1` the instant or NULL, `$2` whether to
 * wake unasked, `$3` the only transaction to store anything in, or NULL for any.
 *
 * @category statements
 * @since 0.1.0
 */
export const insert = (
  schema: string,
  channel: string,
  { counted, expires = false, groups }: Carries,
): string => {
  const rows = expires ? expiring : groups ? grouped : given
  const condition = `${inTransaction}${counted ? "" : andShallow(schema, given.all.queue_id)}`
  return `
with ${storing(schema, channel, rows, condition, { groups: groups || expires, expires })}
select count(*)::int as stored, string_agg(id::text, ',') as which, ${transactionOf},
  (select count(*) from woken)::int as woken
from stored`
}

/**
 * The queries that store tasks and wake who waits for them, where a condition holds. `$1` is the
 * instant or NULL, `$2` whether to wake unasked.
 *
 * @category statements
 * @since 0.1.0
 */
export const storing = (
  schema: string,
  channel: string,
  given: Pick<Rows<typeof taskColumns>, "from" | "read">,
  condition: string,
  { expires = false, groups }: Omit<Carries, "counted"> = { groups: false },
): string => {
  const own = (text: string) => groups ? text : ""
  const ends = (text: string) => expires ? text : ""
  return `
t as materialized (
  select ${nowOf("$1::text")} as now
  where ${condition}
),
stored as (
  insert into ${schema}.tasks (id, run_id, created_at, run_at, queue_id, index, max_attempts,
    priority, max_crashes, awaited, flow_type, flow, step, input, trace${own(", group_key")}${
    ends(", expires_at")
  })
  select n.id, coalesce(${given.read.run_id}, n.id), t.now,
    case when d.at > t.now then d.at end,
    ${given.read.queue_id}, ${given.read.index}, ${given.read.max_attempts},
    ${given.read.priority}, ${given.read.max_crashes}, ${given.read.awaited},
    ${given.read.flow_type}, ${given.read.flow}, ${given.read.step}, ${given.read.input},
    ${given.read.trace}${own(`, ${grouped.read.group_key}`)}${
    ends(`,
    greatest(d.at, t.now) + ${expiring.read.expires} * interval '1 millisecond'`)
  }
  from t, ${given.from},
    lateral (select coalesce(${instantOf(given.read.due)},
      t.now + ${given.read.delay} * interval '1 millisecond') as at) d
  on conflict (id) do nothing
  returning id, queue_id, priority, run_at${own(", group_key")}${ends(", expires_at")}
),${ends(`${noting(schema)},`)}
placed as (
  insert into ${schema}.ready (queue_id, priority, task_id, lease, failures, crashes${
    own(", group_key")
  })
  select queue_id, priority, id, 0, 0, 0${own(", group_key")} from stored where run_at is null
),
planned as (
  insert into ${schema}.scheduled (queue_id, run_at, task_id, priority, lease, failures, crashes${
    own(", group_key")
  })
  select queue_id, run_at, id, priority, 0, 0, 0${own(", group_key")}
  from stored where run_at is not null
),
${wakeReady(schema, channel, "stored where run_at is null", "$2::text::boolean")}`
}

/** Whether a batch carries keys of groups.
 * @category guards
 * @since 0.1.0 */
export const hasGroups = (tasks: ReadonlyArray<Driver.NewTask>): boolean =>
  tasks.some(({ group }) => group !== undefined)

/** Whether a batch carries times of expiry.
 * @category guards
 * @since 0.1.0 */
export const hasExpiry = (tasks: ReadonlyArray<Driver.NewTask>): boolean =>
  tasks.some(({ expiresMillis }) => expiresMillis !== undefined)

/** Writes the parameters.
 * @category statements
 * @since 0.1.0 */
export const insertParams = (
  now: string | null,
  how: How,
  tasks: ReadonlyArray<Driver.NewTask>,
  queueId: (queue: string) => number,
): ReadonlyArray<string | null> => [
  now,
  String(how.always),
  how.transaction ?? null,
  ...(hasExpiry(tasks)
    ? expiring.encode(tasks, { ...taskValues(queueId), group_key: groupOf, expires: expiryOf })
    : hasGroups(tasks)
    ? grouped.encode(tasks, { ...taskValues(queueId), group_key: groupOf })
    : given.encode(tasks, taskValues(queueId))),
]

/** How the columns of a task are read from it.
 * @category models
 * @since 0.1.0 */
export const taskValues = (
  queueId: (queue: string) => number,
): Readonly<Record<keyof typeof taskColumns, (task: Driver.NewTask) => Element>> => ({
  id: (task) => task.id,
  run_id: (task) => task.runId === task.id ? null : task.runId,
  queue_id: (task) => queueId(task.queue),
  index: (task) => task.index,
  max_attempts: (task) => task.maxAttempts,
  priority: (task) => task.priority,
  max_crashes: (task) => task.maxCrashes,
  awaited: (task) => task.awaited,
  flow_type: (task) => task.flowType,
  flow: (task) => task.flow,
  step: (task) => task.step,
  input: (task) => task.input,
  trace: (task) => task.trace,
  delay: (task) => task.delayMillis,
  // Whatever is before 1970 is due, though the database may not know the year.
  due: (task) => task.dueAt === undefined ? undefined : Math.max(0, task.dueAt),
})

/** How the key of a group is read from a task.
 * @category models
 * @since 0.1.0 */
export const groupOf = (task: Driver.NewTask): string => task.group ?? ""

/** How the time of expiry is read from a task.
 * @category models
 * @since 0.1.0 */
export const expiryOf = (task: Driver.NewTask): number | undefined => task.expiresMillis

/** Stores nothing where one of some queues has a maximum depth, which is to be looked at first.
 * @category statements
 * @since 0.1.0 */
export const andShallow = (schema: string, queueIds: string): string => `
    and not exists (
      select 1 from ${schema}.limits d where d.max_depth is not null
        and d.queue_id = any(${queueIds})
    )`
