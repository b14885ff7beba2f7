import { Backoff, type Flow, Progress, RunId } from "@millrace/core"
import { assert, assertEquals } from "@std/assert"
import { Schema } from "effect"
import { describe, it } from "node:test"
import { contains, isMet } from "../src/internal/flow/Condition.ts"
import { standingOf } from "../src/internal/flow/Standing.ts"
import { derive } from "../src/internal/flow/TaskIds.ts"

const run = "01910000-1234-7abc-8def-0123456789ab"

describe("the id of a step's task", () => {
  it("is the same for the same run, step and index, on every runtime", () => {
    assertEquals(derive(run, "charge", 0), derive(run, "charge", 0))
    assertEquals(derive(run, "charge", 0), golden)
  })

  it("is a UUID of version 8 that begins with the time of the run's", () => {
    for (let index = -1; index < 1000; index++) {
      const id = derive(run, "pack", index)
      assert(RunId.isRunId(id), id)
      assert(/^01910000-1234-8[0-9a-f]{3}-[89ab]/.test(id), id)
    }
  })

  it("differs for every step and index of many runs", () => {
    const ids = new Set<string>()
    for (let number = 0; number < 200; number++) {
      const of = `01910000-1234-7abc-8def-${number.toString(16).padStart(12, "0")}`
      for (const step of ["a", "b", "ab", "a:undo", "a:signal"]) {
        for (let index = -1; index < 99; index++) ids.add(derive(of, step, index))
      }
    }
    assertEquals(ids.size, 200 * 5 * 100)
  })
})

const golden = "01910000-1234-8e9e-9e49-e6a4ac144021"

const policy: Flow.Policy = {
  maxAttempts: 1,
  maxCrashes: 3,
  backoff: Backoff.fixed("1 second"),
  timeoutMillis: 1000,
}

const step = (more: Partial<Flow.Step>): Flow.Step => ({
  slug: "charge",
  kind: "task",
  needs: [],
  input: Schema.Void,
  output: Schema.Void,
  error: Schema.Never,
  policy,
  startDelayMillis: 0,
  whenUnmet: "skip",
  whenExhausted: "fail",
  undo: false,
  ...more,
})

const counts = (more: Partial<Progress.StepProgress>): Progress.StepProgress => ({
  ...Progress.none("charge"),
  ...more,
})

describe("where a step stands", () => {
  const cases: ReadonlyArray<
    readonly [string, Partial<Flow.Step>, Partial<Progress.StepProgress>, string]
  > = [
    ["without tasks", {}, {}, "none"],
    ["with a task that has not ended", {}, { tasks: 1 }, "open"],
    ["completed", {}, { tasks: 1, completed: 1 }, "completed"],
    ["skipped", {}, { tasks: 1, skipped: 1 }, "skipped"],
    ["failed", {}, { tasks: 1, failed: 1 }, "failed"],
    ["cancelled by somebody", {}, { tasks: 1, cancelled: 1 }, "failed"],
    ["a map with elements left", { kind: "map" }, { tasks: 3, completed: 2 }, "open"],
    ["a map, all completed", { kind: "map" }, { tasks: 3, completed: 3 }, "completed"],
    ["a map that fails at once", { kind: "map" }, { tasks: 3, failed: 1 }, "failed"],
    [
      "a map that is skipped when it fails, with elements left",
      { kind: "map", whenExhausted: "skip" },
      { tasks: 3, failed: 1 },
      "spoilt",
    ],
    [
      "the same once those are cancelled",
      { kind: "map", whenExhausted: "skip" },
      { tasks: 3, failed: 1, cancelled: 2 },
      "skipped",
    ],
    [
      "a map whose elements may fail, with some left",
      { kind: "map", onFailure: "collect" },
      { tasks: 3, failed: 1 },
      "open",
    ],
    [
      "a map whose elements may fail, all ended",
      { kind: "map", onFailure: "skip" },
      { tasks: 3, failed: 3 },
      "completed",
    ],
  ]
  for (const [name, of, how, expected] of cases) {
    it(`${name}: ${expected}`, () => assertEquals(standingOf(step(of), counts(how)), expected))
  }

  it("is none where nothing is known of it", () => {
    assertEquals(standingOf(step({}), undefined), "none")
  })
})

describe("a condition", () => {
  const order = { total: 120, tags: ["new", "gift"], customer: { country: "NO", vip: false } }

  it("is met by a value that contains its pattern, however deep", () => {
    assert(contains(order, { customer: { country: "NO" } }))
    assert(contains(order, { tags: ["gift"] }))
    assert(contains(order, {}))
    assert(!contains(order, { customer: { country: "SE" } }))
    assert(!contains(order, { tags: ["old"] }))
    assert(!contains(order, { missing: undefined }))
  })

  it("compares what is no object by its value", () => {
    assert(contains({ at: new Date(5) }, { at: new Date(5) }))
    assert(!contains({ at: new Date(5) }, { at: new Date(6) }))
    assert(contains({ n: 0 }, { n: 0 }))
    assert(!contains({ n: 0 }, { n: false }))
    assert(!contains(null, { n: 0 }))
  })

  it("holds all of its parts", () => {
    const when = (value: unknown) => (value as typeof order).total > 100
    assert(isMet({ when }, order))
    assert(isMet({ if: { total: 120 }, ifNot: { customer: { vip: true } }, when }, order))
    assert(!isMet({ if: { total: 120 }, ifNot: { customer: { vip: false } } }, order))
    assert(!isMet({ when: () => false }, order))
  })

  it("reaches no prototype", () => {
    assert(!contains({}, JSON.parse(`{"__proto__":{}}`)))
    assert(!contains({}, { constructor: Object }))
  })
})
