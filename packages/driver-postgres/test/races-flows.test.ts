import { assert, assertEquals } from "@std/assert"
import { type Driver, type Task, Transition } from "@millrace/core"
import { Effect } from "effect"
import { after, afterEach, beforeEach, describe, it } from "node:test"
import * as F from "./fixtures.ts"
import { connect, dropSchema, schemaName } from "./server.ts"

const schema = schemaName()
after(() => dropSchema(schema))

// A deadlock is repeated, and costs a second each time: it is to be seen in the server's count.
const deadlocks = async () => {
  const sql = connect()
  const rows = await sql`select deadlocks from pg_stat_database where datname = current_database()`
  await sql.end()
  return Number(rows[0]!.deadlocks)
}

let before: number
beforeEach(async () => {
  before = await deadlocks()
})
afterEach(async () => {
  assertEquals(await deadlocks(), before, "Transactions met in a deadlock")
})

const timeout = 120_000

const together = { concurrency: "unbounded" } as const

const ownTask = (more: Partial<Driver.NewTask> = {}): Driver.NewTask =>
  F.newTask({ flowType: "flow", step: "own", version: "v1", ...more })

const stepTasks = (
  count: number,
  parent: string,
  more: Partial<Driver.NewTask> = {},
): ReadonlyArray<Driver.NewTask> =>
  F.newTasks(count, { flowType: "flow", runId: parent, parent, step: "pack", ...more })

const advanced = (
  task: Task.Task,
  starts: ReadonlyArray<Driver.NewTask>,
  seen: number,
): Task.Change =>
  Transition.transition(task, {
    _tag: "AttemptEnded",
    lease: task.lease,
    outcome: { _tag: "Advanced", starts, seen },
  })!

const failed = (task: Task.Task): Task.Change =>
  Transition.transition(task, {
    _tag: "AttemptEnded",
    lease: task.lease,
    outcome: {
      _tag: "Failed",
      failure: { reason: "Error", message: "no luck" },
      retryDelayMillis: undefined,
    },
  })!

const retrying = (tasks: ReadonlyArray<Task.Task>): ReadonlyArray<Task.Change> =>
  tasks.flatMap((task) => Transition.transition(task, { _tag: "RetryRequested" }) ?? [])

/** The counts of a run's steps, as its tasks have it. */
const countsOf = (tasks: ReadonlyArray<Driver.TaskRecord>) => {
  const states = ["completed", "failed", "cancelled", "skipped"] as const
  return [...new Set(tasks.map(({ step }) => step))].sort().map((step) => {
    const own = tasks.filter((task) => task.step === step)
    const count = (state: string) => own.filter((task) => task.state === state).length
    return {
      step,
      tasks: own.length,
      ...Object.fromEntries(states.map((state) => [state, count(state)])),
    }
  })
}

const assertCounted = async (opened: F.Opened, run: string): Promise<void> => {
  const [progress] = await opened.run(opened.driver.progress([run]))
  const tasks = await opened.run(opened.driver.find({ parents: [run], limit: 10_000 }))
  assertEquals(progress!.steps, countsOf(tasks) as unknown as Driver.RunProgress["steps"])
}

/** Stores a run with the tasks of a step, and claims them all. */
const startRun = async (opened: F.Opened, name: string, count: number, worker: string) => {
  const { driver, run } = opened
  const own = ownTask({ queue: `${name}_runs` })
  const tasks = stepTasks(count, own.id, { queue: name })
  await run(driver.insert([own, ...tasks]))
  const claim = (limit: number, queue: string) => run(driver.claim(F.claimOf(worker, limit, queue)))
  return {
    own: (await claim(1, own.queue)).tasks[0]!,
    steps: (await claim(count, name)).tasks,
    again: () => claim(1, own.queue),
  }
}

describe("with real connections, a run", () => {
  it("is woken by the end of its step while it goes to wait", { timeout }, async () => {
    await using opened = await F.openSchema(schema, { maxConnections: 8 })
    await using other = await F.openSchema(schema)
    const { driver, run } = opened
    await run(driver.heartbeat(F.beatOf("waits")))
    for (let round = 0; round < 150; round++) {
      const { own, steps, again } = await startRun(opened, "waits", 3, "waits")
      const [{ wakes }] = await run(driver.progress([own.id])) as [Driver.RunProgress]
      const wait = driver.settle([advanced(own, [], wakes)])
      // Another process ends a step too, and does not remember its claim.
      const ends = steps.map((task, index) =>
        (index === 1 ? other.driver : driver).settle([F.completed(task)])
      )
      const all = round % 3 === 0 ? [wait, ...ends] : [...ends, wait]
      const settled = (await run(Effect.all(all, together))).flat()
      assert(settled.every(({ status }) => status === "applied"), JSON.stringify(settled))
      const [after] = await run(driver.progress([own.id]))
      assertEquals(after!.wakes, wakes + 1, `round ${round}`)
      const claim = await again()
      assertEquals(claim.tasks.map(({ id, lease }) => [id, lease]), [[own.id, 2]], `round ${round}`)
      await assertCounted(opened, own.id)
    }
  })

  it("counts every end of many tasks that end at a time", { timeout }, async () => {
    await using opened = await F.openSchema(schema, { maxConnections: 12 })
    await using other = await F.openSchema(schema, { maxConnections: 4 })
    const { driver, run } = opened
    await run(driver.heartbeat(F.beatOf("counts")))
    for (let round = 0; round < 10; round++) {
      const runs = await Promise.all(
        [0, 1, 2].map((nth) => startRun(opened, `counts_${nth}`, 60, "counts")),
      )
      await run(driver.settle(runs.map(({ own }) => advanced(own, [], 0))))
      // Each batch has tasks of all three runs, in another order.
      const batches = Array.from({ length: 20 }, (_, index) => {
        const tasks = runs.flatMap(({ steps }) => steps.slice(index * 3, index * 3 + 3))
        return index % 2 === 0 ? tasks : tasks.toReversed()
      })
      const settled = await run(Effect.all(
        batches.map((tasks, index) =>
          (index % 5 === 0 ? other.driver : driver).settle(tasks.map(F.completed))
        ),
        together,
      ))
      assert(settled.flat().every(({ status }) => status === "applied"))
      for (const { own, again } of runs) {
        const [progress] = await run(driver.progress([own.id]))
        assertEquals(progress!.steps.map((step) => [step.tasks, step.completed]), [[60, 60]])
        assertEquals(progress!.wakes, 1)
        assertEquals((await again()).tasks.map(({ id }) => id), [own.id])
      }
    }
  })

  it("starts what a change starts once, whoever settles it", { timeout }, async () => {
    await using opened = await F.openSchema(schema, { maxConnections: 8 })
    await using other = await F.openSchema(schema)
    const { driver, run } = opened
    await run(driver.heartbeat(F.beatOf("starts")))
    for (let round = 0; round < 40; round++) {
      const { own } = await startRun(opened, "starts", 1, "starts")
      const change = advanced(own, stepTasks(30, own.id, { step: "next", queue: "next" }), 0)
      const answers = (await run(Effect.all(
        [driver, other.driver, driver, other.driver].map((one) => one.settle([change])),
        together,
      ))).flat()
      assertEquals(answers.map(({ status }) => status).sort(), [
        ...["already", "already", "already", "applied"],
      ])
      await assertCounted(opened, own.id)
      const [progress] = await run(driver.progress([own.id]))
      assertEquals(progress!.steps.map(({ step, tasks }) => [step, tasks]), [
        ["next", 30],
        ["pack", 1],
      ])
    }
  })

  it(
    "is cancelled with all that is below it, whatever happens meanwhile",
    { timeout },
    async () => {
      await using opened = await F.openSchema(schema, { maxConnections: 12 })
      await using other = await F.openSchema(schema, { maxConnections: 4 })
      const { driver, run } = opened
      await run(driver.heartbeat(F.beatOf("cancels")))
      const kinds: Record<string, number> = {}
      for (let round = 0; round < 60; round++) {
        const { own, steps } = await startRun(opened, "cancels", 24, "cancels")
        const next = stepTasks(10, own.id, { step: "next", queue: "cancels" })
        if (round % 2 === 0) await run(driver.settle([advanced(own, next, 0)]))
        const settling = Array.from(
          { length: 8 },
          (_, nth) =>
            (nth % 4 === 0 ? other.driver : driver).settle(
              steps.slice(nth * 3, nth * 3 + 3).map(F.completed),
            ),
        )
        const advance = round % 2 === 0 ? [] : [driver.settle([advanced(own, next, 0)])]
        const cancel = driver.transact({ _tag: "Runs", ids: [own.id] }, F.cancelling)
        await run(Effect.all([
          ...settling.slice(0, round % 8),
          ...advance,
          cancel,
          other.driver.transact({ _tag: "Runs", ids: [own.id] }, F.cancelling),
          ...settling.slice(round % 8),
        ], together))
        const [record] = await run(driver.find({ ids: [own.id], limit: 1 }))
        assertEquals(record!.state, "cancelled")
        const tasks = await run(driver.find({ parents: [own.id], limit: 100 }))
        assert(tasks.length === 24 || tasks.length === 34, `${tasks.length}`)
        for (const { state } of tasks) {
          assert(state === "cancelled" || state === "completed", state)
          kinds[`${state} of ${tasks.length}`] = (kinds[`${state} of ${tasks.length}`] ?? 0) + 1
        }
        await assertCounted(opened, own.id)
      }
      assert(kinds["cancelled of 34"]! > 0 && kinds["completed of 34"]! > 0, JSON.stringify(kinds))
    },
  )

  it("that waits is either woken or cancelled, and never both", { timeout }, async () => {
    await using opened = await F.openSchema(schema, { maxConnections: 8 })
    const { driver, run } = opened
    await run(driver.heartbeat(F.beatOf("either")))
    for (let round = 0; round < 80; round++) {
      const { own, steps, again } = await startRun(opened, "either", 1, "either")
      await run(driver.settle([advanced(own, [], 0)]))
      await run(Effect.all([
        driver.settle(steps.map(F.completed)),
        driver.transact({ _tag: "Tasks", ids: [own.id] }, F.cancelling),
      ], together))
      const [record] = await run(driver.find({ ids: [own.id], limit: 1 }))
      assertEquals([record!.state, record!.history.map(({ kind }) => kind)], [
        "cancelled",
        ["advanced", "cancelled"],
      ])
      assertEquals((await again()).tasks, [])
      await run(driver.transact({ _tag: "Runs", ids: [own.id] }, retrying))
      assertEquals((await again()).tasks.map(({ lease }) => lease), [4])
    }
  })

  it("never meets another one in a deadlock", { timeout }, async () => {
    await using opened = await F.openSchema(schema, { maxConnections: 12 })
    const { driver, run } = opened
    await run(driver.heartbeat(F.beatOf("meets")))
    for (let round = 0; round < 25; round++) {
      const runs = await Promise.all(
        Array.from(
          { length: 4 },
          (_, nth) => startRun(opened, `meets_${nth}`, 12, "meets"),
        ),
      )
      // Each batch settles one run's own task, and ends steps of the others.
      const batches = runs.map(({ own }, nth) => {
        const next = stepTasks(5, own.id, { step: nth % 2 ? "pack" : "more", queue: "more" })
        const ends = runs.flatMap(({ steps }) => steps.slice(nth * 3, nth * 3 + 3))
        const changes = [advanced(own, next, 0), ...ends.map(nth % 2 ? F.completed : failed)]
        return driver.settle(nth % 2 ? changes : changes.toReversed())
      })
      const settled = await run(Effect.all([
        ...batches,
        driver.transact({ _tag: "Runs", ids: runs.map(({ own }) => own.id) }, F.cancelling),
      ], together))
      assertEquals(settled.length, 5)
      for (const { own } of runs) await assertCounted(opened, own.id)
    }
  })
})
