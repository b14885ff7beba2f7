/**
 * Cases of tags and metadata.
 *
 * @since 0.1.0
 */
import type { Driver } from "@millrace/core"
import { TestClock } from "effect/testing"
import { equal } from "./expect.ts"
import { type Case, everything, scene } from "./fixtures.ts"
import { idsOf } from "./list.ts"
import { completed } from "./outcomes.ts"
import { planted, stepOf } from "./trees.ts"

const strange = ["it's {NULL}", `"quoted", \\`, "漢字 😀", "a", "A", "á"]

/** Cases of tags and metadata.
 * @category cases
 * @since 0.1.0 */
export const labelCases: ReadonlyArray<Case> = [
  scene("The labels of a task are stored with it, and answered in one order", function* (stage) {
    const id = yield* stage.insertOne({
      tags: ["b", "a", "b", ...strange],
      meta: { z: "", customer: "7", "it's": `{"a":1}` },
    })
    const plain = yield* stage.insertOne()
    const record = yield* stage.read(id)
    equal(record.tags, [...new Set(["b", ...strange])].sort(), "The tags")
    const pairs = { customer: "7", "it's": `{"a":1}`, z: "" }
    equal(record.meta, pairs, "The metadata")
    equal(Object.keys(record.meta!), Object.keys(pairs), "The order of names")
    const { meta, tags } = yield* stage.read(plain)
    equal([tags, meta], [undefined, undefined], "What a task without labels has")
  }),

  scene("Tasks are found by their tags, and have all of those that are asked for", function* (
    stage,
  ) {
    const [a, ab, b] = [
      yield* stage.insertOne({ tags: ["a"] }),
      yield* stage.insertOne({ tags: ["a", "b"] }),
      yield* stage.insertOne({ tags: ["b"], delayMillis: 1000 }),
    ]
    yield* stage.insertOne()
    equal(yield* idsOf(stage, { tags: ["a"] }), [a, ab], "By one")
    equal(yield* idsOf(stage, { tags: ["b", "a"] }), [ab], "By both")
    equal(yield* idsOf(stage, { tags: ["b"], descending: true }), [b, ab], "The last first")
    equal(yield* idsOf(stage, { tags: ["b"], before: b, descending: true }), [ab], "A later page")
    equal(yield* idsOf(stage, { tags: ["A"] }), [], "By another")
    equal(yield* idsOf(stage, { tags: [""] }), [], "By an empty one")
    equal((yield* idsOf(stage, { tags: [] })).length, 4, "By none")
  }),

  scene("Tasks are found by their metadata, name and value together", function* (stage) {
    const one = yield* stage.insertOne({ meta: { customer: "7", plan: "pro" } })
    const two = yield* stage.insertOne({ meta: { customer: "8", plan: "pro" } })
    const tagged = yield* stage.insertOne({ tags: ["customer", "7"] })
    equal(yield* idsOf(stage, { meta: { customer: "7" } }), [one], "By one pair")
    equal(yield* idsOf(stage, { meta: { plan: "pro" } }), [one, two], "By another")
    equal(yield* idsOf(stage, { meta: { plan: "pro", customer: "8" } }), [two], "By both")
    equal(yield* idsOf(stage, { meta: { plan: "7" } }), [], "By the value of another name")
    equal(yield* idsOf(stage, { meta: { customer: "" } }), [], "By a name alone")
    equal(yield* idsOf(stage, { tags: ["7"] }), [tagged], "By a tag that is like a value")
    equal(yield* idsOf(stage, { tags: ["7"], meta: { plan: "pro" } }), [], "By a tag and a pair")
  }),

  scene("Labels are texts of any kind, and found as they are", function* (stage) {
    for (const text of strange) {
      const id = yield* stage.insertOne({ tags: [text], meta: { [text]: text } })
      equal(yield* idsOf(stage, { tags: [text] }), [id], "By the tag")
      equal(yield* idsOf(stage, { meta: { [text]: text } }), [id], "By the pair")
    }
  }),

  scene("Labels and all other conditions hold together", function* (stage) {
    const tags = ["a"]
    const done = yield* stage.claimed({ tags })
    yield* stage.settle(done, completed())
    const ready = yield* stage.insertOne({ tags, flow: "alpha", group: "g" })
    const other = yield* stage.insertOne({ tags, queue: stage.otherQueue })
    equal(yield* idsOf(stage, { tags, states: ["completed"] }), [done.id], "Completed")
    equal(yield* idsOf(stage, { tags, states: ["ready"] }), [ready, other], "Ready")
    equal(yield* idsOf(stage, { tags, flow: "alpha", own: true }), [ready], "Of a flow")
    equal(yield* idsOf(stage, { tags, group: "g" }), [ready], "Of a group")
    equal(yield* idsOf(stage, { tags, queue: stage.otherQueue }), [other], "Of a queue")
    equal(yield* idsOf(stage, { tags, ids: [other, done.id] }), [done.id, other], "Of ids")
    equal(yield* idsOf(stage, { tags, after: done.id, limit: 1 }), [ready], "A page")
  }),

  scene("Of a label that many tasks have, the few in a state are found", function* (stage) {
    const tags = ["many"]
    yield* stage.insert(stage.newTasks(1010, { tags, delayMillis: 5 }))
    const rare = yield* stage.insertOne({ tags: ["many", "rare"] })
    const dead = yield* stage.insertOne({ tags })
    yield* stage.cancel(dead)
    equal(yield* idsOf(stage, { tags, states: ["cancelled"] }), [dead], "By state")
    equal(yield* idsOf(stage, { tags: ["many", "rare"] }), [rare], "By a rare one, too")
    equal((yield* idsOf(stage, { tags, limit: everything })).length, 1012, "All of them")
    equal(yield* idsOf(stage, { tags, descending: true, limit: 2 }), [dead, rare], "The last")
  }),

  scene("A task that is not stored leaves no labels", function* (stage) {
    const id = yield* stage.insertOne({ tags: ["first"] })
    yield* stage.insert([stage.newTask({ id, tags: ["second"] })])
    yield* stage.insert([
      stage.newTask({ id: stage.id(90), tags: ["third"] }),
      stage.newTask({ id: stage.id(90), tags: ["fourth"] }),
    ])
    equal((yield* stage.read(id)).tags, ["first"], "Of an id that was there")
    equal((yield* stage.read(stage.id(90))).tags, ["third"], "Of an id that is twice in a batch")
    const unique = { key: "k", states: ["ready"], onClash: "ignore" } as const
    yield* stage.insertOne({ unique, tags: ["holder"] })
    yield* stage.insertOne({ unique, tags: ["ignored"] })
    for (const tag of ["second", "fourth", "ignored"]) {
      equal(yield* idsOf(stage, { tags: [tag] }), [], `By "${tag}"`)
    }
    equal((yield* idsOf(stage, { tags: ["holder"] })).length, 1, "By that of the holder")
  }),

  scene("Tasks of all kinds have labels: in groups, with keys, due later, in runs", function* (
    stage,
  ) {
    const tags = ["t"]
    const unique = { key: "k", states: ["ready"], onClash: "replace" } as const
    const { run } = yield* planted(stage, { tags, ended: { state: "completed", output: "1" } })
    yield* stage.insert([
      stage.newTask({ tags, group: "a" }),
      stage.newTask({ tags, unique }),
      stage.newTask({ tags, delayMillis: 1000 }),
      stage.newTask(),
      stepOf(stage, run, { tags, step: "weigh" }),
    ])
    yield* stage.driver.limit(stage.otherQueue, { maxDepth: 5 })
    yield* stage.insertOne({ tags, queue: stage.otherQueue })
    equal((yield* idsOf(stage, { tags })).length, 6, "How many are found")
    equal((yield* idsOf(stage, { tags, own: true })).length, 4, "How many runs are found")
  }),

  scene("What a change starts is stored with its labels", function* (stage) {
    const own = yield* stage.claimed({ flowType: "flow" })
    const step = stepOf(stage, own.id, { tags: ["started"] })
    yield* stage.settle(own, { _tag: "Advanced", starts: [step], seen: 0 })
    equal(yield* idsOf(stage, { tags: ["started"] }), [step.id], "What is found")
  }),

  scene("Nothing is found by the labels of a task that was pruned", function* (stage) {
    const id = stage.id(7)
    const labels: Partial<Driver.NewTask> = { tags: ["gone"], meta: { customer: "7" } }
    const task = yield* stage.claimed({ id, ...labels })
    yield* stage.settle(task, completed())
    yield* TestClock.adjust(1000)
    equal(yield* stage.driver.prune({ olderThanMillis: 500, limit: everything }), 1, "How many")
    equal(yield* idsOf(stage, labels as Partial<Driver.FindQuery>), [], "What is found")
    yield* stage.insertOne({ id })
    const { meta, tags } = yield* stage.read(id)
    equal([tags, meta], [undefined, undefined], "The labels of another task with its id")
  }),

  scene("Labels stay with a task that goes on", function* (stage) {
    const task = yield* stage.claimed({ tags: ["a"], meta: { b: "c" } })
    yield* stage.settle(task, { _tag: "Snoozed", delayMillis: 0 })
    yield* stage.cancel(task.id)
    yield* stage.retry(task.id)
    const { meta, tags } = yield* stage.read(task.id)
    equal([tags, meta], [["a"], { b: "c" }], "The labels")
  }),
]
