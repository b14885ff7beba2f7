/**
 * Expiry of tasks that nothing of has begun.
 *
 * @since 0.1.0
 */
import type { Migration } from "../Migrations.ts"

/** Adds the instant to tasks, and the table of those that may be too late.
 * @category migrations
 * @since 0.1.0 */
export const migration: Migration = {
  version: 8,
  name: "expiry",
  statements: [
    `alter table {schema}.tasks add column expires_at timestamptz`,
    `create table {schema}.expiring (
      expires_at timestamptz not null,
      task_id uuid primary key
    )`,
    `comment on table {schema}.expiring is
      'The tasks that expire, until somebody finds that something of them has begun'`,
    `create index expiring_expires_at on {schema}.expiring (expires_at, task_id)`,
  ],
}
