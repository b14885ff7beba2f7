import { assert, assertEquals } from "@std/assert"
import { Effect } from "effect"
import { after, describe, it } from "node:test"
import * as F from "./fixtures.ts"
import { connect, dropSchema, schemaName } from "./server.ts"

const schema = schemaName()
after(() => dropSchema(schema))

const timeout = 120_000

describe("with real connections", () => {
  it("twenty claimers never share a task, and none is lost", { timeout }, async () => {
    await using opened = await F.openSchema(schema, { maxConnections: 20 })
    const { driver, run } = opened
    const workers = Array.from({ length: 20 }, (_, index) => `claimer-${index}`)
    await run(Effect.forEach(workers, (worker) => driver.heartbeat(F.beatOf(worker))))
    for (let round = 0; round < 15; round++) {
      const tasks = F.newTasks(200, { queue: "race" })
      const [, ...claims] = await run(Effect.all([
        driver.insert(tasks),
        ...workers.map((worker) => driver.claim(F.claimOf(worker, 15, "race"))),
        ...workers.map((worker) => driver.claim(F.claimOf(worker, 15, "race"))),
      ], { concurrency: "unbounded" }))
      const rest = await run(driver.claim(F.claimOf(workers[0]!, 1000, "race")))
      const claimed = [...claims, rest].flatMap((claim) => "tasks" in claim ? claim.tasks : [])
      assertEquals(claimed.length, new Set(claimed.map(({ id }) => id)).size)
      assertEquals(claimed.map(({ id }) => id).sort(), tasks.map(({ id }) => id).sort())
      const settled = await run(driver.settle(claimed.map(F.completed)))
      assert(settled.every(({ status }) => status === "applied"))
    }
    const sql = connect()
    const [counts] = await sql.unsafe(`select
      (select count(*)::int from "${schema}".attempts) as attempts,
      (select count(*)::int from "${schema}".ready) as ready,
      (select count(*)::int from "${schema}".claims) as claims`)
    await sql.end()
    assertEquals({ ...counts }, { attempts: 3000, ready: 0, claims: 0 })
  })

  it("one lease that many settle at a time is applied once", { timeout }, async () => {
    await using opened = await F.openSchema(schema, { maxConnections: 10 })
    const { driver, run } = opened
    await using other = await F.openSchema(schema)
    await run(driver.heartbeat(F.beatOf("same-lease")))
    for (let round = 0; round < 100; round++) {
      // Of each second round the claim ends, and of the others it has a task that runs on.
      const queue = `same_lease_${round}`
      await run(driver.insert(F.newTasks(3 + round % 2, { queue })))
      const { tasks } = await run(driver.claim(F.claimOf("same-lease", 10, queue)))
      const changes = tasks.slice(0, 3).map(F.completed)
      const answers = await run(Effect.all([
        ...[changes, changes.toReversed(), changes, changes.toReversed()].map(driver.settle),
        ...changes.map((change) => driver.settle([change])),
        other.driver.settle(changes),
      ], { concurrency: "unbounded" }))
      const all = answers.flat()
      const count = (status: string) => all.filter((one) => one.status === status).length
      assertEquals([count("applied"), count("stale"), all.length], [3, 0, 18], `round ${round}`)
      assert(all.every(({ kind }) => kind === "completed"))
    }
  })

  it("settling and expiry never both apply", { timeout }, async () => {
    await using opened = await F.openSchema(schema, { maxConnections: 8 })
    const { driver, run } = opened
    await using other = await F.openSchema(schema)
    let recovered = 0
    let settled = 0
    for (let round = 0; round < 40; round++) {
      const worker = `expiring-${round}`
      await run(driver.heartbeat(F.beatOf(worker)))
      await run(driver.insert(F.newTasks(30, { queue: `expiry_${round}` })))
      const { tasks } = await run(driver.claim(F.claimOf(worker, 30, `expiry_${round}`)))
      const halves = [tasks.slice(0, 15), tasks.slice(15)]
      await run(driver.heartbeat(F.beatOf(worker, 0)))
      // Each may be the first, on whichever machine.
      const later = Effect.delay(round % 20)
      // Another process settles as well: without memory of the claim it takes the slower way.
      const settling = [
        driver.settle(halves[0]!.map(F.completed)),
        other.driver.settle(halves[1]!.map(F.completed)),
      ] as const
      const recovery = driver.transact({ _tag: "Expired", limit: 1000 }, F.expiring)
      const race = round % 2 === 0
        ? await run(Effect.all([...settling, recovery], { concurrency: "unbounded" }))
        : await run(
          Effect.all([recovery, later(settling[0]), later(settling[1])], {
            concurrency: "unbounded",
          }),
        )
      const [crashed, first, second] = round % 2 === 0 ? [race[2], race[0], race[1]] as const : race
      const rest = await run(driver.transact({ _tag: "Expired", limit: 1000 }, F.expiring))
      const applied = [...first, ...second, ...crashed, ...rest]
        .filter(({ status }) => status === "applied").map(({ taskId }) => taskId)
      recovered += crashed.length + rest.length
      assertEquals(applied.slice().sort(), tasks.map(({ id }) => id).sort(), `round ${round}`)
      for (const { status, kind } of [...first, ...second]) {
        settled += status === "applied" ? 1 : 0
        assert(status === "applied" || kind === "crashed", `${status} ${kind}`)
      }
    }
    assert(recovered > 0, "expiry never came first")
    assert(settled > 0, "settling never came first")
  })

  it("cancelling, claiming and settling end each task once", { timeout }, async () => {
    await using opened = await F.openSchema(schema, { maxConnections: 12 })
    const { driver, run } = opened
    await run(driver.heartbeat(F.beatOf("canceller")))
    const kinds: Record<string, number> = {}
    for (let round = 0; round < 30; round++) {
      const queue = `cancel_${round}`
      const tasks = F.newTasks(40, { queue })
      const ids = tasks.map(({ id }) => id)
      await run(driver.insert(tasks))
      const work = Effect.gen(function* () {
        for (let empty = 0; empty < 3;) {
          const claim = yield* driver.claim(F.claimOf("canceller", 7, queue))
          if (claim.tasks.length === 0) empty++
          yield* driver.settle(claim.tasks.map(F.completed))
        }
      })
      await run(Effect.all([
        work,
        work,
        driver.transact({ _tag: "Tasks", ids: ids.slice(0, 20) }, F.cancelling),
        driver.transact({ _tag: "Tasks", ids: ids.slice(10).reverse() }, F.cancelling),
      ], { concurrency: "unbounded" }))
      const records = await run(driver.find({ runs: ids, limit: 100 }))
      assertEquals(records.length, 40)
      for (const record of records) {
        assertEquals(record.history.length, 1, JSON.stringify(record))
        assertEquals(record.history[0]!.kind, record.state)
        kinds[record.state] = (kinds[record.state] ?? 0) + 1
      }
    }
    assert(kinds.completed! > 0 && kinds.cancelled! > 0, JSON.stringify(kinds))
  })

  it("a queue that many meet first has one number", { timeout }, async () => {
    await using one = await F.openSchema(schema, { maxConnections: 8 })
    await using two = await F.openSchema(schema, { maxConnections: 8 })
    for (let round = 0; round < 10; round++) {
      const inserts = Array.from(
        { length: 8 },
        (_, index) =>
          (index % 2 ? one : two).driver.insert(F.newTasks(3, { queue: `fresh_${round}` })),
      )
      await one.run(Effect.all(inserts, { concurrency: "unbounded" }))
      const found = await one.run(one.driver.find({ queue: `fresh_${round}`, limit: 100 }))
      assertEquals(found.length, 24)
    }
  })

  it("one id that many insert is stored once", { timeout }, async () => {
    await using opened = await F.openSchema(schema, { maxConnections: 10 })
    const { driver, run } = opened
    const tasks = F.newTasks(50, { queue: "same" })
    const answers = await run(Effect.all(
      Array.from(
        { length: 10 },
        (_, index) => driver.insert(index % 2 ? tasks : tasks.slice().reverse()),
      ),
      { concurrency: "unbounded" },
    ))
    assertEquals(answers.flat().filter(({ inserted }) => inserted).length, 50)
    await run(driver.heartbeat(F.beatOf("same")))
    assertEquals((await run(driver.claim(F.claimOf("same", 1000, "same")))).tasks.length, 50)
  })
})
