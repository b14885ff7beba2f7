import { assert } from "@std/assert"
import type { Task } from "@millrace/core"
import * as Statements from "@millrace/driver-postgres/Statements"
import { applyParams } from "@millrace/driver-postgres/statements/Apply"
import { insertParams } from "@millrace/driver-postgres/statements/Insert"
import { insertFlowParams } from "@millrace/driver-postgres/statements/InsertFlow"
import { insertNewParams } from "@millrace/driver-postgres/statements/InsertNew"
import { insertOneParams } from "@millrace/driver-postgres/statements/InsertOne"
import { reportParams } from "@millrace/driver-postgres/statements/Report"
import { settleParams } from "@millrace/driver-postgres/statements/Settle"
import { settleReportingParams } from "@millrace/driver-postgres/statements/SettleReporting"
import { after, describe, it } from "node:test"
import postgres from "postgres"
import * as F from "./fixtures.ts"
import { databaseUrl, dropSchema, schemaName } from "./server.ts"

const schemas = [schemaName(), schemaName()] as const
after(() => Promise.all(schemas.map(dropSchema)))

// As the driver sets them.
const planner = {
  enable_bitmapscan: "off",
  enable_seqscan: "off",
  enable_sort: "off",
  jit: "off",
  plan_cache_mode: "force_generic_plan",
}

/** Few rows by nature: a look at all of them is no scan of a table that grows. */
const small = /Seq Scan on (?:workers|queues)\b/

const explain = async (sql: postgres.Sql, text: string, params: ReadonlyArray<string | null>) => {
  const rows = await sql.unsafe(`explain (costs off) ${text}`, params as Array<string | null>, {
    prepare: true,
  })
  return rows.map((row) => String(row["QUERY PLAN"]))
}

const found = (
  by: { readonly ids?: string; readonly runs?: string; readonly parents?: string },
) => [
  ...[null, null, null, "10", null, null],
  ...[by.ids ?? null, by.runs ?? null, by.parents ?? null],
]

/** The parameters of a list, by their numbers. */
const listed = (by: Readonly<Record<number, string>>) =>
  Array.from({ length: 18 }, (_, index) => by[index + 1] ?? (index === 3 ? "10" : null))

const listsOf = ({ newest, oldest }: Statements.Statements, id: string) =>
  [oldest, newest].flatMap((lists) =>
    [
      ["list", lists.all, listed({ 11: "true", 1: "mail", 13: "5" })],
      ["list of ids", lists.ids, listed({ 7: id })],
      ["list by key", lists.key, listed({ 15: "mail", 16: "k" })],
      ["list by label", lists.labels, listed({ 17: `{"",customer}`, 18: "{a,7}" })],
      ["list by state and label", lists.states, listed({ 3: "{failed}", 17: `{""}`, 18: "{a}" })],
      ["list by state", lists.states, listed({ 3: "{ready,failed}", 11: "true" })],
    ] as const
  )

const check = async (schema: string) => {
  const sql = postgres(databaseUrl(), { max: 1, fetch_types: false, connection: planner as object })
  const statements = Statements.make(schema)
  const change = F.completed({
    id: F.newId(),
    state: "running",
    lease: 1,
    failures: 0,
    crashes: 0,
    maxAttempts: 1,
    maxCrashes: 1,
    awaited: true,
  })
  const id = `{${F.newId()}}`
  const parent = F.newId()
  const step = F.newTasks(2, { parent, flowType: "flow", version: "v1" })
  const told: Task.Change = {
    ...change,
    report: { parent, step: "pack", enters: "completed", wakes: false },
  }
  const counts = { parent, step: "pack", tasks: 2, completed: 0, failed: 0, cancelled: 0 }
  const report = reportParams(null, "{1}", [{ ...counts, skipped: 0, asks: true, wakes: true }], [
    { task: parent, seen: 0, lease: 1, failures: 0, crashes: 0 },
  ])
  const settled = settleReportingParams(null, [1], [{ change: told, claim: 1 }])
  const stored = insertFlowParams(null, { always: false }, step, () => 1)
  const hot: ReadonlyArray<readonly [string, string, ReadonlyArray<string | null>]> = [
    ["insert", statements.insert, insertParams(null, { always: false }, F.newTasks(2), () => 1)],
    ["insert new", statements.insertNew, insertNewParams(null, F.newTasks(2), () => 1)],
    [
      "insert one",
      statements.insertOne,
      insertOneParams(null, { always: false }, F.newTask(), () => 1),
    ],
    ["claim", statements.claim, [null, "w", "{1,2}", "{500,500}", "true"]],
    ["claim from marks", statements.claimFrom, [
      null,
      "w",
      "{1,2}",
      "{500,500}",
      "true",
      "{1,1,2}",
      "{4,5,5}",
      "{0,0,0}",
    ]],
    ["settle", statements.settle, settleParams(null, [1], [{ change, claim: 1 }])],
    ["settle ends", statements.settleEnds, settleParams(null, [1], [{ change, claim: 1 }])],
    ["insert of a flow", statements.insertFlow.nothing, stored],
    ["start of a flow", statements.insertStarted.nothing, stored],
    ["settle of a flow", statements.settleReporting, settled],
    ["settle of a flow ends", statements.settleReportingEnds, settled],
    ["report", statements.report, report],
    ["apply", statements.apply, applyParams(null, [{ ...change, from: "waiting" }])],
    ["lock of a run", statements.lockRuns, [id]],
    ["stand of a run", statements.standingOfRuns, [id]],
    ["progress", statements.progress, [id]],
    ["beat", statements.beat, [null, "w", id, "{1}", "1000"]],
    ["beat with progress", statements.beatReporting, [
      ...[null, "w", id, "{1}", "1000"],
      ...[id, "{1}", "{0.5}", "{half}"],
    ]],
    ["queues", statements.queueStates, [null]],
    ["find by run", statements.find.runs, found({ runs: id })],
    ["find by id", statements.find.ids, found({ ids: id })],
    ["find of a run", statements.find.parents, found({ parents: id })],
    ["find", statements.find.all, found({})],
    ...listsOf(statements, id),
    ["stand", statements.standing, [id]],
    ["overdue", statements.overdue, [null, "100"]],
    ["what has begun", statements.forgetBegun, [null]],
    ["below what was pruned", statements.lockBelow, [id, "1000"]],
    ["arm", statements.arm, [null, "w", "{1}"]],
  ]
  for (const [name, text, params] of hot) {
    const plan = await explain(sql, text, params)
    const scans = plan.filter((line) => line.includes("Seq Scan") && !small.test(line))
    assert(scans.length === 0, `${name} scans:\n${plan.join("\n")}`)
    // Only the window over one batch sorts, the lookup of a few tasks by id, that of those that run,
    // and what one batch tells runs. What is merged is in order already.
    const sorts = plan.filter((line, index) =>
      /Sort Key/.test(line) && !/Merge Append/.test(plan[index - 1]!) &&
      !/priority|\bid$|u\.task_id|claims|counts|touched|expires/.test(line)
    )
    assert(sorts.length === 0, `${name} sorts:\n${plan.join("\n")}`)
  }
  await sql.end()
}

describe("the plans of the hot statements use indexes", () => {
  it("on an empty schema", async () => {
    await using _opened = await F.openSchema(schemas[0])
    await check(schemas[0])
  })

  it("on a filled one, never analyzed and analyzed", { timeout: 60_000 }, async () => {
    await using opened = await F.openSchema(schemas[1])
    const { driver, run } = opened
    const sql = postgres(databaseUrl(), { max: 1, onnotice: () => undefined })
    for (const table of ["tasks", "ready", "scheduled", "attempts", "claims"]) {
      await sql.unsafe(`alter table "${schemas[1]}".${table} set (autovacuum_enabled = off)`)
    }
    await run(driver.heartbeat(F.beatOf("w")))
    for (let nth = 0; nth < 20; nth++) {
      await run(driver.insert(F.newTasks(1000)))
      await run(driver.insert(F.newTasks(100, { delayMillis: 1e9 })))
      if (nth % 2 === 0) continue
      const { tasks } = await run(driver.claim(F.claimOf("w", 500)))
      await run(driver.settle(tasks.map(F.completed)))
    }
    await check(schemas[1])
    await sql.unsafe("analyze")
    await check(schemas[1])
    await sql.end()
  })
})
