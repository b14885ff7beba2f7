/** Mutants of the PostgreSQL driver: of its SQL, above all. */
import { mutantsOf } from "../Mutant.ts"

const statements = "packages/driver-postgres/src/statements"

export const postgresql = [
  ...mutantsOf(`${statements}/InsertNew.ts`, ["pglite"], [
    [
      "SQL: a batch of one job wakes nobody",
      "w.waiting and w.queue_ids @> array[$2::text::int]",
      "w.waiting and w.queue_ids = '{}'",
    ],
    [
      "SQL: a batch of one job is stored in a queue that is full",
      'where true${andShallow(schema, "array[$2::text::int]")}',
      "where true",
    ],
    [
      "SQL: what is awaited is stored as what is not",
      " && a.awaited === b.awaited &&",
      " &&",
    ],
  ]),
  ...mutantsOf("packages/driver-postgres/src/Storing.ts", ["pglite"], [
    [
      "SQL: what is said to be new is not looked for",
      "if (codeOf(error) === uniqueViolation) return undefined",
      "if (error === undefined) return undefined",
    ],
  ]),
  ...mutantsOf(`${statements}/Limited.ts`, ["pglite"], [
    [
      "SQL: what was held before a limit does not count",
      "c.id <= l.claims_before",
      "c.id < 0",
    ],
    [
      "SQL: what is settled is held for ever",
      "where a.task_id = u.task_id and a.lease = u.lease limit 1",
      "where a.task_id = u.task_id and a.lease > u.lease limit 1",
    ],
    [
      "SQL: a key's place is not kept",
      "order by f.nth, f.group_key = '' or f.lease = 0 or f.put_off,",
      "order by f.nth,",
    ],
    [
      "SQL: what is put off before it has begun holds up its key",
      "\n      and not s.put_off\n",
      "\n",
    ],
  ]),
  ...mutantsOf(`${statements}/Change.ts`, ["pglite"], [
    [
      "SQL: what has begun loses its turn when it is put off",
      "and a.kind <> 'rescheduled'",
      "and a.kind = 'rescheduled'",
    ],
  ]),
  ...mutantsOf(`${statements}/Keys.ts`, ["pglite"], [
    [
      "SQL: a key goes to nobody else",
      "update ${schema}.keys k set task_id = n.id",
      "update ${schema}.keys k set task_id = k.task_id",
    ],
    [
      "SQL: a new key is taken already",
      "case when xmax <> 0 then task_id end as owner",
      "task_id as owner",
    ],
  ]),
  ...mutantsOf(`${statements}/Report.ts`, ["flows", "pglite"], [
    [
      "SQL: a run waits though it was woken since it looked",
      " or r.wakes > excluded.seen then",
      " then",
    ],
    [
      "SQL: a change takes a run from waiting that does not wait any more",
      "case when r.seen is not null and r.lease = excluded.lease then",
      "case when true then",
    ],
    [
      "SQL: a count forgets what another batch counted",
      "completed = s.completed + excluded.completed",
      "completed = excluded.completed",
    ],
    [
      "SQL: steps are locked in any order",
      `  order by parent, step collate "C"\n`,
      "",
    ],
  ]),
  ...mutantsOf(`${statements}/Report.ts`, ["pglite", "flows"], [
    [
      "SQL: the end of any task wakes its run",
      "s.tasks <= s.completed + s.failed + s.cancelled + s.skipped as ended",
      "s.tasks > 0 as ended",
    ],
    ["SQL: a report wakes nobody at once", "where (wakes or asks and", "where (asks and"],
    [
      "SQL: a run that is woken stays where it waits",
      "when excluded.seen is null and r.seen is not null then",
      "when excluded.seen is null and r.seen is null then",
    ],
  ]),
  ...mutantsOf(`${statements}/InsertFlow.ts`, ["pglite"], [
    [
      "SQL: what is stored as waiting is ready",
      "where state is null and not waits)",
      "where state is null)",
    ],
    [
      "SQL: an id that is there is counted again",
      `const isStored = "(n.id in (select id from stored)) is true"`,
      `const isStored = "true"`,
    ],
  ]),
  ...mutantsOf(`${statements}/SettleReporting.ts`, ["pglite", "flows"], [
    [
      "SQL: what was settled before is counted again",
      "from n where parent is not null and ${isWritten} group by",
      "from n where parent is not null group by",
    ],
  ]),
  ...mutantsOf(`${statements}/Standing.ts`, ["pglite"], [
    ["SQL: a run has no runs below it", "  union\n  select c.id", "  union\n  select null"],
  ]),
  ...mutantsOf(`${statements}/Prune.ts`, ["pglite"], [
    [
      "SQL: a step is pruned before its run",
      "select 1 from ${schema}.tasks where id = c.parent limit 1",
      "select 1 from ${schema}.tasks where false limit 1",
    ],
  ]),
  ...mutantsOf(`${statements}/Claim.ts`, ["pglite", "races"], [
    [
      "SQL: a claim takes what another is taking",
      "    limit l.lim for update skip locked",
      "    limit l.lim",
    ],
    ["SQL: `<` for `<=` when a task is due", "s.run_at <= t.now", "s.run_at < t.now"],
    [
      "SQL: the last priority comes first",
      "where r.queue_id = l.queue_id order by r.queue_id, r.priority, r.born, r.seq",
      "where r.queue_id = l.queue_id order by r.queue_id, r.priority desc, r.born, r.seq",
    ],
    [
      "SQL: an expired worker claims",
      "where w.id = $2::text and w.expires_at > t.now for key share of w",
      "where w.id = $2::text for key share of w",
    ],
    [
      "SQL: what crashed is claimed with others",
      "where not exists (select 1 from first where crashes > 0)",
      "where not exists (select 1 from first where crashes > 9)",
    ],
    ["SQL: a claim keeps the lease", "array_agg(taken.lease + 1)", "array_agg(taken.lease)"],
  ]),
  ...mutantsOf(`${statements}/Apply.ts`, ["pglite", "races"], [
    [
      "SQL: a ready task is changed whatever its lease",
      "where n.task_id = r.task_id and n.lease = r.lease)",
      "where n.task_id = r.task_id)",
    ],
    [
      "SQL: a change rides on the lease of another in its batch",
      "free.task_id = n.task_id and free.lease = n.lease limit 1",
      "free.task_id = n.task_id limit 1",
    ],
    [
      "SQL: a running task is changed by whoever does not hold it",
      "where u.task_id = n.task_id and u.lease = n.lease\n",
      "where u.task_id = n.task_id\n",
    ],
  ]),
  ...mutantsOf(`${statements}/Change.ts`, ["pglite", "races"], [
    [
      "SQL: the last to write a lease wins",
      "on conflict (task_id, lease) do nothing",
      "on conflict (task_id, lease) do update set kind = excluded.kind",
    ],
    [
      "SQL: a delay is lost",
      "string => `t.now + ${delay} * interval '1 millisecond'`",
      "string => `t.now + 0 * ${delay} * interval '1 millisecond'`",
    ],
  ]),
  ...mutantsOf(`${statements}/Expire.ts`, ["pglite", "races"], [
    [
      "SQL: `<` for `<=` when a lease ends",
      "where w.expires_at <= t.now and (",
      "where w.expires_at < t.now and (",
    ],
    [
      "SQL: what was given up is not recovered",
      "where c.given_up or c.worker",
      "where c.worker",
    ],
    [
      "SQL: what has its outcome is recovered",
      "and coalesce(l.lease, 0) < u.lease",
      "",
    ],
  ]),
  ...mutantsOf(`${statements}/Heartbeat.ts`, ["pglite", "races"], [
    [
      "SQL: a heartbeat revives an expired lease",
      "  where w.expires_at > (select now from t)\n",
      "",
    ],
    [
      "SQL: a heartbeat does not tell what was cancelled",
      "    or exists (select 1 from ${schema}.attempts a where a.task_id = h.id and a.lease = h.lease)\n",
      "",
    ],
  ]),
  ...mutantsOf(`${statements}/Prune.ts`, ["pglite", "races"], [
    ["SQL: what ended lately is pruned", "and a.finished_at <= (", "and a.finished_at >= ("],
  ]),
  ...mutantsOf(`${statements}/Wake.ts`, ["pglite", "races"], [
    [
      "SQL: a worker that waits is not woken",
      "and exists (select 1 from waiting where",
      "and not exists (select 1 from waiting where",
    ],
  ]),
]
