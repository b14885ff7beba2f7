/**
 * Cases of wakeups. A wakeup is a hint that may be lost, so a case repeats what is to cause one.
 *
 * @since 0.1.0
 */
import type { Driver, DriverError } from "@millrace/core"
import { Runs } from "@millrace/core"
import { Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import { equal, Unexpected } from "./expect.ts"
import { type Case, scene, type Stage } from "./fixtures.ts"
import { advanced, completed } from "./outcomes.ts"
import { claimRun, claimSteps, planted, runOf, stepOf } from "./trees.ts"

/** How often a cause is repeated, and how long its wakeup is given to cross a network. */
const patience = { causes: 30, looks: 30, pauseMillis: 10 }

type Expected = (wakeup: Driver.Wakeup) => boolean

/**
 * Listens, then causes wakeups until every listener heard one that is expected. In a driver whose
 * hints cross no network the first one is heard at once.
 *
 * @category assertions
 * @since 0.1.0
 */
export const heard = (stage: Stage, cause: Effect.Effect<Expected, DriverError>, listeners = 1) =>
  Effect.scoped(Effect.gen(function* () {
    const expected: Array<Expected> = []
    const lists: ReadonlyArray<Array<Driver.Wakeup>> = Array.from({ length: listeners }, () => [])
    for (const list of lists) {
      yield* stage.driver.wakeups.pipe(
        Stream.runForEach((wakeup) => Effect.sync(() => list.push(wakeup))),
        Effect.forkScoped({ startImmediately: true }),
      )
    }
    for (let time = 0; time < patience.causes; time++) {
      expected.push(yield* cause)
      for (let look = 0; look < patience.looks; look++) {
        yield* Effect.yieldNow
        if (lists.every((list) => list.some((one) => expected.some((is) => is(one))))) return
        if (look > 2) yield* TestClock.withLive(Effect.sleep(patience.pauseMillis))
      }
    }
    throw new Unexpected(`No wakeup came of ${patience.causes} causes`)
  }))

/** Expects that something is ready in a queue.
 * @category assertions
 * @since 0.1.0 */
export const ready = (queue: string) => (wakeup: Driver.Wakeup) =>
  wakeup._tag === "Ready" && wakeup.queue === queue

const ended = (runId: string) => (wakeup: Driver.Wakeup) =>
  wakeup._tag === "Ended" && wakeup.runId === runId

/** A worker finds its queue empty and says that it waits.
 * @category constructors
 * @since 0.1.0 */
export const waits = (stage: Stage, worker: string, queue: string = stage.queue) =>
  Effect.repeat(
    stage.driver.claim({ worker, lanes: [{ queue, limit: 100 }], waits: true }),
    { until: (claim) => claim.tasks.length === 0 },
  )

/** Stores tasks while a worker waits, which has to hear of that; answers the worker. */
const wakes = (stage: Stage, tasks: () => ReadonlyArray<Driver.NewTask>) =>
  Effect.gen(function* () {
    const worker = yield* stage.worker()
    yield* heard(
      stage,
      Effect.gen(function* () {
        yield* waits(stage, worker)
        yield* stage.insert(tasks())
        return ready(stage.queue)
      }),
    )
    return worker
  })

/** Cases of wakeups.
 * @category cases
 * @since 0.1.0 */
export const wakeupCases: ReadonlyArray<Case> = [
  scene("An insert wakes a worker that waits", function* (stage) {
    const worker = yield* wakes(stage, () => [stage.newTask()])
    equal((yield* stage.claim(worker)).length, 1, "The claimed tasks")
  }),

  scene("A batch of one job wakes a worker that waits", function* (stage) {
    yield* wakes(stage, () => stage.newTasks(50))
  }),

  scene("A batch wakes a worker that waits", function* (stage) {
    yield* wakes(
      stage,
      () => [stage.newTask({ queue: stage.otherQueue }), ...stage.newTasks(50)],
    )
  }),

  scene("What a change starts wakes a worker that waits", function* (stage) {
    const worker = yield* stage.worker()
    yield* heard(
      stage,
      Effect.gen(function* () {
        yield* waits(stage, worker)
        const run = yield* stage.insertOne(runOf(stage))
        yield* stage.settle(yield* claimRun(stage), advanced(0, [stepOf(stage, run)]))
        return ready(stage.queue)
      }),
    )
    equal((yield* stage.claim(worker)).length, 1, "The claimed tasks")
  }),

  scene("A step that ends wakes a worker that waits for its run", function* (stage) {
    const worker = yield* stage.worker()
    yield* heard(
      stage,
      Effect.gen(function* () {
        yield* planted(stage, {})
        const [task] = yield* claimSteps(stage)
        yield* waits(stage, worker, stage.otherQueue)
        yield* stage.settle(task!, completed())
        return ready(stage.otherQueue)
      }),
    )
  }),

  scene("A signal wakes a worker that waits for its run", function* (stage) {
    const worker = yield* stage.worker()
    const ended = { state: "completed", output: "1" } as const
    yield* heard(
      stage,
      Effect.gen(function* () {
        const { run } = yield* planted(stage)
        yield* waits(stage, worker, stage.otherQueue)
        yield* stage.insert([stepOf(stage, run, { step: "approve:signal", ended })])
        return ready(stage.otherQueue)
      }),
    )
  }),

  scene("Everybody who listens hears a wakeup", function* (stage) {
    const worker = yield* stage.worker()
    const cause = Effect.gen(function* () {
      yield* waits(stage, worker)
      yield* stage.insertOne()
      return ready(stage.queue)
    })
    yield* heard(stage, cause, 3)
  }),

  scene("A task that nobody was woken for is found by the next claim", function* (stage) {
    const id = yield* stage.insertOne()
    const worker = yield* stage.worker()
    const { tasks } = yield* stage.driver.claim({
      worker,
      lanes: [{ queue: stage.queue, limit: 1 }],
      waits: true,
    })
    equal(tasks.map((task) => task.id), [id], "The claimed tasks")
  }),

  scene("The completion of an awaited task is announced", function* (stage) {
    yield* heard(
      stage,
      Effect.gen(function* () {
        const task = yield* stage.claimed({ awaited: true })
        yield* stage.settle(task, completed())
        return ended(task.runId)
      }),
    )
  }),

  scene("The cancel of an awaited task is announced", function* (stage) {
    yield* heard(
      stage,
      Effect.gen(function* () {
        const id = yield* stage.insertOne({ awaited: true })
        yield* stage.cancel(id)
        return ended(id)
      }),
    )
  }),

  scene("The end of an awaited task of lost workers is announced", function* (stage) {
    let lost = 0
    yield* heard(
      stage,
      Effect.gen(function* () {
        const id = yield* stage.insertOne({ awaited: true, maxCrashes: 0 })
        yield* stage.crash(`lost${lost++}`)
        return ended(id)
      }),
    )
  }),

  scene("The cancel of a running task is announced", function* (stage) {
    yield* heard(
      stage,
      Effect.gen(function* () {
        const task = yield* stage.claimed()
        yield* stage.cancel(task.id)
        return (wakeup) => wakeup._tag === "Cancelled" && wakeup.taskId === task.id
      }),
    )
  }),

  scene("The discard of a running task by hand is announced", function* (stage) {
    yield* heard(
      stage,
      Effect.gen(function* () {
        const task = yield* stage.claimed()
        yield* stage.happen([task.id], { _tag: "DiscardRequested", reason: "no use" })
        return (wakeup) => wakeup._tag === "Cancelled" && wakeup.taskId === task.id
      }),
    )
  }),

  scene("An end that comes before anybody waits for it is not missed", function* (stage) {
    const task = yield* stage.claimed({ awaited: true })
    yield* stage.settle(task, completed("42"))
    equal((yield* Runs.awaitEnd(task.id)).output, "42", "The output")
  }),

  scene("An end without an announcement is found by looking", function* (stage) {
    const task = yield* stage.claimed({ awaited: false })
    const waiter = Effect.map(Runs.awaitEnd(task.id), (run) => run.state)
    // The clock of a test does not wait for a network.
    const second = Effect.andThen(TestClock.adjust(1000), TestClock.withLive(Effect.sleep(1)))
    const work = Effect.andThen(stage.settle(task, completed()), Effect.forever(second))
    equal(yield* Effect.raceFirst(waiter, work), "completed", "The state")
  }),
]
