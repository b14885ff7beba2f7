/** Mutants of the memory driver. */
import { mutantsOf } from "../Mutant.ts"

const internal = "packages/driver-memory/src/internal"

export const memory = [
  ...mutantsOf(`${internal}/Store.ts`, ["memory", "storm"], [
    [
      "memory: no fence",
      "row.state !== change.from || row.lease !== change.lease",
      "row.state !== change.from",
    ],
    [
      "memory: fence by attempt number",
      "row.lease !== change.lease",
      "row.failures + 1 !== (change.entry.attempt ?? row.failures + 1)",
    ],
    [
      "memory: a settle is not idempotent",
      "if (before !== undefined) {",
      "if (false as boolean) {",
    ],
    ["memory: a claim keeps the lease", "      row.lease++\n", ""],
    [
      "memory: a heartbeat revives an expired lease",
      "if (before !== undefined && this.sessions.live(worker, now) === undefined) {",
      "if (false as boolean) {",
    ],
    [
      "memory: a heartbeat tells nothing of what was lost",
      "return { live: true, lost }",
      "return { live: true, lost: [] }",
    ],
    [
      "memory: an expired worker claims",
      "this.sessions.live(request.worker, now)",
      "this.sessions.get(request.worker)",
    ],
    [
      "memory: a limit is exceeded by one",
      "(asked.get(lane) ?? 0) + limit)",
      "(asked.get(lane) ?? 0) + limit + 1)",
    ],
    [
      "memory: an insert wakes nobody",
      `.add(row, dueAt, now)) this.wake({ _tag: "Ready", queue })`,
      ".add(row, dueAt, now)) return",
    ],
    [
      "memory: a cancelled attempt is not announced",
      `const stops = kind === "cancelled" ||`,
      "const stops =",
    ],
    ["memory: failures are not counted", "    row.failures = change.failures\n", ""],
    [
      "memory: the history is its last entry",
      "    row.history.push({",
      "    row.history.length = 0\n    row.history.push({",
    ],
    [
      "memory: a task is stored over another with its id",
      "exists: (id) => this.rows.has(id)",
      "exists: () => false",
    ],
    [
      "memory: who took a key is forgotten",
      "for (const [name, { id }] of taken) this.keys.set(name, id)",
      "",
    ],
    ["memory: nothing expires", ".slice(0, target.limit)", ".slice(0, 0)"],
  ]),
  ...mutantsOf(`${internal}/Pruning.ts`, ["memory"], [
    [
      "memory: what has not ended is pruned",
      "return Task.isTerminal(state) && last !== undefined",
      "return last !== undefined",
    ],
  ]),
  ...mutantsOf(`${internal}/Sessions.ts`, ["memory", "storm"], [
    ["memory: an ended session keeps its tasks", "    session.expiresAt = -Infinity\n", ""],
  ]),
  ...mutantsOf(`${internal}/Lane.ts`, ["memory", "storm"], [
    [
      "memory: what is due stays scheduled",
      "for (const row of due) this.addReady(row)",
      "due.length = 0",
    ],
  ]),
]
