/**
 * Breaks Millrace in one way after the other, and shows that the conformance cases or the
 * simulation see it:
 *
 *     npm run mutants [-- --only TEXT] [--list]
 */
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import { mutants } from "./all.ts"
import { cleanLimitMillis, look, type Verdict } from "./checks.ts"
import type { Check, Mutant } from "./Mutant.ts"
import { Sandbox } from "./Sandbox.ts"

interface Row {
  readonly mutant: string
  readonly by: string
  readonly seeds: string
  readonly seconds: number
}

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: { only: { type: "string", default: "" }, list: { type: "boolean", default: false } },
  })
  const chosen = mutants.filter(({ name }) => name.includes(values.only))
  if (values.list) console.log(chosen.map(({ name }) => name).join("\n"))
  if (values.list) return 0
  if (chosen.length === 0) {
    console.error(`No mutant has "${values.only}" in its name`)
    return 2
  }
  const sandbox = new Sandbox(join(import.meta.dirname!, "../.."))
  process.on("exit", () => sandbox.remove())
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130))
  return await control(sandbox, chosen) ? await hunt(sandbox, chosen) : 1
}

/** Each check has to be clean where nothing is broken; else what it finds says nothing. */
const control = async (sandbox: Sandbox, chosen: ReadonlyArray<Mutant>): Promise<boolean> => {
  for (const check of new Set(chosen.flatMap(({ checks }) => checks))) {
    const verdict = await look(sandbox, check, cleanLimitMillis)
    if (verdict._tag === "clean") continue
    const why = verdict._tag === "found" ? verdict.by : verdict.output.slice(-2000)
    console.error(`The check "${check}" fails without a mutant. ${why}`)
    return false
  }
  return true
}

const hunt = async (sandbox: Sandbox, chosen: ReadonlyArray<Mutant>): Promise<number> => {
  const rows: Array<Row> = []
  let survivors = 0
  for (const mutant of chosen) {
    const began = performance.now()
    const verdict = await sandbox.with(mutant, () => search(sandbox, mutant.checks))
    const seconds = Math.round((performance.now() - began) / 100) / 10
    if (verdict._tag !== "found") survivors++
    const by = verdict._tag === "found" ? verdict.by : "NOT FOUND"
    const seeds = verdict._tag === "found" ? verdict.seeds : ""
    rows.push({ mutant: mutant.name, by, seeds, seconds })
    console.error(`${rows.length}/${chosen.length} ${mutant.name}: ${by}`)
    if (verdict._tag === "broken") console.error(verdict.output.slice(-2000))
  }
  print(rows)
  console.log(`\n${chosen.length - survivors} of ${chosen.length} mutants were found`)
  return survivors === 0 ? 0 : 1
}

/** Looks with one check after the other, until one finds something. */
const search = async (sandbox: Sandbox, checks: ReadonlyArray<Check>): Promise<Verdict> => {
  let last: Verdict = { _tag: "clean" }
  for (const check of checks) {
    const verdict = await look(sandbox, check)
    if (verdict._tag === "found") return verdict
    if (verdict._tag === "broken") last = verdict
  }
  return last
}

const print = (rows: ReadonlyArray<Row>): void => {
  console.log("| Mutant | Found by | Seeds | Seconds |\n|---|---|---|---|")
  for (const { mutant, by, seeds, seconds } of rows) {
    console.log(`| ${mutant} | ${by.replaceAll("|", "\\|")} | ${seeds} | ${seconds} |`)
  }
}

process.exit(await main())
