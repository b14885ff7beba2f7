/**
 * Schedules.
 *
 * @since 0.1.0
 */
import type { Migration } from "../Migrations.ts"

/** Creates the table of schedules.
 * @category migrations
 * @since 0.1.0 */
export const migration: Migration = {
  version: 6,
  name: "schedules",
  statements: [
    `create table {schema}.schedules (
      name text collate "C" primary key,
      flow text not null,
      revision bigint not null,
      next_at timestamptz,
      body json not null
    )`,
    `comment on table {schema}.schedules is
      'What enqueues a job again and again; written only where it stands as it was read'`,
    `create index schedules_next_at on {schema}.schedules (next_at, name)
      where next_at is not null`,
  ],
}
