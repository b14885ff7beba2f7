/**
 * Schedules: reading them, and writing one where it stands as it was read.
 *
 * @since 0.1.0
 */
import type { Driver, ScheduleStore } from "@millrace/core"
import { arrayLiteral } from "../ArrayLiteral.ts"
import { storing, taskColumns, taskValues } from "./Insert.ts"
import { instantOf, millisOf, nowOf, rows } from "./Parameters.ts"

const fields = `s.name, s.flow, s.revision::float8 as revision, ${millisOf("s.next_at")} as next_at,
  s.body::text as body`

/**
 * Answers one row at least, which without a name has nothing but the instant. `$1` instant or NULL,
 * `$2` names or NULL, `$3` flow or NULL, `$4` the name before the first or NULL, `$5` limit.
 *
 * @category statements
 * @since 0.1.0
 */
export const findSchedules = (schema: string): string => `
with t as materialized (select ${nowOf("$1::text")} as now)
select ${millisOf("t.now")} as now, f.* from t left join lateral (
  select ${fields} from ${schema}.schedules s
  where ($2::text is null or s.name = any($2::text::text[]))
    and ($3::text is null or s.flow = $3::text)
    and ($4::text is null or s.name > $4::text)
  order by s.name limit $5::text::int
) f on true
order by f.name`

/** Writes the parameters.
 * @category statements
 * @since 0.1.0 */
export const findParams = (
  now: string | null,
  { after, flow, limit, names }: ScheduleStore.Query,
): ReadonlyArray<string | null> => [
  now,
  names === undefined ? null : arrayLiteral(names),
  flow ?? null,
  after ?? null,
  String(limit),
]

/**
 * Answers one row at least, which without a name has nothing but the instant and the time until the
 * next schedule is due. `$1` instant or NULL, `$2` limit.
 *
 * @category statements
 * @since 0.1.0
 */
export const dueSchedules = (schema: string): string => `
with t as materialized (select ${nowOf("$1::text")} as now)
select ${millisOf("t.now")} as now,
  (select ${millisOf("s.next_at")} - ${millisOf("t.now")} from ${schema}.schedules s
    where s.next_at > t.now order by s.next_at, s.name limit 1) as next_due,
  d.*
from t left join lateral (
  select ${fields} from ${schema}.schedules s
  where s.next_at <= t.now order by s.next_at, s.name limit $2::text::int
) d on true
order by d.next_at, d.name`

const nextAt = (parameter: string) =>
  `case when ${parameter}::text is not null then ${instantOf(`${parameter}::text`)} end`

/** Makes one that is not there. `$1` name, `$2` flow, `$3` revision, `$4` its instant, `$5` body.
 * @category statements
 * @since 0.1.0 */
export const makeSchedule = (schema: string): string => `
insert into ${schema}.schedules (name, flow, revision, next_at, body)
values ($1::text, $2::text, $3::text::bigint, ${nextAt("$4")}, $5::text::json)
on conflict (name) do nothing
returning name`

/** Writes the parameters.
 * @category statements
 * @since 0.1.0 */
export const rowParams = (row: ScheduleStore.Row): ReadonlyArray<string | null> => [
  row.name,
  row.flow,
  String(row.revision),
  row.nextAt === undefined ? null : String(row.nextAt),
  row.body,
]

const change = (schema: string, first: number): string => {
  const [name, flow, revision, next, body, expects] = Array.from(
    { length: 6 },
    (_, index) => `$${first + index}`,
  )
  return `
update ${schema}.schedules set flow = ${flow}::text, revision = ${revision}::text::bigint,
  next_at = ${nextAt(next!)}, body = ${body}::text::json
where name = ${name}::text and revision = ${expects}::text::bigint
returning name`
}

/** Changes one. As above, and `$6` the revision that it must have.
 * @category statements
 * @since 0.1.0 */
export const changeSchedule = (schema: string): string => change(schema, 1)

/** Removes one. `$1` name, `$2` the revision that it must have.
 * @category statements
 * @since 0.1.0 */
export const removeSchedule = (schema: string): string => `
delete from ${schema}.schedules where name = $1::text and revision = $2::text::bigint
returning name`

const given = rows(9, taskColumns)

/**
 * Changes one and stores its tasks, or does neither; answers a row where it did. `$1` instant or
 * NULL, `$2` whether to wake unasked, `$3` to `$8` as `$1` to `$6` above.
 *
 * @category statements
 * @since 0.1.0
 */
export const fireSchedule = (schema: string, channel: string): string => `
with won as (${change(schema, 3)}),
${storing(schema, channel, given, "exists (select 1 from won)")}
select name, (select count(*) from woken)::int as woken from won`

/** Writes the parameters.
 * @category statements
 * @since 0.1.0 */
export const fireParams = (
  now: string | null,
  row: ScheduleStore.Row,
  expects: number,
  tasks: ReadonlyArray<Driver.NewTask>,
  queueId: (queue: string) => number,
): ReadonlyArray<string | null> => [
  now,
  "false",
  ...rowParams(row),
  String(expects),
  ...given.encode(tasks, taskValues(queueId)),
]

/** All of them.
 * @category statements
 * @since 0.1.0 */
export const statements = (schema: string, channel: string) => ({
  findSchedules: findSchedules(schema),
  dueSchedules: dueSchedules(schema),
  makeSchedule: makeSchedule(schema),
  changeSchedule: changeSchedule(schema),
  removeSchedule: removeSchedule(schema),
  fireSchedule: fireSchedule(schema, channel),
})
