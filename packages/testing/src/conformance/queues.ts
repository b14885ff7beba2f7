/**
 * Cases of looking at queues.
 *
 * @since 0.1.0
 */
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { equal } from "./expect.ts"
import { type Case, scene, type Stage } from "./fixtures.ts"
import { completed, failed, failedForGood } from "./outcomes.ts"
import { claimRun, claimSteps, look, planted } from "./trees.ts"

const queues = (stage: Stage) =>
  Effect.map(
    stage.driver.queues,
    (all) => all.filter(({ queue }) => queue === stage.queue || queue === stage.otherQueue),
  )

const one = (stage: Stage, name: string = stage.queue) =>
  Effect.map(queues(stage), (all) => all.find(({ queue }) => queue === name))

const counts = (stage: Stage) =>
  Effect.map(one(stage), (queue) => queue && [queue.ready, queue.scheduled, queue.running])

const age = (stage: Stage) => Effect.map(one(stage), (queue) => queue?.eldestMillis)

/** Cases of looking at queues.
 * @category cases
 * @since 0.1.0 */
export const queueCases: ReadonlyArray<Case> = [
  scene(
    "The queues are those with tasks that have not ended, and those of which limits were said",
    function* (
      stage,
    ) {
      equal(yield* queues(stage), [], "Of an empty store")
      const id = yield* stage.insertOne()
      yield* stage.driver.limit(stage.otherQueue, { concurrency: 2 })
      const names = (yield* queues(stage)).map(({ queue }) => queue)
      equal(names, [stage.otherQueue, stage.queue].sort(), "One with a task, and one with limits")
      yield* stage.cancel(id)
      yield* stage.driver.limit(stage.otherQueue, null)
      equal(yield* queues(stage), [], "Once the task has ended, and the limits are removed")
      yield* stage.driver.limit(stage.queue, undefined)
      equal(yield* queues(stage), [], "One whose limits were asked for")
      yield* planted(stage)
      equal(yield* queues(stage), [], "One with a run that waits")
    },
  ),

  scene("A queue counts its tasks as due, due later and running", function* (stage) {
    yield* stage.insert(stage.newTasks(3))
    yield* stage.insert(stage.newTasks(2, { delayMillis: 1000 }))
    yield* stage.insertOne({ queue: stage.otherQueue })
    equal(yield* counts(stage), [3, 2, 0], "Stored")
    const worker = yield* stage.worker()
    const [first, second] = yield* stage.claim(worker, 2)
    equal(yield* counts(stage), [1, 2, 2], "Claimed")
    yield* stage.settle(first!, completed())
    equal(yield* counts(stage), [1, 2, 1], "One completed")
    yield* stage.settle(second!, failed(5000))
    equal(yield* counts(stage), [1, 3, 0], "One to be tried again")
    yield* TestClock.adjust(1000)
    equal(yield* counts(stage), [3, 1, 0], "Two that have become due")
    const rest = yield* stage.claim(worker, 10)
    equal(yield* counts(stage), [0, 1, 3], "All that was due is claimed")
    yield* Effect.forEach(rest, (task) => stage.settle(task, failedForGood))
    equal(yield* counts(stage), [0, 1, 0], "All of it failed")
  }),

  scene("A task of a worker that is lost counts as running until it is recovered", function* (
    stage,
  ) {
    yield* stage.claimed()
    yield* TestClock.adjust(60_000)
    equal(yield* counts(stage), [0, 0, 1], "Once the lease has expired")
    yield* stage.recover()
    equal(yield* counts(stage), [1, 0, 0], "Recovered")
    yield* stage.crash("b")
    equal(yield* counts(stage), [1, 0, 0], "Crashed again")
  }),

  scene("Tasks of limits and groups are counted as others are", function* (stage) {
    yield* stage.driver.limit(stage.queue, { concurrency: 2 })
    yield* stage.insert(stage.newTasks(2, { group: "a" }))
    yield* stage.insert(stage.newTasks(2, { group: "b" }))
    const worker = yield* stage.worker()
    const tasks = yield* stage.claim(worker, 10)
    equal([tasks.length, yield* counts(stage)], [2, [2, 0, 2]], "Claimed")
    yield* Effect.forEach(tasks, (task) => stage.settle(task, completed()))
    equal(yield* counts(stage), [2, 0, 0], "Completed")
  }),

  scene(
    "The age of a queue is that of the task that has been due longest, of those claimed first",
    function* (
      stage,
    ) {
      yield* TestClock.setTime(1000)
      equal(yield* age(stage), undefined, "Of no queue")
      yield* stage.insertOne({ delayMillis: 2000 })
      equal(yield* age(stage), undefined, "Of a queue where nothing is due")
      yield* stage.insertOne({ priority: 7 })
      equal(yield* age(stage), 0, "Of a new task")
      yield* TestClock.adjust(500)
      const first = yield* stage.insertOne({ priority: 2 })
      equal(yield* age(stage), 500, "Of the eldest, whatever its priority")
      yield* TestClock.adjust(3000)
      equal(yield* age(stage), 3500, "Later")
      const worker = yield* stage.worker()
      equal((yield* stage.claimOne(worker)).id, first, "What is claimed first")
      equal(yield* age(stage), 3500, "Without a younger one")
      const [scheduled, eldest] = yield* stage.claim(worker, 2)
      equal(yield* age(stage), undefined, "With all of them claimed")
      yield* stage.settle(scheduled!, failed(100))
      equal(yield* age(stage), undefined, "Of a task that waits for its retry")
      yield* TestClock.adjust(150)
      equal(yield* age(stage), 50, "Of a task whose retry is due")
      yield* stage.settle(eldest!, failed(0))
      equal(yield* age(stage), 50, "With a younger one")
    },
  ),

  scene("The age of a task that was put off by hand counts from its new time", function* (stage) {
    const id = yield* stage.insertOne()
    yield* TestClock.adjust(1000)
    const event = { _tag: "RescheduleRequested", delayMillis: 500 } as const
    yield* stage.happen([id], event)
    yield* TestClock.adjust(700)
    equal(yield* age(stage), 200, "Put off")
    yield* stage.happen([id], { ...event, delayMillis: 0, dueAt: 5 })
    yield* TestClock.adjust(30)
    equal(yield* age(stage), 30, "Hurried, to an instant that is over")
  }),

  scene("A run that has waited has no age", function* (stage) {
    const { run } = yield* planted(stage, {})
    const { queue } = yield* look(stage, run)
    yield* TestClock.adjust(1000)
    equal(yield* one(stage, queue), undefined, "While it waits")
    const [step] = yield* claimSteps(stage)
    yield* stage.settle(step!, completed())
    const woken = yield* one(stage, queue)
    equal([woken?.ready, woken?.eldestMillis], [1, undefined], "Woken")
    equal((yield* claimRun(stage)).id, run, "The run")
  }),

  scene("Queues are read with their limits, and whether they are paused", function* (stage) {
    yield* stage.insertOne()
    equal((yield* one(stage))?.limits, undefined, "Of one without")
    const limits = { concurrency: 3, maxDepth: 10 }
    yield* stage.driver.limit(stage.queue, limits)
    equal((yield* one(stage))?.limits, limits, "Of one with limits")
    yield* stage.driver.limit(stage.queue, { paused: true })
    equal((yield* one(stage))?.limits, { ...limits, paused: true }, "Of one that is paused")
    yield* stage.driver.limit(stage.queue, null)
    equal((yield* one(stage))?.limits, { paused: true }, "Without its limits")
    yield* stage.driver.limit(stage.queue, { paused: false })
    const state = { queue: stage.queue, ready: 1, scheduled: 0, running: 0 }
    equal(yield* queues(stage), [{ ...state, limits: undefined, eldestMillis: 0 }], "Resumed")
  }),

  scene("Looking at queues changes nothing", function* (stage) {
    yield* stage.claimed()
    yield* stage.insert(stage.newTasks(3, { delayMillis: 5 }))
    yield* TestClock.adjust(5)
    const before = yield* stage.readAll()
    const seen = yield* queues(stage)
    equal(
      [yield* queues(stage), yield* stage.readAll()],
      [seen, before],
      "The queues and the tasks",
    )
  }),
]
