/**
 * The definitions that workers have served.
 *
 * @since 0.1.0
 */
import type { Migration } from "../Migrations.ts"

/** Adds a table that nothing but deploys reads.
 * @category migrations
 * @since 0.1.0 */
export const migration: Migration = {
  version: 4,
  name: "definitions",
  statements: [
    `create table {schema}.definitions (
      seq bigint generated always as identity,
      served_at timestamptz not null,
      slug text not null,
      version text not null,
      flow_type text not null,
      options json not null,
      primary key (slug, version)
    )`,
    `comment on table {schema}.definitions is
      'Each version of a definition that a worker has served, with the options that it had last'`,
  ],
}
