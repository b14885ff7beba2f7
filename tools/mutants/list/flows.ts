/** Mutants of flows: of the rules of steps, of the conductor, and of what drivers do for runs. */
import { mutantsOf } from "../Mutant.ts"

const core = "packages/core/src"
const internal = "packages/driver-memory/src/internal"
const statements = "packages/driver-postgres/src/statements"

export const flows = [
  ...mutantsOf(`${core}/Progress.ts`, ["memory"], [
    ["flows: a step that has ended wakes nobody", "open(of) <= 0", "open(of) < 0"],
    ["flows: a task more is not counted", "tasks: of.tasks + 1", "tasks: of.tasks"],
    [
      "flows: a retried task stays counted",
      "added(of, report.leaves, -1)",
      "added(of, report.leaves, 0)",
    ],
  ]),
  ...mutantsOf(`${core}/Transition.ts`, ["memory"], [
    [
      "flows: one wake is overlooked",
      `{ state: "waiting", seen }`,
      `{ state: "waiting", seen: seen + 1 }`,
    ],
    [
      "flows: a failed step tells its run too late",
      `to === "cancelled" || (to === "failed" && onExhausted === "fail")`,
      `to === "cancelled"`,
    ],
    [
      "flows: a step that may be skipped fails",
      `branch?.onExhausted === "skip" ? "skipped"`,
      `branch?.onExhausted === "skip" ? "failed"`,
    ],
    [
      "flows: what a run spent is never cleared",
      "  failures: 0,\n  crashes: 0,\n  starts,\n",
      "  starts,\n",
    ],
  ]),
  ...mutantsOf(`${internal}/Store.ts`, ["memory"], [
    [
      "flows, memory: a wake between looking and waiting is lost",
      ".wakes > to.seen ? [taskId] : []",
      ".wakes > Infinity ? [taskId] : []",
    ],
    [
      "flows, memory: tasks are started without the fence",
      "for (const { starts = [] } of applied)",
      "for (const { starts = [] } of changes)",
    ],
    [
      "flows, memory: a report counts twice",
      "for (const report of reports) this.tree.report(report)",
      "for (const report of [...reports, ...reports]) this.tree.report(report)",
    ],
    [
      "flows, memory: a stale change is reported",
      "const reports = applied.flatMap(",
      "const reports = changes.flatMap(",
    ],
  ]),
  ...mutantsOf(`${internal}/Pruning.ts`, ["memory"], [
    [
      "flows, memory: the task of a step is pruned before its run",
      ' && !store.rows.has(row.task.parent ?? "")',
      "",
    ],
  ]),
  ...mutantsOf(`${internal}/Tree.ts`, ["memory"], [
    [
      "flows, memory: a run is cancelled without the runs below it",
      "for (const row of found) for (const child",
      "for (const row of roots) for (const child",
    ],
  ]),
  ...mutantsOf(`${core}/internal/flow/Plan.ts`, ["graphs"], [
    [
      "flows: the index of an element is off by one",
      "taskOf(flow, run, step, index, element",
      "taskOf(flow, run, step, index + 1, element",
    ],
    [
      "flows: a condition is turned around",
      "if (met) return started(",
      "if (!met) return started(",
    ],
    [
      "flows: a skip never cascades",
      `fact._tag === "Skipped" && fact.cascades)`,
      `fact._tag === "Skipped" && fact.cascades && false)`,
    ],
  ]),
  ...mutantsOf(`${core}/internal/flow/Unwinding.ts`, ["graphs"], [
    ["flows: the oldest is undone first", "endedAt(b) - endedAt(a)", "endedAt(a) - endedAt(b)"],
    [
      "flows: an empty map is undone",
      ` && record.index !== wholeMap)`,
      `)`,
    ],
  ]),
  ...mutantsOf(`${statements}/Report.ts`, ["pglite"], [
    [
      "flows, SQL: a step that has ended wakes nobody",
      "s.tasks <= s.completed + s.failed",
      "s.tasks < s.completed + s.failed",
    ],
    [
      "flows, SQL: a wake between looking and waiting is lost",
      "or r.wakes > excluded.seen then",
      "or false then",
    ],
    [
      "flows, SQL: a failed step tells its run too late",
      "where (wakes or asks and",
      "where (asks and",
    ],
    [
      "flows, SQL: cancelled tasks are not counted",
      "cancelled = s.cancelled + excluded.cancelled",
      "cancelled = s.cancelled",
    ],
  ]),
]
