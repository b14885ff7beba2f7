/**
 * Cases of keys that only one task of a job may have.
 *
 * @since 0.1.0
 */
import type { Task, Uniqueness } from "@millrace/core"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { equal, that } from "./expect.ts"
import { type Case, scene } from "./fixtures.ts"
import { completed, failed, snoozed } from "./outcomes.ts"
import { runOf } from "./trees.ts"

const open: ReadonlyArray<Task.State> = ["waiting", "ready", "running"]

const ignoring = (key: string, more: Partial<Uniqueness.Unique> = {}) => ({
  unique: { key, states: open, onClash: "ignore", ...more } as const,
})

const replacing = (key: string, more: Partial<Uniqueness.Unique> = {}) => ({
  unique: { key, states: ["waiting", "ready"], onClash: "replace", ...more } as const,
})

/** Cases of keys that only one task of a job may have.
 * @category cases
 * @since 0.1.0 */
export const uniqueCases: ReadonlyArray<Case> = [
  scene("Of many inserts with one key one is stored, and the others answer its id", function* (
    stage,
  ) {
    const tasks = stage.newTasks(100, ignoring("ada"))
    const answers = (yield* Effect.forEach(tasks, (task) => stage.driver.insert([task]), {
      concurrency: "unbounded",
    })).flat()
    const stored = answers.filter(({ inserted }) => inserted)
    equal(stored.length, 1, "The stored tasks")
    const others = answers.filter(({ inserted }) => !inserted).map(({ holder }) => holder)
    equal(others, Array.from({ length: 99 }, () => stored[0]!.id), "The other answers")
    equal((yield* stage.readAll()).map(({ id }) => id), [stored[0]!.id], "The store")
  }),

  scene("Of one key in a batch the first is stored", function* (stage) {
    const tasks = [
      stage.newTask(ignoring("ada")),
      stage.newTask(),
      stage.newTask(ignoring("ada")),
      stage.newTask(ignoring("bob")),
    ]
    const [a, b, c, d] = tasks.map(({ id }) => id)
    equal(yield* stage.driver.insert(tasks), [
      { id: a!, inserted: true },
      { id: b!, inserted: true },
      { id: c!, inserted: false, holder: a! },
      { id: d!, inserted: true },
    ], "The answers")
    const claimed = yield* stage.claim(yield* stage.worker(), 10)
    equal(claimed.map(({ id }) => id), [a!, b!, d!], "What can be claimed")
  }),

  scene("A key is free again once its task is in none of the states that were given", function* (
    stage,
  ) {
    const task = yield* stage.claimed(ignoring("ada"))
    const second = stage.newTask(ignoring("ada"))
    equal(
      yield* stage.driver.insert([second]),
      [{ id: second.id, inserted: false, holder: task.id }],
      "The answer while it runs",
    )
    const started = stage.newTask(ignoring("ada", { states: ["waiting", "ready"] }))
    equal(
      yield* stage.driver.insert([started]),
      [{ id: started.id, inserted: true }],
      "The answer to one that counts only what waits",
    )
    yield* stage.settle(yield* stage.claimOne(stage.name("a")), completed())
    const third = stage.newTask(ignoring("ada"))
    equal(yield* stage.driver.insert([third]), [{ id: third.id, inserted: true }], "At its end")
  }),

  scene("A key is free again once the period since its task was stored is over", function* (
    stage,
  ) {
    const all: ReadonlyArray<Task.State> = [...open, "completed", "failed"]
    const throttled = ignoring("ada", { states: all, periodMillis: 1000 })
    const first = yield* stage.claimed(throttled)
    yield* stage.settle(first, completed())
    yield* TestClock.adjust(999)
    const early = stage.newTask(throttled)
    equal(
      yield* stage.driver.insert([early]),
      [{ id: early.id, inserted: false, holder: first.id }],
      "The answer within the period",
    )
    yield* TestClock.adjust(1)
    const late = stage.newTask(throttled)
    equal(yield* stage.driver.insert([late]), [{ id: late.id, inserted: true }], "After it")
  }),

  scene("A task that replaces another one cancels it", function* (stage) {
    const first = yield* stage.insertOne(replacing("ada"))
    const second = stage.newTask(replacing("ada"))
    equal(
      yield* stage.driver.insert([second]),
      [{ id: second.id, inserted: true, replaced: first }],
      "The answer",
    )
    const before = yield* stage.read(first)
    equal(
      [before.state, before.history.map(({ kind, failure }) => [kind, failure?.message])],
      ["cancelled", [["cancelled", `replaced by run ${second.id}`]]],
      "The replaced task",
    )
    const claimed = yield* stage.claim(yield* stage.worker(), 10)
    equal(claimed.map(({ id }) => id), [second.id], "What can be claimed")
  }),

  scene("A task of a batch can replace one before it", function* (stage) {
    const tasks = stage.newTasks(3, replacing("ada"))
    const [a, b, c] = tasks.map(({ id }) => id)
    equal(yield* stage.driver.insert(tasks), [
      { id: a!, inserted: true },
      { id: b!, inserted: true, replaced: a! },
      { id: c!, inserted: true, replaced: b! },
    ], "The answers")
    const states = (yield* stage.readAll()).map(({ state }) => state)
    equal(states, ["cancelled", "cancelled", "ready"], "Their states")
  }),

  scene("A run that waits is replaced, also by one of its own batch", function* (stage) {
    const run = () => runOf(stage, { ...replacing("ada"), state: "waiting" })
    const [a, b, c] = [run(), run(), run()]
    const answers = yield* stage.driver.insert([a, b])
    equal(answers.map(({ replaced }) => replaced), [undefined, a.id], "The answers of a batch")
    const [answer] = yield* stage.driver.insert([c])
    equal(answer!.replaced, b.id, "The answer to a third")
    const found = yield* stage.driver.find({ queue: stage.otherQueue, limit: 10 })
    equal(
      found.map(({ state, history }) => [state, history.map(({ kind }) => kind)]),
      [["ready", ["unwinding"]], ["ready", ["unwinding"]], ["waiting", []]],
      "The states: what is below the replaced ones is to end first",
    )
  }),

  scene("A scheduled task is replaced as one that is due", function* (stage) {
    const first = yield* stage.insertOne({ ...replacing("ada"), delayMillis: 1000 })
    yield* TestClock.adjust(900)
    const second = yield* stage.insertOne({ ...replacing("ada"), delayMillis: 1000 })
    yield* TestClock.adjust(999)
    const worker = yield* stage.worker()
    equal(yield* stage.claim(worker, 10), [], "What can be claimed before the second is due")
    yield* TestClock.adjust(1)
    equal((yield* stage.claimOne(worker)).id, second, "The claimed task")
    equal((yield* stage.read(first)).state, "cancelled", "The first task")
  }),

  scene("What runs is not replaced, unless that state was given", function* (stage) {
    const task = yield* stage.claimed(replacing("ada"))
    const beside = yield* stage.driver.insert([stage.newTask(replacing("ada"))])
    equal(beside.map(({ replaced }) => replaced), [undefined], "The replaced one")
    equal((yield* stage.read(task.id)).state, "running", "Its state")
    const other = yield* stage.claimed({
      ...replacing("bob", { states: open }),
      queue: stage.otherQueue,
    })
    const next = stage.newTask(replacing("bob", { states: open }))
    equal(
      yield* stage.driver.insert([next]),
      [{ id: next.id, inserted: true, replaced: other.id }],
      "The answer",
    )
    equal((yield* stage.settle(other, completed())).status, "already", "Its settling")
    equal((yield* stage.read(other.id)).state, "cancelled", "The state of what ran")
  }),

  scene("A key belongs to a job: another job may have the same", function* (stage) {
    const tasks = ["send_email", "send_text"].map((flow) =>
      stage.newTask({ ...ignoring("ada"), flow })
    )
    const answers = yield* stage.driver.insert(tasks)
    equal(answers.map(({ inserted }) => inserted), [true, true], "The answers")
  }),

  scene("A key is kept while its task waits for a retry", function* (stage) {
    const task = yield* stage.claimed(ignoring("ada"))
    yield* stage.settle(task, failed(5000))
    const next = stage.newTask(ignoring("ada"))
    const [answer] = yield* stage.driver.insert([next])
    equal(answer?.holder, task.id, "The task that has it")
  }),

  scene("A key is kept while its task snoozes", function* (stage) {
    const task = yield* stage.claimed(ignoring("ada"))
    yield* stage.settle(task, snoozed(5000))
    const [answer] = yield* stage.driver.insert([stage.newTask(ignoring("ada"))])
    equal(answer?.holder, task.id, "The task that has it")
  }),

  scene(
    "A key is kept when the worker of its task is lost, and freed when the task has ended",
    function* (
      stage,
    ) {
      const id = yield* stage.insertOne({ ...ignoring("ada"), maxCrashes: 1 })
      yield* stage.crash("a")
      const [kept] = yield* stage.driver.insert([stage.newTask(ignoring("ada"))])
      equal(kept?.holder, id, "The task that has it after a crash")
      yield* stage.crash("b")
      equal((yield* stage.read(id)).state, "failed", "Its state after another")
      const [freed] = yield* stage.driver.insert([stage.newTask(ignoring("ada"))])
      equal(freed?.inserted, true, "The answer then")
    },
  ),

  scene("A key is freed when its task is cancelled", function* (stage) {
    const id = yield* stage.insertOne(ignoring("ada"))
    yield* stage.cancel(id)
    const [answer] = yield* stage.driver.insert([stage.newTask(ignoring("ada"))])
    equal(answer?.inserted, true, "The answer")
  }),

  scene("A task that is retried by hand has its key again, unless another took it", function* (
    stage,
  ) {
    const first = yield* stage.insertOne(ignoring("ada"))
    yield* stage.cancel(first)
    yield* stage.retry(first)
    const [again] = yield* stage.driver.insert([stage.newTask(ignoring("ada"))])
    equal(again?.holder, first, "The task that has it")
    yield* stage.cancel(first)
    const second = yield* stage.insertOne(ignoring("ada"))
    yield* stage.retry(first)
    const [other] = yield* stage.driver.insert([stage.newTask(ignoring("ada"))])
    equal(other?.holder, second, "The task that has it when another took it")
  }),

  scene("Inserting an id again leaves its key with it", function* (stage) {
    const task = stage.newTask(ignoring("ada"))
    yield* stage.driver.insert([task])
    equal(yield* stage.driver.insert([task]), [{ id: task.id, inserted: false }], "The answer")
    const [answer] = yield* stage.driver.insert([stage.newTask(ignoring("ada"))])
    equal(answer?.holder, task.id, "The task that has the key")
  }),

  scene("An id that exists takes no key", function* (stage) {
    const id = yield* stage.insertOne()
    yield* stage.driver.insert([stage.newTask({ ...ignoring("ada"), id })])
    const next = stage.newTask(ignoring("ada"))
    equal(yield* stage.driver.insert([next]), [{ id: next.id, inserted: true }], "The answer")
  }),

  scene("A key goes with its task when that is pruned", function* (stage) {
    const all: ReadonlyArray<Task.State> = [...open, "completed"]
    const task = yield* stage.claimed(ignoring("ada", { states: all }))
    yield* stage.settle(task, completed())
    const [kept] = yield* stage.driver.insert([stage.newTask(ignoring("ada", { states: all }))])
    equal(kept?.holder, task.id, "The task that has it")
    yield* stage.driver.prune({ olderThanMillis: 0, limit: 10 })
    const [freed] = yield* stage.driver.insert([stage.newTask(ignoring("ada", { states: all }))])
    equal(freed?.inserted, true, "The answer after that")
  }),

  scene("Keys differ in case, in accents and at the end", function* (stage) {
    const keys = ["ada", "Ada", "ada ", "adá", "a".repeat(255), "漢".repeat(255)]
    const answers = yield* stage.driver.insert(keys.map((key) => stage.newTask(ignoring(key))))
    that(answers.every(({ inserted }) => inserted), "Expected every key to be one of its own")
  }),

  scene("Batches with the same keys in other orders both end", function* (stage) {
    const keys = Array.from({ length: 50 }, (_, index) => `key ${index}`)
    const batch = (some: ReadonlyArray<string>) => some.map((key) => stage.newTask(ignoring(key)))
    yield* Effect.all(
      [keys, keys.toReversed(), keys, keys.toReversed()].map((some) =>
        stage.driver.insert(batch(some))
      ),
      { concurrency: "unbounded" },
    )
    equal((yield* stage.readAll()).length, 50, "The stored tasks")
  }),
]
