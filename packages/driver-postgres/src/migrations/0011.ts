/**
 * What was put off by hand, and holds no place before others of its key.
 *
 * @since 0.1.0
 */
import type { Migration } from "../Migrations.ts"

const keys = "queue_id, group_key"

const begun = "where group_key <> '' and lease > 0 and not put_off"

/** Adds whether a task was put off by hand.
 * @category migrations
 * @since 0.1.0 */
export const migration: Migration = {
  version: 11,
  name: "put off by hand",
  statements: [
    ...["ready", "scheduled"].map((table) =>
      `alter table {schema}.${table} add column put_off boolean not null default false`
    ),
    `drop index {schema}.ready_begun, {schema}.scheduled_begun`,
    `create index ready_begun on {schema}.ready (${keys}, priority, born, seq) ${begun}`,
    `create index scheduled_begun on {schema}.scheduled (${keys}) ${begun}`,
  ],
}
