/**
 * Cases of the order in which tasks are handed out.
 *
 * @since 0.1.0
 */
import { TestClock } from "effect/testing"
import { equal } from "./expect.ts"
import { type Case, scene, settling } from "./fixtures.ts"
import { failed, interrupted, snoozed } from "./outcomes.ts"

/** Cases of the order in which tasks are handed out.
 * @category cases
 * @since 0.1.0 */
export const orderCases: ReadonlyArray<Case> = [
  scene(
    "A claim takes the due tasks of a queue by priority, then in the order of becoming ready",
    function* (stage) {
      const priorities = [5, 0, 9, 5, 0]
      const ids: Array<string> = []
      for (const priority of priorities) ids.push(yield* stage.insertOne({ priority }))
      const claimed = yield* stage.claim(yield* stage.worker(), 10)
      equal(claimed.map(({ id }) => id), [1, 4, 0, 3, 2].map((at) => ids[at]!), "The order")
    },
  ),

  scene("Tasks are claimed in the order of storing, whatever their ids", function* (stage) {
    const numbers = [5, 2, 9, 1]
    for (const number of numbers) yield* stage.insertOne({ id: stage.id(number) })
    const claimed = yield* stage.claim(yield* stage.worker(), 10)
    equal(claimed.map(({ id }) => id), numbers.map((number) => stage.id(number)), "The order")
  }),

  scene("The tasks of one batch are claimed in its order, whatever their ids", function* (stage) {
    const numbers = [5, 2, 9, 1, 7, 3]
    yield* stage.insert(numbers.map((number) => stage.newTask({ id: stage.id(number) })))
    const claimed = yield* stage.claim(yield* stage.worker(), 10)
    equal(claimed.map(({ id }) => id), numbers.map((number) => stage.id(number)), "The order")
  }),

  scene("The order holds over several claims", function* (stage) {
    const ids = yield* stage.insert(stage.newTasks(7))
    const workers = [yield* stage.worker("a"), yield* stage.worker("b")]
    const claimed = []
    for (let turn = 0; turn < 4; turn++) claimed.push(...yield* stage.claim(workers[turn % 2]!, 2))
    equal(claimed.map(({ id }) => id), ids, "The order")
  }),

  scene("An urgent task overtakes all that wait", function* (stage) {
    yield* stage.insert(stage.newTasks(20, { priority: 1 }))
    const worker = yield* stage.worker()
    yield* stage.claim(worker, 3)
    const urgent = yield* stage.insertOne({ priority: 0 })
    equal((yield* stage.claimOne(worker)).id, urgent, "The claimed task")
  }),

  scene("Every priority from 0 to 9 has its place", function* (stage) {
    const priorities = [3, 8, 0, 5, 9, 1, 7, 2, 6, 4]
    yield* stage.insert(priorities.map((priority) => stage.newTask({ priority, index: priority })))
    const claimed = yield* stage.claim(yield* stage.worker(), 10)
    equal(claimed.map(({ index }) => index), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], "The order")
  }),

  scene("A task that failed goes behind those that are ready", function* (stage) {
    const [first, second] = yield* stage.insert(stage.newTasks(2))
    const worker = yield* stage.worker()
    yield* stage.attempt(worker, failed(0))
    const claimed = yield* stage.claim(worker, 10)
    equal(claimed.map(({ id }) => id), [second!, first!], "The order")
  }),

  scene("A task that is given back goes behind those that are ready", function* (stage) {
    const [first, second] = yield* stage.insert(stage.newTasks(2))
    const worker = yield* stage.worker()
    yield* stage.attempt(worker, interrupted)
    const claimed = yield* stage.claim(worker, 10)
    equal(claimed.map(({ id }) => id), [second!, first!], "The order")
  }),

  scene("A task that was retried by hand goes behind those that are ready", function* (stage) {
    const [first, second] = yield* stage.insert(stage.newTasks(2))
    yield* stage.cancel(first!)
    yield* stage.retry(first!)
    const claimed = yield* stage.claim(yield* stage.worker(), 10)
    equal(claimed.map(({ id }) => id), [second!, first!], "The order")
  }),

  scene("A retry keeps its priority", function* (stage) {
    const urgent = yield* stage.insertOne({ priority: 0 })
    const worker = yield* stage.worker()
    yield* stage.attempt(worker, failed(1000))
    yield* stage.insertOne({ priority: 1 })
    yield* TestClock.adjust(1000)
    equal((yield* stage.claimOne(worker)).id, urgent, "The claimed task")
  }),

  scene(
    "Tasks that snoozed for the same time come back in the order of their ids or sleep",
    function* (
      stage,
    ) {
      const ids = yield* stage.insert(stage.newTasks(4))
      const worker = yield* stage.worker()
      for (const _ of ids) yield* stage.attempt(worker, snoozed(1000))
      yield* TestClock.adjust(1000)
      const claimed = yield* stage.claim(worker, 10)
      equal(claimed.map(({ id }) => id), ids, "The order")
    },
  ),

  scene("A claim for the eldest takes the priority whose first task has waited longest", function* (
    stage,
  ) {
    const ids: Array<string> = []
    for (const priority of [5, 9, 5, 0, 9]) ids.push(yield* stage.insertOne({ priority }))
    const worker = yield* stage.worker()
    const eldest = (limit: number) =>
      stage.driver.claim({
        worker,
        lanes: [{ queue: stage.queue, limit }],
        waits: false,
        eldest: true,
      })
    const first = yield* eldest(1)
    equal(first.tasks.map(({ id }) => id), [ids[0]!], "The first task")
    const second = yield* eldest(3)
    equal(second.tasks.map(({ id }) => id), [ids[1]!, ids[4]!], "Those of the lowest priority")
    const rest = yield* stage.claim(worker, 10)
    equal(rest.map(({ id }) => id), [ids[3]!, ids[2]!], "The rest, by priority")
  }),

  scene("A claim for the eldest goes by when tasks became ready", function* (stage) {
    const late = yield* stage.insertOne({ priority: 9, delayMillis: 1000 })
    const low = yield* stage.insertOne({ priority: 5 })
    yield* TestClock.adjust(1000)
    const worker = yield* stage.worker()
    const request = {
      worker,
      lanes: [{ queue: stage.queue, limit: 1 }],
      waits: false,
      eldest: true,
    }
    const order = []
    for (let turn = 0; turn < 2; turn++) {
      order.push(...(yield* stage.driver.claim(request)).tasks.map(({ id }) => id))
    }
    equal(order, [low, late], "The order")
  }),

  scene("A claim for the eldest keeps to the limits of a queue", function* (stage) {
    yield* stage.driver.limit(stage.queue, { concurrency: 2 })
    const ids: Array<string> = []
    for (const priority of [9, 0, 9, 0]) ids.push(yield* stage.insertOne({ priority }))
    const worker = yield* stage.worker()
    const request = {
      worker,
      lanes: [{ queue: stage.queue, limit: 5 }],
      waits: false,
      eldest: true,
    }
    const { tasks } = yield* stage.driver.claim(request)
    equal(tasks.map(({ id }) => id), [ids[0]!, ids[2]!], "The claimed tasks")
    equal((yield* stage.driver.claim(request)).tasks, [], "What is claimed beyond the limit")
  }),

  scene("Queues do not share an order", function* (stage) {
    const queues = [stage.queue, stage.otherQueue]
    for (let turn = 0; turn < 6; turn++) {
      yield* stage.insertOne({ queue: queues[turn % 2]!, index: turn })
    }
    const worker = yield* stage.worker()
    const { tasks } = yield* stage.driver.claim({
      worker,
      lanes: queues.map((queue) => ({ queue, limit: 10 })),
      waits: false,
    })
    const of = (queue: string) =>
      tasks.filter((task) => task.queue === queue).map(({ index }) => index)
    equal([of(queues[0]!), of(queues[1]!)], [[0, 2, 4], [1, 3, 5]], "The order in each queue")
  }),

  scene("What goes back to ready in one batch is claimed in its order, whoever held it", function* (
    stage,
  ) {
    const [a, b] = [yield* stage.worker("a"), yield* stage.worker("b")]
    yield* stage.insertOne()
    yield* stage.insertOne()
    const first = yield* stage.claimOne(a)
    const second = yield* stage.claimOne(b)
    // What a worker that ended its session held is not remembered by anybody.
    yield* stage.beat(a, [], 0)
    const settled = yield* stage.driver.settle([
      settling(first, snoozed(0)),
      settling(second, snoozed(0)),
    ])
    equal(settled.map(({ status }) => status), ["applied", "applied"], "The answers")
    const claimed = yield* stage.claim(b, 2)
    equal(claimed.map(({ id }) => id), [first.id, second.id], "The order")
  }),
]
