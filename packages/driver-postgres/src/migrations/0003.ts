/**
 * Flows: tasks that are steps of a run, how far the steps are, and runs that wait for them.
 *
 * @since 0.1.0
 */
import type { Migration } from "../Migrations.ts"

/** Adds what runs of flows need; what jobs use stays as it is.
 * @category migrations
 * @since 0.1.0 */
export const migration: Migration = {
  version: 3,
  name: "runs of flows",
  statements: [
    `alter table {schema}.tasks
      add column parent uuid,
      add column on_exhausted text,
      add column version text,
      add column undoes boolean`,
    `create index tasks_parent on {schema}.tasks (parent, step, id) where parent is not null`,

    `create table {schema}.steps (
      parent uuid not null,
      tasks int not null,
      completed int not null,
      failed int not null,
      cancelled int not null,
      skipped int not null,
      step text not null,
      primary key (parent, step)
    ) with (fillfactor = 50)`,
    `comment on table {schema}.steps is
      'How many tasks each step of a run has, and how they ended'`,

    `create table {schema}.runs (
      task_id uuid primary key,
      wakes int not null,
      seen int,
      queue_id int,
      lease int,
      failures int,
      priority smallint,
      crashes smallint,
      moved smallint not null
    ) with (fillfactor = 50)`,
    `comment on table {schema}.runs is
      'The own tasks of runs: how often they were woken, and which wait'`,
    `comment on column {schema}.runs.seen is
      'Set while the task waits: it waits until it is woken more often'`,
    `comment on column {schema}.runs.moved is
      'What the last write made of the task: 1 ready, 2 taken out by a change, 0 neither'`,

    `create index attempts_turns on {schema}.attempts (task_id, lease)
      where kind in ('unwinding', 'retried')`,

    `create or replace view {schema}.task_states as
      select t.id, t.run_id, t.flow_type, t.flow, t.step, t.index, q.name as queue, t.priority,
        case
          when r.task_id is not null or s.task_id is not null then 'ready'
          when w.seen is not null then 'waiting'
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
        l.output,
        t.parent
      from {schema}.tasks t
      join {schema}.queues q on q.id = t.queue_id
      left join {schema}.ready r on r.task_id = t.id
      left join {schema}.scheduled s on s.task_id = t.id
      left join {schema}.runs w on w.task_id = t.id
      left join lateral (
        select * from {schema}.attempts a where a.task_id = t.id order by a.lease desc limit 1
      ) l on true`,
  ],
}
