/**
 * Cases of storing tasks.
 *
 * @since 0.1.0
 */
import type { Driver } from "@millrace/core"
import { Effect } from "effect"
import { equal, equalJson, that } from "./expect.ts"
import { type Case, scene } from "./fixtures.ts"
import { completed } from "./outcomes.ts"

/** Cases of storing tasks.
 * @category cases
 * @since 0.1.0 */
export const insertCases: ReadonlyArray<Case> = [
  scene("An inserted task is ready at once, or scheduled where it has a delay", function* (stage) {
    const now = yield* stage.insertOne()
    const later = yield* stage.insertOne({ delayMillis: 5000 })
    const [ready, scheduled] = [yield* stage.read(now), yield* stage.read(later)]
    equal([ready.state, ready.dueAt], ["ready", undefined], "The task without a delay")
    equal([scheduled.state, scheduled.dueAt], ["ready", 5000], "The task with a delay")
    const claimed = yield* stage.claim(yield* stage.worker(), 10)
    equal(claimed.map((task) => task.id), [now], "What can be claimed")
  }),

  scene("Inserting an id that exists changes nothing and says so", function* (stage) {
    const id = yield* stage.insertOne({ input: "1", priority: 1 })
    const before = yield* stage.read(id)
    const again = stage.newTask({ id, input: "2", priority: 9, queue: stage.otherQueue })
    equal(yield* stage.driver.insert([again]), [{ id, inserted: false }], "The second answer")
    equal(yield* stage.read(id), before, "The task")
  }),

  scene("Inserting nothing stores nothing and answers nothing", function* (stage) {
    equal(yield* stage.driver.insert([]), [], "The answer")
    equal(yield* stage.readAll(), [], "The store")
  }),

  scene("The answers of an insert are in the order of its tasks", function* (stage) {
    const tasks = [7, 3, 9, 1].map((number) => stage.newTask({ id: stage.id(number) }))
    yield* stage.insert([tasks[2]!])
    equal(
      yield* stage.driver.insert(tasks),
      tasks.map(({ id }, index) => ({ id, inserted: index !== 2 })),
      "The answers",
    )
  }),

  scene("Of an id that stands twice in a batch the first is stored", function* (stage) {
    const id = stage.id(1)
    const twice = [stage.newTask({ id, input: "1" }), stage.newTask({ id, input: "2" })]
    equal(
      yield* stage.driver.insert(twice),
      [{ id, inserted: true }, { id, inserted: false }],
      "The answers",
    )
    equalJson((yield* stage.read(id)).input, "1", "The input")
    equal((yield* stage.claim(yield* stage.worker(), 10)).length, 1, "The claimable tasks")
  }),

  scene("An id that exists does not keep the rest of its batch out", function* (stage) {
    const first = yield* stage.insertOne()
    const more = [stage.newTask(), stage.newTask({ id: first }), stage.newTask()]
    const answers = yield* stage.driver.insert(more)
    equal(answers.map((answer) => answer.inserted), [true, false, true], "The answers")
    equal((yield* stage.readAll()).length, 3, "The stored tasks")
  }),

  scene("An id that is said to be new and exists changes nothing and says so", function* (stage) {
    const [first] = yield* stage.insert([stage.newTask({ input: "1" })])
    const before = yield* stage.read(first!)
    const one = { ...stage.newTask({ id: first!, input: "2" }), isNew: true }
    const more = [stage.newTask(), one, stage.newTask()]
    const answers = yield* stage.driver.insert(more)
    equal(answers, more.map(({ id }) => ({ id, inserted: id !== first })), "The answers")
    const again = yield* stage.driver.insert(more)
    equal(again, more.map(({ id }) => ({ id, inserted: false })), "The answers to a repeat")
    equal(yield* stage.read(first!), before, "The task")
    equal((yield* stage.claim(yield* stage.worker(), 10)).length, 3, "The claimable tasks")
  }),

  scene("New tasks that differ in one thing alone are each stored as they are", function* (stage) {
    const differing: ReadonlyArray<Partial<Driver.NewTask>> = [
      {},
      { flow: "other" },
      { step: "other" },
      { index: 1 },
      { flowType: "flow" },
      { queue: stage.otherQueue },
      { priority: 1 },
      { input: "2" },
      { trace: `00-${"1".repeat(32)}-${"2".repeat(16)}-01` },
      { maxAttempts: 7 },
      { maxCrashes: 7 },
      { awaited: true },
      { delayMillis: 5000 },
      { dueAt: 7000 },
      { expiresMillis: 5000 },
      { group: "a" },
      { tags: ["a"] },
    ]
    for (const one of differing) {
      const pair = [stage.newTask(), stage.newTask(one)]
      const answers = yield* stage.driver.insert(pair)
      equal(answers.map(({ inserted }) => inserted), [true, true], "The answers")
      const alone = yield* stage.insertOne(one)
      equal(
        { ...yield* stage.read(pair[1]!.id), id: "", runId: "" },
        { ...yield* stage.read(alone), id: "", runId: "" },
        `The task whose ${Object.keys(one).join("")} differs`,
      )
    }
  }),

  scene("A new task has no history, no lease and no counts", function* (stage) {
    const record = yield* stage.read(yield* stage.insertOne())
    equal(record.history, [], "Its history")
    equal([record.lease, record.failures, record.crashes], [0, 0, 0], "Its numbers")
  }),

  scene("Inserting the id of a running task leaves it running", function* (stage) {
    const task = yield* stage.claimed()
    yield* stage.insertOne({ id: task.id, delayMillis: 1000 })
    equal((yield* stage.read(task.id)).state, "running", "Its state")
    equal((yield* stage.settle(task, completed())).status, "applied", "Its settling")
  }),

  scene(
    "Starting twice with one id answers the first run, also when it has ended",
    function* (stage) {
      const task = yield* stage.claimed()
      yield* stage.settle(task, completed("42"))
      const again = yield* stage.driver.insert([stage.newTask({ id: task.id })])
      equal(again, [{ id: task.id, inserted: false }], "The second answer")
      const record = yield* stage.read(task.id)
      equal([record.state, record.history.length], ["completed", 1], "The run")
      equal(yield* stage.claim(yield* stage.worker(), 10), [], "What can be claimed")
    },
  ),

  scene("Concurrent inserts of one id store it once", function* (stage) {
    const id = stage.id(1)
    const answers = yield* Effect.forEach(
      Array.from({ length: 8 }, () => stage.newTask({ id })),
      (task) => stage.driver.insert([task]),
      { concurrency: "unbounded" },
    )
    const inserted = answers.flat().filter((answer) => answer.inserted)
    equal([answers.length, inserted.length], [8, 1], "The answers and the stored ones")
    equal((yield* stage.claim(yield* stage.worker(), 10)).length, 1, "The claimable tasks")
  }),

  scene("Concurrent batches with the same ids in other orders both end", function* (stage) {
    const tasks = stage.newTasks(50)
    yield* Effect.all(
      [tasks, tasks.toReversed()].map((batch) => stage.driver.insert(batch)),
      { concurrency: "unbounded" },
    )
    equal((yield* stage.readAll()).length, 50, "The stored tasks")
  }),

  scene("A task comes back from find as it was given", function* (stage) {
    const id = stage.id(1)
    const given = {
      runId: stage.id(2),
      flowType: "flow",
      flow: "import_file",
      step: "parse_line",
      index: 41,
      queue: stage.queue,
      priority: 0,
      maxAttempts: 100_000,
      maxCrashes: 100,
      awaited: true,
    } as const
    yield* stage.insertOne({ ...given, id })
    const found = yield* stage.readAll()
    equal(found.map((record) => record.id), [id], "The ids")
    const { runId, flowType, flow, step, index, queue, priority } = found[0]!
    const { maxAttempts, maxCrashes, awaited } = found[0]!
    equal(
      {
        ...{ runId, flowType, flow, step, index, queue, priority },
        ...{ maxAttempts, maxCrashes, awaited },
      },
      given,
      "The task",
    )
  }),

  scene("The instant of storing is that of the clock", function* (stage) {
    const { enqueuedAt } = yield* stage.read(yield* stage.insertOne())
    equal(enqueuedAt, 0, "The instant")
  }),

  scene("Tasks of several queues, flows and priorities fit into one batch", function* (stage) {
    yield* stage.insert([
      stage.newTask({ flow: "a", priority: 0 }),
      stage.newTask({ flow: "b", priority: 9, queue: stage.otherQueue }),
      stage.newTask({ flow: "c", delayMillis: 1000, awaited: true }),
    ])
    const found = yield* stage.driver.find({ limit: 10 })
    equal(found.map((record) => record.flow), ["a", "b", "c"], "The stored flows")
  }),

  scene(
    "A batch with a text that cannot be stored is stored whole or not at all",
    function* (stage) {
      const tasks = [stage.newTask(), stage.newTask({ input: `"\u0000"` }), stage.newTask()]
      yield* Effect.exit(stage.driver.insert(tasks))
      const { length } = yield* stage.readAll()
      that(
        length === 0 || length === 3,
        `Expected none or all of 3 tasks to be stored, got ${length}`,
      )
    },
  ),

  scene("A batch of 1,000 is stored in its order", function* (stage) {
    const tasks = stage.newTasks(1000)
    const answers = yield* stage.driver.insert(tasks)
    equal(answers, tasks.map(({ id }) => ({ id, inserted: true })), "The answers")
    const found = yield* stage.readAll()
    equal(found.map(({ id }) => id), tasks.map(({ id }) => id), "The stored tasks")
  }),

  scene(
    "Tasks keep the options that they were enqueued with, and new ones have the new",
    function* (stage) {
      const old = yield* stage.insertOne({ maxAttempts: 1, maxCrashes: 0 })
      const edited = yield* stage.insertOne({ maxAttempts: 5, maxCrashes: 2 })
      const read = function* (id: string) {
        const { maxAttempts, maxCrashes } = yield* stage.read(id)
        return [maxAttempts, maxCrashes]
      }
      equal(yield* read(old), [1, 0], "The old task")
      equal(yield* read(edited), [5, 2], "The new task")
    },
  ),
]
