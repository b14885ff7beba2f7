/**
 * The numbers of queues.
 *
 * @since 0.1.0
 */

/** Reads the numbers of queues. `$1` names.
 * @category statements
 * @since 0.1.0 */
export const readQueues = (schema: string): string => `
select id, name from ${schema}.queues where name = any($1::text::text[])`

/** Gives queues their numbers; one that another session is just making is left to it. `$1` names.
 * @category statements
 * @since 0.1.0 */
export const makeQueues = (schema: string): string => `
insert into ${schema}.queues (name)
select name from unnest($1::text::text[]) as n(name) order by name
on conflict (name) do nothing`

/** Reads all queues.
 * @category statements
 * @since 0.1.0 */
export const allQueues = (schema: string): string => `select id, name from ${schema}.queues`
