/** Mutants of schedules, and of limits and keys as schedules and simulations meet them. */
import { mutantsOf } from "../Mutant.ts"

const core = "packages/core/src"
const memory = "packages/driver-memory/src/internal"
const sql = "packages/driver-postgres/src"

export const times = [
  ...mutantsOf(`${core}/Scheduling.ts`, ["slots", "schedules"], [
    [
      "schedules: what was enqueued is due again",
      "schedule: placed({ ...before, after: now, revision",
      "schedule: placed({ ...before, after: before.after, revision",
    ],
    [
      "schedules: a write keeps the revision",
      "Math.max(before.revision + 1, now)",
      "before.revision",
    ],
    [
      "schedules: a jitter hurries",
      "dueAt: at + jitter + template",
      "dueAt: at - jitter + template",
    ],
    [
      "schedules: a change of the input forgets where it stands",
      "const after = recursAsBefore ? before.after : now",
      "const after = now",
    ],
    [
      "schedules: a paused one is due",
      "nextAt: schedule.paused ? undefined : Recurrence",
      "nextAt: Recurrence",
    ],
    [
      "schedules: what a paused one missed is made up for",
      "placed({ ...before, paused, after: now,",
      "placed({ ...before, paused, after: before.after,",
    ],
  ]),
  ...mutantsOf(`${core}/Misfire.ts`, ["slots", "schedules"], [
    [
      "schedules: one missed occurrence too many",
      "const missing = count - onTime.length",
      "const missing = count + 1 - onTime.length",
    ],
    [
      "schedules: the occurrence at the very instant is left out",
      "Recurrence.last(recurrence, late, now, ",
      "Recurrence.last(recurrence, late, now - 1, ",
    ],
  ]),
  ...mutantsOf(`${core}/internal/occurrence.ts`, ["slots", "schedules"], [
    [
      "schedules: those of one instant have one run",
      "const [a, b, c] = hashOf(`${name} ${at}`)",
      "const [a, b, c] = hashOf(`${at}`)",
    ],
  ]),
  ...mutantsOf(`${memory}/Schedules.ts`, ["slots", "schedules"], [
    [
      "memory: a schedule is written however it stands",
      "if (this.rows.get(name)?.revision !== expects) return false",
      "",
    ],
    ["memory: `<` for `<=` when a schedule is due", "at <= now)", "at < now)"],
  ]),
  ...mutantsOf(`${sql}/statements/Schedules.ts`, ["schedules"], [
    [
      "SQL: a schedule is written however it stands",
      "and revision = ${expects}::text::bigint",
      "and ${expects}::text is not null",
    ],
    ["SQL: `<` for `<=` when a schedule is due", "s.next_at <= t.now", "s.next_at < t.now"],
    [
      "SQL: tasks are stored though their schedule is not",
      '"exists (select 1 from won)"',
      '"true"',
    ],
    [
      "SQL: a removed schedule is removed however it stands",
      "and revision = $2::text::bigint",
      "and $2::text is not null",
    ],
  ]),
  ...mutantsOf(`${memory}/Limited.ts`, ["memory", "slots"], [
    [
      "limits: one task of a key is held at most",
      "held.set(key, (held.get(key) ?? 0) + 1)",
      "held.set(key, 1)",
    ],
    [
      "limits: what other queues hold counts",
      "if (task.queue !== lane.queue) continue",
      "",
    ],
    [
      "limits: memory takes no tokens of a queue",
      "this.bucket = granted.bucket\n",
      "",
    ],
    [
      "limits: a key begins with its last task",
      "byKey.get(key)!.sort(Granting.byTurn)",
      "byKey.get(key)!.sort(Granting.byTurn).reverse()",
    ],
  ]),
  ...mutantsOf(`${sql}/statements/Limited.ts`, ["pglite"], [
    [
      "limits: SQL lets a task that waits block nobody",
      "and s.lease > 0\n      and not s.put_off\n",
      "and s.lease < 0\n      and not s.put_off\n",
    ],
    [
      "limits: SQL begins a key with its last task",
      "order by r.queue_id, r.group_key, r.priority, r.born, r.seq limit k.lim",
      "order by r.queue_id, r.group_key, r.priority, r.born, r.seq desc limit k.lim",
    ],
  ]),
  ...mutantsOf(`${core}/Uniqueness.ts`, ["memory", "slots"], [
    [
      "keys: the last task does not take its key",
      "taken.set(name, task)\n",
      "",
    ],
    [
      "keys: a batch does not see what it stored itself",
      "const before = taken.get(name)\n",
      "const before = undefined as NewTask | undefined\n",
    ],
  ]),
  ...mutantsOf(`${core}/Expiry.ts`, ["memory", "slots"], [
    ["expiry: `<` for `<=` when it is over", "expiresAt <= now", "expiresAt < now"],
    [
      "expiry: a delay does not put it off",
      "Math.max(now, dueAt ?? now + delayMillis) + expiresMillis",
      "now + expiresMillis",
    ],
    [
      "expiry: what has begun expires as well",
      'startedAt !== undefined || (kind !== "interrupted" && kind !== "snoozed")',
      'startedAt === undefined && kind === "retried"',
    ],
  ]),
  ...mutantsOf(`${core}/internal/worker/Intake.ts`, ["slots"], [
    [
      "expiry: a worker looks at its clock no more",
      "else if (now >= held.beginsBefore) this",
      "else if (now < 0) this",
    ],
  ]),
  ...mutantsOf(`${sql}/statements/Overdue.ts`, ["expiry"], [
    [
      "expiry: SQL tells of what has begun that it expires",
      'w.expires_at is not null and not (${hasBegun(schema, "w.id")}) then',
      "w.expires_at is not null then",
    ],
  ]),
  ...mutantsOf(`${sql}/Deciding.ts`, ["pglite"], [
    [
      "keys: SQL lets run on what was replaced",
      "if (replaced.length > 0) {",
      "if (replaced.length < 0) {",
    ],
  ]),
]
