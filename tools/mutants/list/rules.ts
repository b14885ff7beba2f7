/** Mutants of the pure rules. */
import { mutantsOf } from "../Mutant.ts"

const core = "packages/core/src"

export const rules = [
  ...mutantsOf(`${core}/Claiming.ts`, ["memory"], [
    [
      "the eldest are the latest",
      "task.sequence < found.sequence",
      "task.sequence > found.sequence",
    ],
  ]),
  ...mutantsOf(`${core}/Granting.ts`, ["memory"], [
    ["a queue has room for one more", "concurrency - held,", "concurrency - held + 1,"],
    [
      "a key has room for one more",
      "Math.max(0, concurrency - (held.get(key) ?? 0))",
      "Math.max(0, concurrency + 1 - (held.get(key) ?? 0))",
    ],
    [
      "a task that waits blocks nobody",
      'if (waits && onFailure === "block") return 0',
      "",
    ],
    [
      "what has begun loses its place",
      "Number(b.begun) - Number(a.begun) || a.priority",
      "a.priority",
    ],
    ["turns begin anew with each claim", "tasks.at(-1)?.key ??", '"" ??'],
    ["a key's tokens are not taken", "buckets.set(key, taken(", "buckets.set(`x${key}`, taken("],
  ]),
  ...mutantsOf(`${core}/Limiting.ts`, ["memory"], [
    ["a rate has one token too many", "Math.floor((full(rate)", "1 + Math.floor((full(rate)"],
    [
      "a rate leaks twice as fast",
      "Math.max(0, now - at) * rate.count",
      "Math.max(0, now - at) * rate.count * 2",
    ],
    [
      "a queue is one task too deep",
      "depth.depth + count > depth.max",
      "depth.depth + count > depth.max + 1",
    ],
  ]),
  ...mutantsOf(`${core}/Uniqueness.ts`, ["memory"], [
    [
      "a key is kept for ever",
      "unique.states.includes(holder.state) &&",
      "",
    ],
    [
      "a key is kept when its period is just over",
      "holder.enqueuedAt + unique.periodMillis > now",
      "holder.enqueuedAt + unique.periodMillis >= now",
    ],
    [
      "a key is the same for all jobs",
      "`${flow} ${key}`",
      "key",
    ],
  ]),
  ...mutantsOf(`${core}/Transition.ts`, ["memory", "calm", "storm"], [
    [
      "a failure spends no attempt",
      "const failures = task.failures + 1\n",
      "const failures = task.failures\n",
    ],
    [
      "one attempt more than allowed",
      "failures >= task.maxAttempts",
      "failures > task.maxAttempts",
    ],
    ["one crash less than allowed", "crashes > task.maxCrashes", "crashes >= task.maxCrashes"],
    ["crashes have no limit", "crashes > task.maxCrashes", "crashes < 0"],
    [
      "a snooze spends an attempt",
      `changed(task, "snoozed", again(outcome.delayMillis), entry)`,
      `{ ...changed(task, "snoozed", again(outcome.delayMillis), entry), failures: task.failures + 1 }`,
    ],
    ["a snooze is due at once", "again(outcome.delayMillis)", "again(0)"],
    [
      "a retry by hand keeps what was spent",
      "{ lease: task.lease + 1 }),\n  failures: 0,\n  crashes: 0,\n",
      "{ lease: task.lease + 1 }),\n  failures: task.failures,\n  crashes: task.crashes,\n",
    ],
    [
      "what has ended can be cancelled",
      "isTerminal(task.state) ? undefined : cancelled(task, event.reason)",
      "cancelled(task, event.reason)",
    ],
    [
      "the numbers of attempts begin with 0",
      "const entry = { attempt: task.failures + 1, elapsedMillis }",
      "const entry = { attempt: task.failures, elapsedMillis }",
    ],
    [
      "a discarded task is tried again",
      `changed(task, "discarded", exhausted(task)`,
      `changed(task, "discarded", again(0)`,
    ],
  ]),
  ...mutantsOf(`${core}/Claiming.ts`, ["memory"], [
    ["`<` for `<=` when a task is due", "dueAt <= now", "dueAt < now"],
    ["`<` for `<=` when a lease ends", "expiresAt <= now", "expiresAt < now"],
    ["the last priority comes first", "a.priority - b.priority", "b.priority - a.priority"],
    ["the newest task comes first", "a.sequence - b.sequence", "b.sequence - a.sequence"],
    ["what crashed once is claimed with others", "task.crashes > 0", "task.crashes > 1"],
  ]),
  ...mutantsOf(`${core}/Backoff.ts`, ["calm"], [
    ["the exponent of the backoff is off by one", "factor ** (attempt - 1)", "factor ** attempt"],
  ]),
]
