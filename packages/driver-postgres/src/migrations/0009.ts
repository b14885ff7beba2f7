/**
 * Labels.
 *
 * @since 0.1.0
 */
import type { Migration } from "../Migrations.ts"

/** Creates the table of tags and metadata; nothing is written to it for tasks without.
 * @category migrations
 * @since 0.1.0 */
export const migration: Migration = {
  version: 9,
  name: "labels",
  statements: [
    `create table {schema}.labels (
      task_id uuid not null,
      name text collate "C" not null,
      value text collate "C" not null,
      primary key (name, value, task_id)
    )`,
    `comment on table {schema}.labels is
      'What tasks are found by: tags, whose name is empty, and pairs of a name and a value'`,
    `create index labels_task_id on {schema}.labels (task_id)`,
  ],
}
