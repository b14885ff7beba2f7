/**
 * Progress of attempts.
 *
 * @since 0.1.0
 */
import type { Migration } from "../Migrations.ts"

/** Creates the table of how far attempts are.
 * @category migrations
 * @since 0.1.0 */
export const migration: Migration = {
  version: 10,
  name: "progress",
  statements: [
    `create table {schema}.progress (
      task_id uuid primary key,
      at timestamptz not null,
      fraction float8 not null,
      lease int not null,
      note text
    )`,
    `comment on table {schema}.progress is
      'How far the last attempt of a task that has said so is, or came'`,
  ],
}
