/**
 * Cases of how far attempts are, as they say themselves.
 *
 * @since 0.1.0
 */
import { TestClock } from "effect/testing"
import { equal } from "./expect.ts"
import { type Case, type Held, leaseMillis, scene, type Stage } from "./fixtures.ts"
import { completed, failed } from "./outcomes.ts"

const beat = (
  stage: Stage,
  worker: string,
  held: ReadonlyArray<Held>,
  said: ReadonlyArray<readonly [task: Held, fraction: number, note?: string]>,
) =>
  stage.driver.heartbeat({
    worker,
    leaseMillis,
    held: held.map(({ id, lease }) => ({ id, lease })),
    progress: said.map(([{ id, lease }, fraction, note]) => ({ id, lease, fraction, note })),
  })

const progressOf = function* (stage: Stage, { id }: Held) {
  return (yield* stage.read(id)).progress
}

/** Cases of the progress of attempts.
 * @category cases
 * @since 0.1.0 */
export const reportingCases: ReadonlyArray<Case> = [
  scene("The progress that a heartbeat brings is read with its task", function* (stage) {
    yield* stage.insert(stage.newTasks(3))
    const worker = yield* stage.worker()
    const [a, b, c] = yield* stage.claim(worker, 3)
    yield* TestClock.adjust(1000)
    const pulse = yield* beat(stage, worker, [a!, b!, c!], [[a!, 0.25, "page 1"], [b!, 1 / 3]])
    equal(pulse, { live: true, lost: [] }, "The answer")
    equal(yield* progressOf(stage, a!), { fraction: 0.25, note: "page 1", at: 1000 }, "The first")
    equal(yield* progressOf(stage, b!), { fraction: 1 / 3, note: undefined, at: 1000 }, "A third")
    equal(yield* progressOf(stage, c!), undefined, "Of one that has said nothing")
    const [found] = yield* stage.driver.find({ ids: [a!.id], limit: 1 })
    equal(found!.progress?.note, "page 1", "As it is found")
  }),

  scene("Progress replaces what was said before, whichever way", function* (stage) {
    const task = yield* stage.claimed()
    const worker = stage.name("a")
    yield* beat(stage, worker, [task], [[task, 0.9, "almost"]])
    yield* TestClock.adjust(500)
    yield* beat(stage, worker, [task], [[task, 0], [task, 0.5, "it's {NULL}"]])
    equal(
      yield* progressOf(stage, task),
      { fraction: 0.5, note: "it's {NULL}", at: 500 },
      "What was said last",
    )
    yield* stage.beat(worker, [task])
    equal((yield* progressOf(stage, task))?.fraction, 0.5, "After a heartbeat without any")
  }),

  scene("Progress is stored of the attempt that holds its task, and of no other", function* (
    stage,
  ) {
    yield* stage.insert(stage.newTasks(4))
    const worker = yield* stage.worker()
    const other = yield* stage.worker("b")
    const [settled, cancelled, kept] = yield* stage.claim(worker, 3)
    const foreign = yield* stage.claimOne(other)
    yield* stage.settle(settled!, completed())
    yield* stage.cancel(cancelled!.id)
    yield* beat(stage, worker, [kept!], [
      [settled!, 0.1],
      [cancelled!, 0.2],
      [foreign, 0.3],
      [{ ...kept!, lease: kept!.lease + 1 }, 0.4],
      [{ ...kept!, lease: kept!.lease - 1 }, 0.5],
      [{ ...kept!, id: stage.id(999) }, 0.6],
    ])
    for (const task of [settled!, cancelled!, foreign, kept!]) {
      equal(yield* progressOf(stage, task), undefined, `Of task ${task.id}`)
    }
  }),

  scene("The progress of an attempt is read until the next one begins", function* (stage) {
    const task = yield* stage.claimed()
    const worker = stage.name("a")
    yield* beat(stage, worker, [task], [[task, 0.5]])
    yield* stage.settle(task, failed(0))
    equal((yield* progressOf(stage, task))?.fraction, 0.5, "After it has failed")
    const next = yield* stage.claimOne(worker)
    equal(yield* progressOf(stage, task), undefined, "Once the next one has begun")
    yield* beat(stage, worker, [next], [[task, 0.75]])
    equal(yield* progressOf(stage, task), undefined, "What the first one says now")
    yield* beat(stage, worker, [next], [[next, 0.1]])
    yield* stage.settle(next, completed())
    equal((yield* progressOf(stage, task))?.fraction, 0.1, "Of one that has ended")
  }),

  scene("Progress that comes after the lease has ended is not stored", function* (stage) {
    const task = yield* stage.claimed()
    const worker = stage.name("a")
    yield* TestClock.adjust(leaseMillis)
    const pulse = yield* beat(stage, worker, [task], [[task, 0.5]])
    equal(pulse, { live: false, lost: [{ id: task.id, lease: task.lease }] }, "The answer")
    equal(yield* progressOf(stage, task), undefined, "What is read")
  }),

  scene("A heartbeat that ends a session brings no progress", function* (stage) {
    const task = yield* stage.claimed()
    yield* stage.driver.heartbeat({
      worker: stage.name("a"),
      leaseMillis: 0,
      held: [],
      progress: [{ id: task.id, lease: task.lease, fraction: 0.5 }],
    })
    equal(yield* progressOf(stage, task), undefined, "What is read")
  }),

  scene("Progress is pruned with its task", function* (stage) {
    const task = yield* stage.claimed()
    const worker = stage.name("a")
    yield* beat(stage, worker, [task], [[task, 0.5]])
    yield* stage.settle(task, completed())
    yield* stage.driver.prune({ olderThanMillis: 0, limit: 10 })
    yield* beat(stage, worker, [], [[task, 0.75]])
    yield* stage.insertOne({ id: task.id })
    equal(yield* progressOf(stage, task), undefined, "Of a task that is stored anew")
    yield* stage.claimOne(worker)
    equal(yield* progressOf(stage, task), undefined, "Once it is claimed")
  }),
]
