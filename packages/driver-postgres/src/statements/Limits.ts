/**
 * The limits of queues: saying them, and counting what waits.
 *
 * @since 0.1.0
 */

/**
 * Waits until no claim is on its way that does not know the limits that follow. Claims that begin
 * meanwhile wait for the transaction.
 *
 * @category statements
 * @since 0.1.0
 */
export const lockClaims = (schema: string): string =>
  `lock table ${schema}.claims in share row exclusive mode`

/** Reads and locks the limits of a queue. `$1` queue id.
 * @category statements
 * @since 0.1.0 */
export const readLimits = (schema: string): string => `
select declared, grouped from ${schema}.limits where queue_id = $1::text::int for update`

/** Makes the row of a queue that has none. `$1` queue id.
 * @category statements
 * @since 0.1.0 */
export const makeLimits = (schema: string): string => `
insert into ${schema}.limits (queue_id) select $1::text::int on conflict (queue_id) do nothing`

/** Says the limits of a queue. `$1` queue id, `$2` limits as JSON or NULL, `$3` maximum depth.
 * @category statements
 * @since 0.1.0 */
export const sayLimits = (schema: string): string => `
insert into ${schema}.limits as l (queue_id, declared, max_depth)
select $1::text::int, $2::text, $3::text::int
on conflict (queue_id) do update set declared = excluded.declared, max_depth = excluded.max_depth`

/** Notes which claims do not tell the tasks of a queue from others. `$1` queue id.
 * @category statements
 * @since 0.1.0 */
export const countBefore = (schema: string): string => `
update ${schema}.limits set claims_before = coalesce(
  (select max(id) from ${schema}.claims where queue_id is null), 0
)
where queue_id = $1::text::int`

/** Removes the limits of a queue. `$1` queue id.
 * @category statements
 * @since 0.1.0 */
export const dropLimits = (schema: string): string => `
with gone as (delete from ${schema}.buckets where queue_id = $1::text::int)
delete from ${schema}.limits where queue_id = $1::text::int`

/** Notes that queues have groups. `$1` queue ids.
 * @category statements
 * @since 0.1.0 */
export const group = (schema: string): string => `
insert into ${schema}.limits as l (queue_id, grouped)
select id, true from unnest($1::text::int[]) as n(id) order by id
on conflict (queue_id) do update set grouped = true where not l.grouped`

/** Which queues have a maximum depth. `$1` queue ids.
 * @category statements
 * @since 0.1.0 */
export const depths = (schema: string): string => `
select queue_id from ${schema}.limits
where max_depth is not null and queue_id = any($1::text::int[])`

/** Which queues have a maximum depth; locks them against each other. `$1` queue ids.
 * @category statements
 * @since 0.1.0 */
export const lockDepths = (schema: string): string => `
select q.id, l.max_depth from ${schema}.queues q
join ${schema}.limits l on l.queue_id = q.id and l.max_depth is not null
where q.id = any($1::text::int[]) order by q.id for no key update of q`

/** How many tasks wait in a queue, counted up to a number. `$1` queue id, `$2` number.
 * @category statements
 * @since 0.1.0 */
export const depth = (schema: string): string => `
select (
  select count(*) from (
    select 1 from ${schema}.ready where queue_id = $1::text::int limit $2::text::int
  ) r
)::int + (
  select count(*) from (
    select 1 from ${schema}.scheduled where queue_id = $1::text::int limit $2::text::int
  ) s
)::int as depth`
