/**
 * Sessions of workers: beginning, extending and ending them.
 *
 * @since 0.1.0
 */
import { nowOf } from "./Parameters.ts"

// What a worker holds is in its claims and not in the history; the rest of what it names is lost.
const answer = (schema: string) => `
select exists (select 1 from session) as live, array_to_string(array(
  select h.id || ' ' || h.lease from unnest($3::text::uuid[], $4::text::int[]) as h(id, lease)
  where not exists (select 1 from session)
    or exists (select 1 from ${schema}.attempts a where a.task_id = h.id and a.lease = h.lease)
    or (h.id, h.lease) not in (
      select u.id, u.lease from ${schema}.claims c
      cross join lateral unnest(c.task_ids, c.leases) as u(id, lease)
      where c.worker = $2::text and not c.given_up
    )
), ',') as lost`

/** Begins or extends a session. `$1` instant, `$2` worker, `$3` and `$4` what it holds, `$5` lease.
 * @category statements
 * @since 0.1.0 */
export const beat = (schema: string): string => beating(schema, "")

/**
 * As `beat`, and stores how far attempts are that the session holds. `$6` ids, `$7` leases, `$8`
 * fractions, `$9` notes.
 *
 * @category statements
 * @since 0.1.0
 */
export const beatReporting = (schema: string): string =>
  beating(
    schema,
    `,
reported as (
  insert into ${schema}.progress as p (task_id, lease, fraction, note, at)
  select r.id, r.lease, r.fraction, r.note, t.now
  from t, unnest($6::text::uuid[], $7::text::int[], $8::text::float8[], $9::text::text[])
    as r(id, lease, fraction, note)
  where exists (select 1 from session)
    and (
      select 1 from ${schema}.attempts a where a.task_id = r.id and a.lease = r.lease limit 1
    ) is null
    and (r.id, r.lease) in (
      select u.id, u.lease from ${schema}.claims c
      cross join lateral unnest(c.task_ids, c.leases) as u(id, lease)
      where c.worker = $2::text and not c.given_up
    )
  on conflict (task_id) do update set lease = excluded.lease, fraction = excluded.fraction,
    note = excluded.note, at = excluded.at
)`,
  )

const beating = (schema: string, more: string): string => `
with t as materialized (select ${nowOf("$1::text")} as now),
session as (
  insert into ${schema}.workers as w (id, expires_at, waiting, queue_ids)
  select $2::text, t.now + $5::text::float8 * interval '1 millisecond', false, '{}' from t
  on conflict (id) do update set expires_at = excluded.expires_at
  where w.expires_at > (select now from t)
  returning 1
)${more}
${answer(schema)}`

/** Ends a session, and gives up what it holds for good. `$1` to `$4` as in `beat`.
 * @category statements
 * @since 0.1.0 */
export const end = (schema: string): string => `
with t as materialized (select ${nowOf("$1::text")} as now),
expired as materialized (
  select 1 from ${schema}.workers w, t where w.id = $2::text and w.expires_at <= t.now
),
gone as (
  delete from ${schema}.workers w using t where w.id = $2::text and w.expires_at > t.now
),
held as materialized (
  select id from ${schema}.claims
  where worker = $2::text and not exists (select 1 from expired) order by id for no key update
),
given_up as (
  update ${schema}.claims set given_up = true where id = any(array(select id from held))
),
session as materialized (select 1 where not exists (select 1 from expired))
${answer(schema)}`
