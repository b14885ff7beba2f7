/** Mutants of what people do by hand and look at: lists, discarding, another time, queues, pruning. */
import { mutantsOf } from "../Mutant.ts"

const core = "packages/core/src"
const memory = "packages/driver-memory/src/internal"
const sql = "packages/driver-postgres/src"

export const managing = [
  ...mutantsOf(`${core}/Transition.ts`, ["memory"], [
    [
      "managing: a discarded task is cancelled",
      'stopped(task, "discarded", exhausted(task),',
      'stopped(task, "discarded", end("cancelled"),',
    ],
    [
      "managing: what has ended is discarded",
      "return isTerminal(task.state) ? undefined : discarded(task, event.reason)",
      "return discarded(task, event.reason)",
    ],
    [
      "managing: a running task is rescheduled",
      'return task.state === "ready" ? rescheduled(task, event) : undefined',
      "return isTerminal(task.state) ? undefined : rescheduled(task, event)",
    ],
    [
      "managing: a task is rescheduled to now",
      "...again(delayMillis), ...(dueAt === undefined ? {} : { dueAt })",
      "...again(0), ...(dueAt === undefined ? {} : { dueAt })",
    ],
  ]),
  ...mutantsOf(`${core}/Labels.ts`, ["memory"], [
    [
      "managing: a list finds what has any of the tags",
      "(wanted.tags ?? []).every((tag) => tags.includes(tag))",
      "(wanted.tags ?? [true]).some((tag) => tag === true || tags.includes(tag))",
    ],
    [
      "managing: a list finds metadata of any value",
      "Object.hasOwn(meta, name) && meta[name] === value",
      "Object.hasOwn(meta, name) && value !== undefined",
    ],
  ]),
  ...mutantsOf(`${memory}/Row.ts`, ["memory"], [
    [
      "managing: a page begins with the end of the one before",
      "row.task.id < query.before",
      "row.task.id <= query.before",
    ],
    [
      "managing: `<=` for `<` at the end of a span",
      "row.enqueuedAt < query.createdBefore",
      "row.enqueuedAt <= query.createdBefore",
    ],
    [
      "managing: `>` for `>=` at the beginning of a span",
      "row.enqueuedAt >= query.createdFrom",
      "row.enqueuedAt > query.createdFrom",
    ],
    [
      "managing: steps are listed as runs",
      "task.parent === undefined && task.runId === task.id",
      "task.id !== undefined",
    ],
  ]),
  ...mutantsOf(`${memory}/Finding.ts`, ["memory"], [
    [
      "managing: a page is the wrong way round",
      "query.descending === true ? -1 : 1",
      "query.descending === true ? 1 : -1",
    ],
    [
      "managing: a queue counts what is held by others",
      "held.get(queue)?.length",
      "running.length",
    ],
  ]),
  ...mutantsOf(`${sql}/statements/List.ts`, ["pglite"], [
    [
      "managing: SQL begins a page with the end of the one before",
      "or id < $10::text::uuid)",
      "or id <= $10::text::uuid)",
    ],
    [
      "managing: SQL lists steps as runs",
      "or (parent is null and run_id = id))",
      "or run_id is not null)",
    ],
    [
      "managing: SQL takes any group",
      "(group_key = $12::text and group_key <> '')",
      "group_key <> ''",
    ],
    [
      "managing: SQL, `<=` for `<` at the end of a span",
      'or created_at < ${instantOf("$14::text")}',
      'or created_at <= ${instantOf("$14::text")}',
    ],
    [
      "managing: SQL finds what has any of the labels",
      "(${labelsFound(schema)}) = cardinality($17::text::text[])",
      "(${labelsFound(schema)}) > 0",
    ],
    [
      "managing: SQL finds labels of any value",
      "where b.name = u.name and b.value = u.value and b.task_id = found.id limit 1",
      "where b.name = u.name and b.task_id = found.id limit 1",
    ],
    [
      "managing: SQL does not list what is due later",
      '${schema}.scheduled where ${asked("ready")}',
      '${schema}.scheduled where ${asked("waiting")}',
    ],
    [
      "managing: SQL lists what has failed and goes on",
      "where b.task_id = a.task_id and b.lease > a.lease limit 1",
      "where b.task_id = a.task_id and b.lease < a.lease limit 1",
    ],
    [
      "managing: SQL lists what is settled as running",
      "where a.task_id = u.task_id and a.lease >= u.lease limit 1",
      "where a.task_id = u.task_id and a.lease > u.lease + 9 limit 1",
    ],
  ]),
  ...mutantsOf(`${sql}/statements/Queues.ts`, ["pglite"], [
    [
      "managing: SQL counts what is settled as running",
      "where a.task_id = u.task_id and a.lease >= u.lease limit 1",
      "where a.task_id = u.task_id and a.lease > u.lease limit 1",
    ],
    [
      "managing: SQL counts what is due as scheduled",
      "(count(*) filter (where run_at > t.now))::int as later",
      "count(*)::int as later",
    ],
  ]),
  ...mutantsOf(`${memory}/Pruning.ts`, ["memory"], [
    ["managing: one too few is kept", ".slice(keep)", ".slice(Math.max(0, keep - 1))"],
    [
      "managing: a run is pruned while a step of it goes on",
      ".filter(({ task }) => [...store.tree.rowsOf(task.id)].every(hasEnded))",
      "",
    ],
  ]),
  ...mutantsOf(`${sql}/statements/Prune.ts`, ["pglite"], [
    [
      "managing: SQL keeps one too few",
      "order by c.id desc offset $7::text::int",
      "order by c.id desc offset greatest(0, $7::text::int - 1)",
    ],
    [
      "managing: SQL prunes runs of any state",
      "where a.state <> 'ready' and ($5::text is null or a.state = any($5::text::text[]))",
      "where a.state <> 'ready' and ($5::text is null or a.state is not null)",
    ],
  ]),
  ...mutantsOf(`${sql}/statements/Overdue.ts`, ["expiry"], [
    [
      "expiry: SQL does not see what is due later",
      "or (select 1 from ${schema}.scheduled where task_id = e.task_id limit 1) is not null",
      "",
    ],
    [
      "expiry: SQL takes a snooze for a beginning",
      "a.kind in ('interrupted', 'snoozed')",
      "a.kind in ('interrupted')",
    ],
  ]),
]
