/**
 * Limits of queues, and groups by key.
 *
 * @since 0.1.0
 */
import type { Migration } from "../Migrations.ts"

const place = `queue_id, group_key, priority, born, seq`

/** Adds keys to tasks and claims, and the tables of limits.
 * @category migrations
 * @since 0.1.0 */
export const migration: Migration = {
  version: 5,
  name: "limits of queues, and groups",
  statements: [
    ...["tasks", "ready", "scheduled"].map((table) =>
      `alter table {schema}.${table} add column group_key text collate "C" not null default ''`
    ),
    `alter table {schema}.claims add column queue_id int, add column keys text[]`,

    `create index ready_keys on {schema}.ready (${place}) where group_key <> ''`,
    `create index ready_begun on {schema}.ready (${place}) where group_key <> '' and lease > 0`,
    `create index scheduled_begun on {schema}.scheduled (queue_id, group_key)
      where group_key <> '' and lease > 0`,
    `create index claims_queue on {schema}.claims (queue_id) where queue_id is not null`,

    `create table {schema}.limits (
      queue_id int primary key,
      claims_before bigint not null default 0,
      level bigint,
      period_millis bigint,
      at_millis bigint,
      max_depth int,
      grouped boolean not null default false,
      turn text collate "C" not null default '',
      declared text
    )`,
    `comment on table {schema}.limits is
      'The limits of a queue, with its tokens and whose turn was the last; claims lock its row'`,
    `create index limits_max_depth on {schema}.limits (queue_id) where max_depth is not null`,

    `create table {schema}.buckets (
      queue_id int not null,
      level bigint not null,
      period_millis bigint not null,
      at_millis bigint not null,
      full_at bigint not null,
      key text collate "C" not null,
      primary key (queue_id, key)
    )`,
    `comment on table {schema}.buckets is
      'The tokens of a key, until full_at, when it is as if none had ever been taken'`,
    `create index buckets_full_at on {schema}.buckets (queue_id, full_at)`,
  ],
}
