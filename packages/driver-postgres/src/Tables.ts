/**
 * Millrace's tables for Drizzle, so that they can be queried and joined with one's own.
 *
 * **Gotchas**
 *
 * They are to be read. A row that is written by hand goes round every rule: enqueue, cancel and
 * retry with `@millrace/core` instead.
 *
 * @since 0.1.0
 */
import { sql } from "drizzle-orm"
import {
  bigint,
  boolean,
  customType,
  doublePrecision,
  index,
  integer,
  json,
  pgSchema,
  primaryKey,
  smallint,
  text,
  timestamp,
  uuid,
} from "drizzle-orm/pg-core"
import { defaultName } from "./SchemaName.ts"

const instant = (name: string) => timestamp(name, { withTimezone: true })

const xid8 = customType<{ data: string }>({ dataType: () => "xid8" })

type Schema = ReturnType<typeof pgSchema>

/**
 * The tables of a schema (default `millrace`).
 *
 * **Details**
 *
 * - `tasks`: what was enqueued, never updated
 * - `taskStates`: a view with one row for each task and where it stands, for people
 * - `attempts`: the history of every task, only appended to
 * - `keys`: the task that took each key of a job last
 * - `labels`: the tags of tasks, whose name is empty, and their metadata
 * - `queues`: the names of queues, whose numbers the other tables hold
 * - `limits`, `buckets`: the limits of queues, and the tokens of their rates
 * - `ready`, `scheduled`, `claims`, `workers`: where tasks stand until they have ended
 * - `expiring`: what expires, until something of it has begun
 * - `progress`: how far attempts are that have said so
 * - `schedules`: what enqueues a job again and again
 * - `runs`, `steps`: which runs of flows wait, and how far their steps are
 *
 * @category tables
 * @since 0.1.0
 */
export const tables = (schemaName: string = defaultName) => {
  const schema = pgSchema(schemaName)
  return { ...records(schema), ...positions(schema), ...views(schema) }
}

const records = (schema: Schema) => ({
  queues: schema.table("queues", {
    id: integer("id").primaryKey().generatedAlwaysAsIdentity(),
    name: text("name").notNull().unique(),
  }),
  keys: schema.table("keys", {
    flow: text("flow").notNull(),
    key: text("key").notNull(),
    taskId: uuid("task_id").notNull(),
  }, (row) => [primaryKey({ columns: [row.flow, row.key] }), index("keys_task_id").on(row.taskId)]),
  labels: schema.table("labels", {
    taskId: uuid("task_id").notNull(),
    name: text("name").notNull(),
    value: text("value").notNull(),
  }, (row) => [
    primaryKey({ columns: [row.name, row.value, row.taskId] }),
    index("labels_task_id").on(row.taskId),
  ]),
  schedules: schema.table("schedules", {
    name: text("name").primaryKey(),
    flow: text("flow").notNull(),
    revision: bigint("revision", { mode: "number" }).notNull(),
    nextAt: instant("next_at"),
    body: json("body").notNull(),
  }, (row) => [
    index("schedules_next_at").on(row.nextAt, row.name).where(sql`next_at is not null`),
  ]),
  tasks: schema.table("tasks", {
    id: uuid("id").primaryKey(),
    runId: uuid("run_id").notNull(),
    createdAt: instant("created_at").notNull(),
    runAt: instant("run_at"),
    queueId: integer("queue_id").notNull(),
    index: integer("index").notNull(),
    maxAttempts: integer("max_attempts").notNull(),
    priority: smallint("priority").notNull(),
    maxCrashes: smallint("max_crashes").notNull(),
    awaited: boolean("awaited").notNull(),
    flowType: text("flow_type", { enum: ["job", "flow"] }).notNull(),
    flow: text("flow").notNull(),
    step: text("step").notNull(),
    input: json("input").notNull(),
    trace: text("trace"),
    parent: uuid("parent"),
    onExhausted: text("on_exhausted", { enum: ["fail", "skip", "collect"] }),
    version: text("version"),
    undoes: boolean("undoes"),
    groupKey: text("group_key").notNull(),
    expiresAt: instant("expires_at"),
  }, (row) => [
    index("tasks_parent").on(row.parent, row.step, row.id).where(sql`parent is not null`),
  ]),
  attempts: schema.table("attempts", {
    taskId: uuid("task_id").notNull(),
    lease: integer("lease").notNull(),
    attempt: integer("attempt"),
    finishedAt: instant("finished_at").notNull(),
    startedAt: instant("started_at"),
    dueAt: instant("due_at"),
    failures: integer("failures").notNull(),
    crashes: smallint("crashes").notNull(),
    kind: text("kind").notNull(),
    state: text("state").notNull(),
    worker: text("worker"),
    reason: text("reason"),
    message: text("message"),
    output: json("output"),
    error: json("error"),
  }, (row) => [primaryKey({ columns: [row.taskId, row.lease] })]),
})

const positions = (schema: Schema) => ({
  ready: schema.table("ready", {
    born: xid8("born").notNull(),
    seq: bigint("seq", { mode: "number" }).generatedAlwaysAsIdentity(),
    taskId: uuid("task_id").notNull().unique(),
    queueId: integer("queue_id").notNull(),
    lease: integer("lease").notNull(),
    failures: integer("failures").notNull(),
    priority: smallint("priority").notNull(),
    crashes: smallint("crashes").notNull(),
    groupKey: text("group_key").notNull(),
    putOff: boolean("put_off").notNull(),
  }, (row) => [primaryKey({ columns: [row.queueId, row.priority, row.born, row.seq] })]),
  scheduled: schema.table("scheduled", {
    runAt: instant("run_at").notNull(),
    taskId: uuid("task_id").primaryKey(),
    queueId: integer("queue_id").notNull(),
    lease: integer("lease").notNull(),
    failures: integer("failures").notNull(),
    priority: smallint("priority").notNull(),
    crashes: smallint("crashes").notNull(),
    groupKey: text("group_key").notNull(),
    putOff: boolean("put_off").notNull(),
  }, (row) => [index("scheduled_run_at").on(row.queueId, row.runAt, row.taskId)]),
  expiring: schema.table("expiring", {
    expiresAt: instant("expires_at").notNull(),
    taskId: uuid("task_id").primaryKey(),
  }, (row) => [index("expiring_expires_at").on(row.expiresAt, row.taskId)]),
  progress: schema.table("progress", {
    taskId: uuid("task_id").primaryKey(),
    at: instant("at").notNull(),
    fraction: doublePrecision("fraction").notNull(),
    lease: integer("lease").notNull(),
    note: text("note"),
  }),
  claims: schema.table("claims", {
    id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    claimedAt: instant("claimed_at").notNull(),
    givenUp: boolean("given_up").notNull(),
    worker: text("worker").notNull(),
    taskIds: uuid("task_ids").array().notNull(),
    leases: integer("leases").array().notNull(),
    queueId: integer("queue_id"),
    keys: text("keys").array(),
  }),
  runs: schema.table("runs", {
    taskId: uuid("task_id").primaryKey(),
    wakes: integer("wakes").notNull(),
    seen: integer("seen"),
    queueId: integer("queue_id"),
    lease: integer("lease"),
    failures: integer("failures"),
    priority: smallint("priority"),
    crashes: smallint("crashes"),
    moved: smallint("moved").notNull(),
  }),
  steps: schema.table("steps", {
    parent: uuid("parent").notNull(),
    tasks: integer("tasks").notNull(),
    completed: integer("completed").notNull(),
    failed: integer("failed").notNull(),
    cancelled: integer("cancelled").notNull(),
    skipped: integer("skipped").notNull(),
    step: text("step").notNull(),
  }, (row) => [primaryKey({ columns: [row.parent, row.step] })]),
  definitions: schema.table("definitions", {
    seq: bigint("seq", { mode: "number" }).generatedAlwaysAsIdentity(),
    servedAt: instant("served_at").notNull(),
    slug: text("slug").notNull(),
    version: text("version").notNull(),
    flowType: text("flow_type").notNull(),
    options: json("options").notNull(),
  }, (row) => [primaryKey({ columns: [row.slug, row.version] })]),
  limits: schema.table("limits", {
    queueId: integer("queue_id").primaryKey(),
    claimsBefore: bigint("claims_before", { mode: "number" }).notNull(),
    level: bigint("level", { mode: "number" }),
    periodMillis: bigint("period_millis", { mode: "number" }),
    atMillis: bigint("at_millis", { mode: "number" }),
    maxDepth: integer("max_depth"),
    grouped: boolean("grouped").notNull(),
    turn: text("turn").notNull(),
    declared: text("declared"),
  }),
  buckets: schema.table("buckets", {
    queueId: integer("queue_id").notNull(),
    level: bigint("level", { mode: "number" }).notNull(),
    periodMillis: bigint("period_millis", { mode: "number" }).notNull(),
    atMillis: bigint("at_millis", { mode: "number" }).notNull(),
    fullAt: bigint("full_at", { mode: "number" }).notNull(),
    key: text("key").notNull(),
  }, (row) => [primaryKey({ columns: [row.queueId, row.key] })]),
  workers: schema.table("workers", {
    id: text("id").primaryKey(),
    expiresAt: instant("expires_at").notNull(),
    waiting: boolean("waiting").notNull(),
    queueIds: integer("queue_ids").array().notNull(),
  }),
})

const views = (schema: Schema) => ({
  taskStates: schema.view("task_states", {
    id: uuid("id").notNull(),
    runId: uuid("run_id").notNull(),
    flowType: text("flow_type").notNull(),
    flow: text("flow").notNull(),
    step: text("step").notNull(),
    index: integer("index").notNull(),
    queue: text("queue").notNull(),
    priority: smallint("priority").notNull(),
    state: text("state").notNull(),
    maxAttempts: integer("max_attempts").notNull(),
    failures: integer("failures").notNull(),
    crashes: smallint("crashes").notNull(),
    createdAt: instant("created_at").notNull(),
    dueAt: instant("due_at"),
    lastKind: text("last_kind"),
    lastMessage: text("last_message"),
    lastAt: instant("last_at"),
    input: json("input").notNull(),
    output: json("output"),
    parent: uuid("parent"),
  }).existing(),
})
