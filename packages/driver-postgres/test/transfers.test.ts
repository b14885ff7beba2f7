/**
 * Transfers by workers that are killed at any moment, over connections that lose commits: no money
 * comes or goes, and nothing is done twice. `npm run transfers` runs the long form.
 */
import { assert, assertEquals } from "@std/assert"
import { Postgres } from "@millrace/driver-postgres"
import { type ChildProcess, spawn } from "node:child_process"
import process from "node:process"
import { after, describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import * as F from "./fixtures.ts"
import { type Relay, startRelay } from "./relay.ts"
import { connect, databaseUrl, dropSchema, schemaName } from "./server.ts"
import { accounts, createTables, opening, Transfer } from "./transfers.ts"

const count = Number(process.env["TRANSFERS"] ?? 1000)
const kills = Math.max(8, Math.round(count / 250))
const losses = Math.max(10, Math.round(count / 100))
const workers = 3

const schema = schemaName()
const sql = connect()
after(async () => {
  await sql.end()
  await dropSchema(schema)
})

/** Numbers from 0 to 1, the same for the same seed. */
const randomOf = (seed: number) => () => {
  seed = (seed * 1664525 + 1013904223) >>> 0
  return seed / 2 ** 32
}

const script = fileURLToPath(new URL("./transfers-worker.ts", import.meta.url))

const start = (url: string): ChildProcess => {
  const args = "Deno" in globalThis ? ["run", "--allow-all", script] : [script]
  return spawn(process.execPath, [...args, url, schema], {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, DENO_NO_UPDATE_CHECK: "1" },
  })
}

const kill = (child: ChildProcess) =>
  new Promise<void>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once("exit", () => resolve())
    child.kill("SIGKILL")
  })

const numberOf = async (text: string) => Number((await sql.unsafe(text))[0]!["n"])

const done = () => numberOf(`select count(*) as n from "${schema}".ledger`)

const open = () =>
  numberOf(`select (select count(*) from "${schema}".tasks)
    - (select count(*) from "${schema}".attempts where state <> 'ready') as n`)

/** Kills workers and loses commits as the work goes on, until all of it has ended. */
const disturb = async (relay: Relay) => {
  const random = randomOf(42)
  const running = Array.from({ length: workers }, () => start(relay.url))
  let killed = 0
  let disturbed = 0
  try {
    while (await open() > 0) {
      const progress = await done()
      if (killed < kills && progress >= (count * killed) / kills) {
        const which = Math.floor(random() * workers)
        await kill(running[which]!)
        running[which] = start(relay.url)
        killed++
      }
      if (disturbed < losses && progress >= (count * disturbed) / losses) {
        relay.loseNextCommit(random() < 0.5 ? "answer" : "request")
        disturbed++
      }
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  } finally {
    await Promise.all(running.map(kill))
  }
  return killed
}

describe("transfers by workers that are killed", () => {
  it(`move all of the money once: ${count}`, { timeout: 60_000 + count * 60 }, async () => {
    await using opened = await F.open(Postgres.layer({ url: databaseUrl(), schema }))
    for (const text of createTables(schema)) await sql.unsafe(text)
    const random = randomOf(7)
    const account = () => 1 + Math.floor(random() * accounts)
    const inputs = Array.from({ length: count }, () => {
      const from = account()
      return { from, to: 1 + (from % accounts), amount: 1 + Math.floor(random() * 100) }
    })
    const ids = await opened.run(Transfer.enqueueMany(inputs))
    const relay = await startRelay()
    const killed = await disturb(relay)
    await relay.close()

    const expected = new Map(Array.from({ length: accounts }, (_, n) => [n + 1, opening]))
    for (const { from, to, amount } of inputs) {
      expected.set(from, expected.get(from)! - amount)
      expected.set(to, expected.get(to)! + amount)
    }
    const rows = await sql.unsafe(`select id, balance from "${schema}".account order by id`)
    assertEquals(new Map(rows.map((row) => [row["id"], row["balance"]])), expected)
    const ledger = await sql.unsafe(`select transfer from "${schema}".ledger order by transfer`)
    assertEquals(ledger.map((row) => row["transfer"]), ids.toSorted())
    const ended = await sql.unsafe(`
      select state, flow, count(*)::int as n from "${schema}".task_states group by 1, 2 order by 2`)
    assertEquals(ended.map(({ state, flow, n }) => [flow, state, n]), [
      ["receipt", "completed", count],
      ["transfer", "completed", count],
    ])
    const receipts = await sql.unsafe(`
      select input->>'transfer' as transfer from "${schema}".tasks where flow = 'receipt' order by 1`)
    assertEquals(receipts.map((row) => row["transfer"]), ids.toSorted())
    // The faults were there.
    const crashed = await numberOf(
      `select count(*) as n from "${schema}".attempts where kind = 'crashed'`,
    )
    const putOff = await numberOf(
      `select count(*) as n from "${schema}".attempts where kind = 'snoozed'`,
    )
    assertEquals(killed, kills)
    assert(crashed > 0, "no kill came in the middle of an attempt")
    assert(relay.lost() > losses / 2, `only ${relay.lost()} commits were lost`)
    console.error(
      `${count} transfers; ${killed} kills, ${crashed} crashed attempts, ` +
        `${relay.lost()} lost commits, ${putOff} attempts put off`,
    )
  })
})
