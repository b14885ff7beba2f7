import { assert, assertEquals } from "@std/assert"
import type { Driver } from "@millrace/core"
import { Effect } from "effect"
import { after, describe, it } from "node:test"
import * as F from "./fixtures.ts"
import { connect, dropSchema, schemaName } from "./server.ts"

const schema = schemaName()
after(() => dropSchema(schema))

const timeout = 240_000
const workers = Array.from({ length: 6 }, (_, index) => `limited-${index}`)
const rounds = 100

const two = async () => {
  const one = await F.openSchema(schema, { maxConnections: 8 })
  const other = await F.openSchema(schema, { maxConnections: 8 })
  await one.run(Effect.forEach(workers, (worker) => one.driver.heartbeat(F.beatOf(worker))))
  const driverOf = (index: number) => (index % 2 === 0 ? one : other).driver
  return {
    one,
    driverOf,
    [Symbol.asyncDispose]: async () => {
      await one[Symbol.asyncDispose]()
      await other[Symbol.asyncDispose]()
    },
  }
}

const claimAll = (
  driverOf: (index: number) => F.Service,
  queue: string,
  limit: number,
): Effect.Effect<ReadonlyArray<Driver.ClaimedTask>, unknown> =>
  Effect.map(
    Effect.forEach(
      workers,
      (worker, index) => driverOf(index).claim(F.claimOf(worker, limit, queue)),
      { concurrency: "unbounded" },
    ),
    (claims) => claims.flatMap(({ tasks }) => tasks),
  )

/** Ends what is held, so that the claims of later rounds have not to count it. */
const endAll = async (one: F.Opened, tasks: ReadonlyArray<Driver.ClaimedTask>): Promise<void> => {
  await one.run(one.driver.settle(tasks.map(F.completed)))
}

describe("limits with real connections", () => {
  it(
    "never let one more through, while tasks are settled, each of 100 rounds",
    { timeout },
    async () => {
      await using opened = await two()
      const { driverOf, one } = opened
      const queue = "concurrent"
      await one.run(one.driver.limit(queue, { concurrency: 7 }))
      await one.run(one.driver.insert(F.newTasks(1000, { queue })))
      const held = new Map<string, Driver.ClaimedTask>()
      let done = 0
      for (let round = 0; round < rounds; round++) {
        // While some are settled six claim at once; the others stay held.
        const ending = [...held.values()].slice(0, round % 8)
        for (const { id } of ending) held.delete(id)
        const before = held.size
        const [claimed] = await one.run(Effect.all([
          claimAll(driverOf, queue, 3),
          driverOf(round).settle(ending.map(F.completed)),
        ], { concurrency: "unbounded" }))
        done += ending.length
        for (const task of claimed) held.set(task.id, task)
        assertEquals(held.size, before + claimed.length, `round ${round}: a task was claimed twice`)
        assert(held.size <= 7, `round ${round}: ${held.size} are held`)
        const rest = await one.run(claimAll(driverOf, queue, 3))
        for (const task of rest) held.set(task.id, task)
        assertEquals(held.size, 7, `round ${round}`)
      }
      assert(done > 300, `only ${done} were settled`)
    },
  )

  it(
    "hold from the moment on that they are said, whatever is claimed meanwhile",
    { timeout },
    async () => {
      await using opened = await two()
      const { driverOf, one } = opened
      let partly = 0
      for (let round = 0; round < rounds; round++) {
        const queue = `said_${round}`
        await one.run(one.driver.insert(F.newTasks(60, { queue })))
        const claims = (limit: number) => claimAll(driverOf, queue, limit)
        const both = Effect.zipWith(claims(1), claims(4), (some, others) => [...some, ...others])
        const claimed = await one.run(Effect.all([
          claims(2),
          both,
          both,
          Effect.as(one.driver.limit(queue, { concurrency: 10 }), []),
        ], { concurrency: "unbounded" }))
        const held = () => one.driver.find({ queue, states: ["running"], limit: 100 })
        const before = await one.run(held())
        const more = await one.run(claims(5))
        assertEquals(more.length, Math.max(0, 10 - before.length), `round ${round}`)
        if (before.length < 60) partly++
        await endAll(one, [...claimed.flat(), ...more])
      }
      assert(partly > 0, "the limit never came first")
    },
  )

  it("hand out each token once, each of 100 rounds", { timeout }, async () => {
    await using opened = await two()
    const { driverOf, one } = opened
    for (let round = 0; round < rounds; round++) {
      const queue = `rate_${round}`
      const rate = { count: 1, periodMillis: 3_600_000, burst: 1 + round % 9 }
      await one.run(one.driver.limit(queue, { rate }))
      await one.run(one.driver.insert(F.newTasks(20, { queue })))
      const claimed = await one.run(claimAll(driverOf, queue, 3))
      const again = await one.run(claimAll(driverOf, queue, 3))
      assertEquals([claimed.length, again.length], [rate.burst, 0], `round ${round}`)
      await endAll(one, claimed)
    }
  })

  it("keep the order of each key, one at a time, until all is done", { timeout }, async () => {
    await using opened = await two()
    const { driverOf, one } = opened
    const queue = "groups"
    const keys = Array.from({ length: 10 }, (_, index) => `key ${index}`)
    const tasks = Array.from(
      { length: 400 },
      (_, index) => F.newTask({ queue, group: keys[index % keys.length]! }),
    )
    const groupOf = new Map(tasks.map(({ group, id }) => [id, group!]))
    await one.run(one.driver.insert(tasks))
    const order = new Map(keys.map((key) => [key, [] as Array<string>]))
    const open = new Set<string>()
    const work = (worker: string, driver: F.Service) =>
      Effect.gen(function* () {
        for (let empty = 0; empty < 400;) {
          const claim = yield* driver.claim(F.claimOf(worker, 3, queue))
          if (claim.tasks.length === 0) empty++
          for (const { id } of claim.tasks) {
            const key = groupOf.get(id)!
            assert(!open.has(key), `${key} is held twice`)
            open.add(key)
            order.get(key)!.push(id)
          }
          for (const task of claim.tasks) {
            open.delete(groupOf.get(task.id)!)
            yield* driver.settle([F.completed(task)])
          }
          if ([...order.values()].every(({ length }) => length === 40)) return
        }
      })
    await one.run(Effect.all(
      workers.slice(0, 8).map((worker, index) => work(worker, driverOf(index))),
      { concurrency: "unbounded" },
    ))
    for (const key of keys) {
      assertEquals(order.get(key), tasks.filter(({ group }) => group === key).map(({ id }) => id))
    }
  })

  it("never take a queue beyond its maximum depth, each of 100 rounds", { timeout }, async () => {
    await using opened = await two()
    const { driverOf, one } = opened
    for (let round = 0; round < rounds; round++) {
      const queue = `deep_${round}`
      await one.run(one.driver.limit(queue, { maxDepth: 10 }))
      const inserts = Array.from(
        { length: 30 },
        (_, index) => driverOf(index).insert(F.newTasks(1 + index % 3, { queue })),
      )
      const answers = await one.run(Effect.all(inserts, { concurrency: "unbounded" }))
      const stored = answers.flat().filter(({ inserted }) => inserted).length
      assert(stored <= 10 && stored >= 8, `round ${round}: ${stored} were stored`)
      const found = await one.run(one.driver.find({ queue, limit: 100 }))
      assertEquals(found.length, stored)
    }
  })

  it("leave no bucket behind that is full again", async () => {
    await using opened = await two()
    const { driverOf, one } = opened
    const rate = { count: 1000, periodMillis: 1000, burst: 5 }
    const keys = { concurrency: 10, onFailure: "skip", rate } as const
    await one.run(one.driver.limit("buckets", { keys }))
    for (let round = 0; round < 3; round++) {
      const tasks = Array.from(
        { length: 50 },
        (_, index) => F.newTask({ queue: "buckets", group: `${round} ${index}` }),
      )
      await one.run(one.driver.insert(tasks))
      while ((await one.run(claimAll(driverOf, "buckets", 20))).length > 0);
    }
    const sql = connect()
    const [left] = await sql.unsafe(`select count(*)::int as buckets from "${schema}".buckets b
      join "${schema}".queues q on q.id = b.queue_id where q.name = 'buckets'`)
    await sql.end()
    assert(left!.buckets <= 100, `${left!.buckets} buckets of 150 keys are left`)
  })
})
