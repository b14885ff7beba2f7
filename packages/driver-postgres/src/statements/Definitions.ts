/**
 * Remembering definitions.
 *
 * @since 0.1.0
 */

/**
 * `$1` slugs, `$2` versions, `$3` types, `$4` options.
 *
 * **Details**
 *
 * Rows are written in one order, so that processes that begin at once do not meet in a deadlock.
 *
 * @category statements
 * @since 0.1.0
 */
export const register = (schema: string): string => `
insert into ${schema}.definitions as d (served_at, slug, version, flow_type, options)
select clock_timestamp(), n.slug, n.version, n.flow_type, n.options::json
from unnest($1::text::text[], $2::text::text[], $3::text::text[], $4::text::text[])
  as n(slug, version, flow_type, options)
order by n.slug, n.version
on conflict (slug, version) do update
  set options = excluded.options, served_at = excluded.served_at`

/** Reads all, by slug, and then in the order in which they were first served.
 * @category statements
 * @since 0.1.0 */
export const registered = (schema: string): string => `
select slug, version, flow_type, options::text as options
from ${schema}.definitions order by slug, seq`
