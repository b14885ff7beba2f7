/**
 * Cases of groups: the tasks of one key in order, and keys in turn.
 *
 * @since 0.1.0
 */
import type { Driver, Limiting } from "@millrace/core"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { equal } from "./expect.ts"
import { type Case, scene, type Stage } from "./fixtures.ts"
import { advanced, completed, discarded, failed, interrupted, snoozed } from "./outcomes.ts"
import { runOf, stepOf } from "./trees.ts"

const many = (more: Partial<Limiting.KeyLimits> = {}): Limiting.QueueLimits => ({
  keys: { concurrency: 100, onFailure: "skip", ...more },
})

/** Stores tasks one after the other, with these keys. */
const stored = (stage: Stage, keys: ReadonlyArray<string>) =>
  Effect.forEach(keys, (group) => stage.insertOne({ group: group === "" ? undefined : group }))

const ids = (tasks: ReadonlyArray<Driver.ClaimedTask>) => tasks.map(({ id }) => id)

const orderCases: ReadonlyArray<Case> = [
  scene("The tasks of a key are claimed one at a time, in the order of storing", function* (stage) {
    const all = yield* stored(stage, ["a", "b", "a", "a", "b"])
    const worker = yield* stage.worker()
    const first = yield* stage.claim(worker, 10)
    equal(ids(first), [all[0]!, all[1]!], "The first of each key")
    equal(yield* stage.claim(worker, 10), [], "What is claimed beside them")
    yield* stage.settle(first[0]!, completed())
    equal(ids(yield* stage.claim(worker, 10)), [all[2]!], "The second of a key")
    yield* stage.settle(first[1]!, completed())
    equal(ids(yield* stage.claim(worker, 10)), [all[4]!], "The second of the other")
  }),

  scene("A task that waits for its next attempt blocks those of its key behind it", function* (
    stage,
  ) {
    const [first, second] = yield* stored(stage, ["a", "a", "b"])
    const worker = yield* stage.worker()
    yield* stage.attempt(worker, failed(5000))
    yield* stage.attempt(worker, completed())
    equal(yield* stage.claim(worker, 10), [], "What is claimed while it waits")
    yield* TestClock.adjust(5000)
    const again = yield* stage.claim(worker, 10)
    equal(ids(again), [first!], "What is claimed then")
    yield* stage.settle(again[0]!, completed())
    equal(ids(yield* stage.claim(worker, 10)), [second!], "What is claimed after it")
  }),

  scene(
    "Where a key skips, a task that waits for its next attempt lets those behind it go on",
    function* (
      stage,
    ) {
      yield* stage.driver.limit(stage.queue, { keys: { concurrency: 1, onFailure: "skip" } })
      const [first, second, third] = yield* stored(stage, ["a", "a", "a"])
      const worker = yield* stage.worker()
      yield* stage.attempt(worker, failed(5000))
      const behind = yield* stage.claim(worker, 10)
      equal(ids(behind), [second!], "What is claimed while it waits")
      yield* stage.settle(behind[0]!, completed())
      yield* TestClock.adjust(5000)
      const again = yield* stage.claim(worker, 10)
      equal(ids(again), [first!], "What is claimed when it is due")
      yield* stage.settle(again[0]!, completed())
      equal(ids(yield* stage.claim(worker, 10)), [third!], "What is claimed last")
    },
  ),

  scene("A task of a key that is given back keeps its place", function* (stage) {
    const [first, second] = yield* stored(stage, ["a", "a"])
    const worker = yield* stage.worker()
    yield* stage.attempt(worker, interrupted)
    const again = yield* stage.claim(worker, 10)
    equal(ids(again), [first!], "The claimed task")
    yield* stage.settle(again[0]!, completed())
    equal(ids(yield* stage.claim(worker, 10)), [second!], "The one behind it")
  }),

  scene("Where a key gives several tasks, what was given back comes first", function* (stage) {
    yield* stage.driver.limit(stage.queue, many({ concurrency: 2 }))
    const [first, second] = yield* stored(stage, ["a", "a", "a"])
    const worker = yield* stage.worker()
    yield* stage.attempt(worker, interrupted)
    equal(ids(yield* stage.claim(worker, 10)), [first!, second!], "The claimed tasks")
  }),

  scene("A task of a key that snoozes blocks those behind it", function* (stage) {
    yield* stored(stage, ["a", "a"])
    const worker = yield* stage.worker()
    yield* stage.attempt(worker, snoozed(1000))
    equal(yield* stage.claim(worker, 10), [], "What is claimed")
  }),

  scene("A task of a key whose worker is lost keeps its place, and its key", function* (stage) {
    const [first, second] = yield* stored(stage, ["a", "a"])
    yield* stage.crash("lost")
    const worker = yield* stage.worker()
    const again = yield* stage.claim(worker, 10)
    equal(ids(again), [first!], "The claimed task")
    yield* stage.settle(again[0]!, completed())
    equal(ids(yield* stage.claim(worker, 10)), [second!], "The one behind it")
  }),

  scene("A task of a key that ends, however it ends, lets the next one through", function* (stage) {
    const all = yield* stored(stage, ["a", "a", "a", "a"])
    const worker = yield* stage.worker()
    yield* stage.attempt(worker, discarded)
    const second = yield* stage.claimOne(worker)
    equal(second.id, all[1]!, "The one after a failure")
    yield* stage.cancel(second.id)
    equal((yield* stage.claimOne(worker)).id, all[2]!, "The one after a cancel")
    yield* stage.cancel(all[2]!, all[3]!)
    equal(yield* stage.claim(worker, 10), [], "What is left")
  }),

  scene("A delayed task of a key holds up nobody until it has begun", function* (stage) {
    const late = yield* stage.insertOne({ group: "a", delayMillis: 1000 })
    const soon = yield* stage.insertOne({ group: "a" })
    const worker = yield* stage.worker()
    const first = yield* stage.claimOne(worker)
    equal(first.id, soon, "The first task")
    yield* TestClock.adjust(1000)
    equal(yield* stage.claim(worker, 10), [], "What is claimed beside it")
    yield* stage.settle(first, completed())
    equal((yield* stage.claimOne(worker)).id, late, "The second task")
  }),

  scene("Tasks without a key are held up by no key", function* (stage) {
    const all = yield* stored(stage, ["a", "", "a", ""])
    const claimed = yield* stage.claim(yield* stage.worker(), 10)
    equal(ids(claimed).toSorted(), [all[0]!, all[1]!, all[3]!].toSorted(), "The claimed tasks")
  }),

  scene("A key of one queue holds up none of another", function* (stage) {
    yield* stage.insertOne({ group: "a" })
    yield* stage.insertOne({ group: "a", queue: stage.otherQueue })
    const worker = yield* stage.worker()
    equal((yield* stage.claim(worker, 10)).length, 1, "What is claimed from one")
    equal((yield* stage.claim(worker, 10, stage.otherQueue)).length, 1, "And from the other")
  }),

  scene("Many workers never hold two tasks of a key", function* (stage) {
    const keys = Array.from({ length: 60 }, (_, index) => `key ${index % 6}`)
    const all = yield* stored(stage, keys)
    const workers = ["a", "b", "c", "d"]
    for (const worker of workers) yield* stage.worker(worker)
    const order: Array<string> = []
    while (order.length < all.length) {
      const claims = yield* Effect.forEach(
        workers,
        (worker) => stage.claim(stage.name(worker), 2),
        {
          concurrency: "unbounded",
        },
      )
      const tasks = claims.flat()
      equal(tasks.length, 6, "The held tasks, one for each key")
      order.push(...ids(tasks).toSorted())
      for (const task of tasks) yield* stage.settle(task, completed())
    }
    equal(order, all, "The order")
  }),
]

const turnCases: ReadonlyArray<Case> = [
  scene("Keys take turns, each with as many tasks as its weight", function* (stage) {
    yield* stage.driver.limit(stage.queue, many({ weights: { b: 2 } }))
    const all = yield* stored(stage, [..."aaaaaaaa", ..."bbbbbbbb", ..."cc"])
    const worker = yield* stage.worker()
    const [a, b, c] = [all.slice(0, 8), all.slice(8, 16), all.slice(16)]
    const first = yield* stage.claim(worker, 4)
    equal(ids(first), [a[0]!, b[0]!, b[1]!, c[0]!], "The first turn of each")
    equal(ids(yield* stage.claim(worker, 2)), [a[1]!, b[2]!], "The turn of two")
    equal(ids(yield* stage.claim(worker, 2)), [c[1]!, a[2]!], "The turn after them")
  }),

  scene("A key with many tasks does not hold up one with few", function* (stage) {
    yield* stage.driver.limit(stage.queue, many())
    yield* stage.insert(stage.newTasks(500, { group: "loud" }))
    const quiet = yield* stage.insertOne({ group: "quiet" })
    const claimed = yield* stage.claim(yield* stage.worker(), 2)
    equal(ids(claimed)[1], quiet, "The second task")
  }),

  scene("The turns go on where the last claim ended", function* (stage) {
    yield* stage.driver.limit(stage.queue, many())
    yield* stored(stage, [..."edcba", ..."abcde"])
    const worker = yield* stage.worker()
    const turns: Array<string> = []
    for (let turn = 0; turn < 10; turn++) {
      const task = yield* stage.claimOne(worker)
      turns.push((yield* stage.read(task.id)).group!)
    }
    equal(turns.join(""), "abcdeabcde", "The turns")
  }),

  scene("Keys are in the order of their code points", function* (stage) {
    yield* stage.driver.limit(stage.queue, many())
    const keys = ["z", "Z", "ä", "\u{1F600}", "\uFFFD", "10", "9", "a b"]
    const all = yield* stored(stage, keys)
    const claimed = yield* stage.claim(yield* stage.worker(), 100)
    const order = ["10", "9", "Z", "a b", "z", "ä", "\uFFFD", "\u{1F600}"]
    equal(ids(claimed), order.map((key) => all[keys.indexOf(key)]!), "The order")
  }),

  scene("A key never has more tasks held than its limit", function* (stage) {
    yield* stage.driver.limit(stage.queue, many({ concurrency: 2 }))
    yield* stored(stage, [..."aaaaa", ..."bb"])
    const worker = yield* stage.worker()
    const first = yield* stage.claim(worker, 10)
    equal(first.length, 4, "The held tasks")
    yield* stage.settle(first[0]!, completed())
    equal((yield* stage.claim(worker, 10)).length, 1, "The room after one has ended")
  }),

  scene("A key hands out no more tasks than its rate has tokens", function* (stage) {
    const rate = { count: 2, periodMillis: 1000, burst: 2 }
    yield* stage.driver.limit(stage.queue, many({ rate }))
    yield* stored(stage, [..."aaaaa", ..."b"])
    const worker = yield* stage.worker("a", 600_000)
    equal((yield* stage.claim(worker, 10)).length, 3, "The first tasks")
    const request = { worker, lanes: [{ queue: stage.queue, limit: 10 }], waits: false }
    const claim = yield* stage.driver.claim(request)
    equal([claim.tasks.length, claim.nextDueMillis], [0, 500], "The claim without a token")
    yield* TestClock.adjust(500)
    equal((yield* stage.claim(worker, 10)).length, 1, "The task of a token")
    yield* TestClock.adjust(60_000)
    equal((yield* stage.claim(worker, 10)).length, 2, "The tasks after a long rest")
  }),

  scene("A queue and its keys both have their limits", function* (stage) {
    yield* stage.driver.limit(stage.queue, { ...many({ concurrency: 2 }), concurrency: 3 })
    yield* stored(stage, [..."aaaaa", ..."bbbb", ..."cccc"])
    const worker = yield* stage.worker()
    equal((yield* stage.claim(worker, 10)).length, 3, "The held tasks")
    equal(yield* stage.claim(worker, 10), [], "Another claim")
  }),

  scene("A key that is full is passed over, and its turn comes again", function* (stage) {
    yield* stage.driver.limit(stage.queue, many({ concurrency: 1 }))
    const all = yield* stored(stage, [..."aa", ..."bb"])
    const worker = yield* stage.worker()
    const [a] = yield* stage.claim(worker, 1)
    equal(a!.id, all[0]!, "The first task")
    const [b] = yield* stage.claim(worker, 1)
    equal(b!.id, all[2]!, "The task of the next key")
    yield* stage.settle(b!, completed())
    equal(ids(yield* stage.claim(worker, 1)), [all[3]!], "That of the key that is free")
    yield* stage.settle(a!, completed())
    equal(ids(yield* stage.claim(worker, 1)), [all[1]!], "That of the first key")
  }),

  scene("A thousand keys are claimed from in turn", function* (stage) {
    const keys = Array.from({ length: 1000 }, (_, index) => `key ${String(index).padStart(4, "0")}`)
    yield* stage.insert(keys.toReversed().flatMap((group) => stage.newTasks(1, { group })))
    yield* stage.insert(keys.map((group) => stage.newTask({ group })))
    const worker = yield* stage.worker()
    const seen = new Set<string>()
    for (let turn = 0; turn < 10; turn++) {
      const tasks = yield* stage.claim(worker, 100)
      equal(tasks.length, 100, "The claimed tasks")
      for (const { id } of tasks) seen.add((yield* stage.read(id)).group!)
    }
    equal(seen.size, 1000, "The keys")
    equal(yield* stage.claim(worker, 100), [], "What is left while all are held")
  }),
]

const runCases: ReadonlyArray<Case> = [
  scene("A run that is woken keeps its group", function* (stage) {
    const worker = yield* stage.worker()
    const queue = stage.otherQueue
    const own = runOf(stage, { group: "a" })
    yield* stage.insert([own, stepOf(stage, own.id)])
    yield* stage.settle(yield* stage.claimOne(worker, queue), advanced(0))
    yield* stage.settle(yield* stage.claimOne(worker), completed())
    yield* stage.insertOne({ group: "a", queue })
    const claimed = yield* stage.claim(worker, 9, queue)
    equal(claimed.map(({ id }) => id), [own.id], "The run, and nothing else of its group")
  }),

  scene("A run that is woken as it is stored keeps its group", function* (stage) {
    const own = runOf(stage, { group: "a", state: "waiting" })
    const over = stepOf(stage, own.id, { ended: { state: "completed", output: "1" } })
    yield* stage.insert([own, over])
    yield* stage.insertOne({ group: "a", queue: stage.otherQueue })
    const claimed = yield* stage.claim(yield* stage.worker(), 9, stage.otherQueue)
    equal(claimed.map(({ id }) => id), [own.id], "The run, and nothing else of its group")
  }),
]

/** Cases of groups: the tasks of one key in order, and keys in turn.
 * @category cases
 * @since 0.1.0 */
export const groupCases: ReadonlyArray<Case> = [...orderCases, ...turnCases, ...runCases]
