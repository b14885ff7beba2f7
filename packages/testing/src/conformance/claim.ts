/**
 * Cases of handing out tasks: which, to whom, how many.
 *
 * @since 0.1.0
 */
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { equal, equalJson, that } from "./expect.ts"
import { type Case, leaseMillis, scene, settling } from "./fixtures.ts"
import { completed, snoozed } from "./outcomes.ts"

/** Cases of handing out tasks.
 * @category cases
 * @since 0.1.0 */
export const claimCases: ReadonlyArray<Case> = [
  scene("A task is claimed by one worker only", function* (stage) {
    yield* stage.insertOne()
    const [a, b] = [yield* stage.worker("a"), yield* stage.worker("b")]
    equal((yield* stage.claim(a, 10)).length, 1, "Claimed by the first")
    equal(yield* stage.claim(b, 10), [], "Claimed by the second")
    equal(yield* stage.claim(a, 10), [], "Claimed by the first again")
  }),

  scene("Concurrent claims never hand out one task twice", function* (stage) {
    const ids = yield* stage.insert(stage.newTasks(60))
    const names = yield* Effect.forEach(
      ["a", "b", "c", "d", "e", "f"],
      (name) => stage.worker(name),
    )
    const claims = yield* Effect.forEach(
      [...names, ...names],
      (worker) => stage.claim(worker, 7),
      { concurrency: "unbounded" },
    )
    const rest = yield* stage.claim(names[0]!, 100)
    const claimed = [...claims.flat(), ...rest].map(({ id }) => id)
    equal(claimed.length, new Set(claimed).size, "The claimed tasks and the different ones")
    equal(claimed.sort(), [...ids], "The claimed tasks")
  }),

  scene("Workers that race for one task get it once, each time", function* (stage) {
    const workers = yield* Effect.forEach(["a", "b", "c", "d"], (name) => stage.worker(name))
    for (let round = 0; round < 25; round++) {
      yield* stage.insertOne()
      const claims = yield* Effect.forEach(workers, (worker) => stage.claim(worker), {
        concurrency: "unbounded",
      })
      const won = claims.flat()
      if (won.length === 0) yield* stage.claimOne(workers[0]!)
      that(won.length <= 1, `Round ${round}: ${won.length} workers got the task`)
    }
    equal(yield* stage.claim(workers[0]!), [], "What is left")
  }),

  scene("A claim takes no more than the limit of each queue", function* (stage) {
    yield* stage.insert(stage.newTasks(5))
    yield* stage.insert(stage.newTasks(5, { queue: stage.otherQueue }))
    const worker = yield* stage.worker()
    const { tasks } = yield* stage.driver.claim({
      worker,
      lanes: [{ queue: stage.queue, limit: 2 }, { queue: stage.otherQueue, limit: 3 }],
      waits: false,
    })
    const of = (queue: string) => tasks.filter((task) => task.queue === queue).length
    equal([of(stage.queue), of(stage.otherQueue)], [2, 3], "The claimed tasks of each queue")
    equal((yield* stage.claim(worker, 10)).length, 3, "What is left of the first queue")
  }),

  scene("A worker whose lease expired claims nothing", function* (stage) {
    yield* stage.insertOne()
    const worker = yield* stage.worker()
    yield* TestClock.adjust(leaseMillis)
    equal(yield* stage.claim(worker), [], "Claimed by the expired worker")
    equal((yield* stage.claim(yield* stage.worker("b"))).length, 1, "Claimed by another")
  }),

  scene("A worker claims until the very end of its lease", function* (stage) {
    yield* stage.insertOne()
    const worker = yield* stage.worker()
    yield* TestClock.adjust(leaseMillis - 1)
    equal((yield* stage.claim(worker)).length, 1, "Claimed in the last millisecond")
  }),

  scene("A worker that never began a session claims nothing", function* (stage) {
    yield* stage.insertOne()
    equal(yield* stage.claim(stage.name("stranger")), [], "Claimed by a stranger")
  }),

  scene("A worker whose session ended claims nothing", function* (stage) {
    yield* stage.insertOne()
    const worker = yield* stage.worker()
    yield* stage.beat(worker, [], 0)
    equal(yield* stage.claim(worker), [], "Claimed after the end")
  }),

  scene("A claim of an empty queue answers nothing", function* (stage) {
    equal(yield* stage.claim(yield* stage.worker(), 10), [], "The claimed tasks")
  }),

  scene("A claim without queues answers nothing", function* (stage) {
    yield* stage.insertOne()
    const worker = yield* stage.worker()
    const claim = yield* stage.driver.claim({ worker, lanes: [], waits: false })
    equal([claim.tasks, claim.nextDueMillis], [[], undefined], "The answer")
  }),

  scene("A claim with a limit of 0 takes nothing", function* (stage) {
    yield* stage.insertOne()
    const worker = yield* stage.worker()
    equal(yield* stage.claim(worker, 0), [], "The claimed tasks")
    equal((yield* stage.claim(worker)).length, 1, "Claimed afterwards")
  }),

  scene("A claim takes nothing from other queues", function* (stage) {
    const id = yield* stage.insertOne({ queue: stage.otherQueue })
    const worker = yield* stage.worker()
    equal(yield* stage.claim(worker, 10), [], "Claimed from the one queue")
    equal((yield* stage.claimOne(worker, stage.otherQueue)).id, id, "Claimed from the other")
  }),

  scene("Queues whose names are alike, or differ only in case, are apart", function* (stage) {
    const name = stage.queue.slice(0, 30)
    const queues = [name, name.toUpperCase(), `${name}_`, `${name}x`, ` ${name}`, `${name} `, "%"]
    yield* stage.insert(
      queues.map((queue) => stage.newTask({ queue, input: JSON.stringify(queue) })),
    )
    const worker = yield* stage.worker()
    for (const queue of queues) {
      const claimed = yield* stage.claim(worker, 10, queue)
      equal(claimed.map((task) => JSON.parse(task.input)), [queue], `Claimed from "${queue}"`)
    }
  }),

  scene("Names of 48 characters, the longest, are stored and told apart", function* (stage) {
    const long = stage.queue.padEnd(47, "z")
    const names = [`${long}a`, `${long}b`]
    for (const queue of names) yield* stage.insertOne({ queue, flow: queue, step: queue })
    const worker = yield* stage.worker()
    for (const queue of names) {
      const { flow, step } = yield* stage.claimOne(worker, queue)
      equal([flow, step], [queue, queue], `Claimed from "${queue}"`)
      equal((yield* stage.driver.find({ flow: queue, limit: 9 })).length, 1, "Found by flow")
    }
  }),

  scene("A claimed task is running and has the next lease number", function* (stage) {
    const task = yield* stage.claimed()
    equal([task.state, task.lease], ["running", 1], "The claimed task")
    const record = yield* stage.read(task.id)
    equal([record.state, record.lease], ["running", 1], "The stored task")
    equal(record.history, [], "Its history")
  }),

  scene("Every claim of a task has a greater lease number than the one before", function* (stage) {
    yield* stage.insertOne()
    const worker = yield* stage.worker()
    let last = 0
    for (let round = 0; round < 10; round++) {
      const { lease } = yield* stage.attempt(worker, snoozed())
      that(lease > last, `Expected a lease number above ${last}, got ${lease}`)
      last = lease
    }
  }),

  scene("A claimed task carries all that a worker needs", function* (stage) {
    const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    const given = stage.newTask({
      runId: stage.id(77),
      flowType: "flow",
      flow: "import_file",
      step: "parse_line",
      index: 12,
      input: `{"line":"a,b"}`,
      maxAttempts: 7,
      maxCrashes: 2,
      awaited: true,
      trace,
    })
    yield* TestClock.adjust(1234)
    const task = yield* stage.claimed(given)
    equal([task.id, task.runId, task.flowType], [given.id, given.runId, "flow"], "Its identity")
    equal([task.flow, task.step, task.index], ["import_file", "parse_line", 12], "Its place")
    equalJson(task.input, given.input, "Its input")
    equal([task.queue, task.enqueuedAt, task.trace], [stage.queue, 1234, trace], "Its origin")
    equal([task.failures, task.crashes, task.awaited], [0, 0, true], "Its counts")
    equal([task.maxAttempts, task.maxCrashes], [7, 2], "Its budget")
  }),

  scene("A task without a trace is claimed without one", function* (stage) {
    equal((yield* stage.claimed()).trace, undefined, "Its trace")
  }),

  scene("A claim takes 1,000 tasks at once", function* (stage) {
    const ids = yield* stage.insert(stage.newTasks(1000))
    const claimed = yield* stage.claim(yield* stage.worker(), 1000)
    equal(claimed.map(({ id }) => id), ids, "The claimed tasks, in order")
  }),

  scene("A wide run of 4,000 tasks is claimed and completed to the last", function* (stage) {
    const runId = stage.id(100_000)
    for (let from = 0; from < 4000; from += 1000) {
      const tasks = stage.newTasks(1000, { runId, flowType: "flow" })
      yield* stage.insert(tasks.map((task, index) => ({ ...task, index: from + index })))
    }
    const worker = yield* stage.worker()
    for (let round = 0; round < 4; round++) {
      const tasks = yield* stage.claim(worker, 1000)
      equal(tasks.map(({ index }) => index).slice(0, 2), [round * 1000, round * 1000 + 1], "First")
      yield* stage.driver.settle(tasks.map((task) => settling(task, completed())))
    }
    equal(yield* stage.claim(worker, 1000), [], "What is left")
    const states = (yield* stage.readAll()).map(({ state }) => state)
    equal([states.length, ...new Set(states)], [4000, "completed"], "The tasks")
  }),

  scene("A worker is known by any name", function* (stage) {
    for (const odd of [`o'brien "x" \\ $1, {NULL}`, "é 漢字 🦀", "x".repeat(200)]) {
      yield* stage.insertOne()
      equal((yield* stage.claim(yield* stage.worker(odd))).length, 1, `Claimed by ${odd}`)
    }
  }),
]
