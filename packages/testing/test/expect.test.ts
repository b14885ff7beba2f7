import { assert, assertEquals, assertThrows } from "@std/assert"
import { describe, it } from "node:test"
import { equal, isSame, show } from "../src/conformance/expect.ts"

describe("what a case compares", () => {
  const values: ReadonlyArray<unknown> = [
    ...[undefined, null, true, false, 0, -0, 1, Number.NaN, "", "0", "undefined", "null"],
    ...[[], [undefined], [null], [1, 2], [2, 1], [[1]], ["1"]],
    ...[{}, { a: undefined }, { b: undefined }, { a: null }, { a: 1 }, { a: 1, b: undefined }],
    ...[{ a: 1, b: 2 }, { b: 2, a: 1 }, { 0: 1 }, { a: [{ b: undefined }] }, { a: [{}] }],
  ]

  it("is the same just where it reads the same", () => {
    for (const some of values) {
      for (const other of values) {
        const reads = show(some) === show(other)
        assertEquals(isSame(some, other), reads, `${show(some)} and ${show(other)}`)
      }
    }
  })

  it("is shown where it is not", () => {
    const error = assertThrows(() => equal<unknown>({ b: 2, a: 1 }, { a: 2 }, "What was found"))
    assert(error instanceof Error)
    assertEquals(error.message, 'What was found:\n  expected {"a": 2}\n  actual   {"a": 1, "b": 2}')
    equal<unknown>({ b: undefined, a: 1 }, { a: 1 }, "nothing")
  })
})
