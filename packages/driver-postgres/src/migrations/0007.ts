/**
 * Looking for runs that failed.
 *
 * @since 0.1.0
 */
import type { Migration } from "../Migrations.ts"

/** Adds an index that those that complete cost nothing.
 * @category migrations
 * @since 0.1.0 */
export const migration: Migration = {
  version: 7,
  name: "failed runs",
  statements: [
    `create index attempts_failed on {schema}.attempts (task_id)
      where state in ('failed', 'cancelled')`,
  ],
}
