/**
 * Uniqueness: which task took a key last.
 *
 * @since 0.1.0
 */
import type { Migration } from "../Migrations.ts"

/** Creates the table of keys.
 * @category migrations
 * @since 0.1.0 */
export const migration: Migration = {
  version: 2,
  name: "keys of uniqueness",
  statements: [
    `create table {schema}.keys (
      flow text collate "C" not null,
      key text collate "C" not null,
      task_id uuid not null,
      primary key (flow, key)
    )`,
    `comment on table {schema}.keys is
      'The task that took a key of a job last; whether it still has it is told by its state'`,
    `create index keys_task_id on {schema}.keys (task_id)`,
  ],
}
