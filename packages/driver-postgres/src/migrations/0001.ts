/**
 * The first shape of the tables.
 *
 * @since 0.1.0
 */
import type { Migration } from "../Migrations.ts"

/** Creates everything.
 * @category migrations
 * @since 0.1.0 */
export const migration: Migration = {
  version: 1,
  name: "tasks, positions, claims and history",
  statements: [
    `create table {schema}.queues (
      id int generated always as identity primary key,
      name text not null unique
    )`,
    `comment on table {schema}.queues is
      'A queue and the small number that stands for it in the other tables'`,

    `create table {schema}.tasks (
      id uuid primary key,
      run_id uuid not null,
      created_at timestamptz not null,
      run_at timestamptz,
      queue_id int not null,
      index int not null,
      max_attempts int not null,
      priority smallint not null,
      max_crashes smallint not null,
      awaited boolean not null,
      flow_type text not null,
      flow text not null,
      step text not null,
      input json not null,
      trace text
    )`,
    `comment on table {schema}.tasks is
      'What was enqueued: never updated; where a task stands is in the other tables'`,
    `create index tasks_run_id on {schema}.tasks (run_id) where run_id <> id`,

    `create table {schema}.ready (
      born xid8 not null default pg_current_xact_id(),
      seq bigint generated always as identity,
      task_id uuid not null,
      queue_id int not null,
      lease int not null,
      failures int not null,
      priority smallint not null,
      crashes smallint not null,
      primary key (queue_id, priority, born, seq)
    )`,
    `comment on table {schema}.ready is
      'The tasks that can be claimed, in the order of the primary key; a claim deletes them'`,
    `create unique index ready_task_id on {schema}.ready (task_id)`,

    `create table {schema}.scheduled (
      run_at timestamptz not null,
      task_id uuid primary key,
      queue_id int not null,
      lease int not null,
      failures int not null,
      priority smallint not null,
      crashes smallint not null
    )`,
    `comment on table {schema}.scheduled is
      'The tasks that are due later; a claim moves those that are due to ready'`,
    `create index scheduled_run_at on {schema}.scheduled (queue_id, run_at, task_id)`,

    `create table {schema}.workers (
      id text primary key,
      expires_at timestamptz not null,
      waiting boolean not null,
      queue_ids int[] not null
    )`,
    `comment on table {schema}.workers is
      'The sessions of workers: all that a worker holds expires together'`,

    `create table {schema}.claims (
      id bigint generated always as identity primary key,
      claimed_at timestamptz not null,
      given_up boolean not null default false,
      worker text not null,
      task_ids uuid[] not null,
      leases int[] not null
    )`,
    `comment on table {schema}.claims is
      'One row for each claimed batch; a task of it runs until its lease is in attempts'`,
    `create index claims_worker on {schema}.claims (worker)`,

    `create table {schema}.attempts (
      task_id uuid not null,
      lease int not null,
      attempt int,
      finished_at timestamptz not null,
      started_at timestamptz,
      due_at timestamptz,
      failures int not null,
      crashes smallint not null,
      kind text not null,
      state text not null,
      worker text,
      reason text,
      message text,
      output json,
      error json,
      primary key (task_id, lease)
    )`,
    `comment on table {schema}.attempts is
      'The history, only appended to; its key is the fence: the first to write a lease wins'`,
    `create index attempts_finished_at on {schema}.attempts
      using brin (finished_at) with (pages_per_range = 32)`,

    `create view {schema}.task_states as
      select t.id, t.run_id, t.flow_type, t.flow, t.step, t.index, q.name as queue, t.priority,
        case
          when r.task_id is not null or s.task_id is not null then 'ready'
          when l.state <> 'ready' then l.state
          else 'running'
        end as state,
        t.max_attempts,
        coalesce(r.failures, s.failures, l.failures, 0) as failures,
        coalesce(r.crashes, s.crashes, l.crashes, 0::smallint) as crashes,
        t.created_at,
        s.run_at as due_at,
        l.kind as last_kind,
        l.message as last_message,
        l.finished_at as last_at,
        t.input,
        l.output
      from {schema}.tasks t
      join {schema}.queues q on q.id = t.queue_id
      left join {schema}.ready r on r.task_id = t.id
      left join {schema}.scheduled s on s.task_id = t.id
      left join lateral (
        select * from {schema}.attempts a where a.task_id = t.id order by a.lease desc limit 1
      ) l on true`,
    `comment on view {schema}.task_states is 'One row for each task and where it stands'`,
  ],
}
