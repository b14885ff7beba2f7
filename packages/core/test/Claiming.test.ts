import { Claiming } from "@millrace/core"
import { assertEquals } from "@std/assert"
import { describe, it } from "node:test"

/** Tasks by how often they have crashed. */
const queue = (...crashes: ReadonlyArray<number>) =>
  crashes.map((count, sequence) => ({ priority: 5, sequence, crashes: count }))

/** How many tasks of each queue a claim takes. */
const sizes = (...queues: ReadonlyArray<ReturnType<typeof queue>>) => {
  const batches = Claiming.batchesOf(queues)
  batches.forEach((batch, index) =>
    assertEquals(batch, queues[index]!.slice(0, batch.length), "a batch is no beginning")
  )
  return batches.map((batch) => batch.length)
}

describe("the batches of a claim", () => {
  it("are all that is there, where nothing has crashed", () => {
    assertEquals(sizes(), [])
    assertEquals(sizes([]), [0])
    assertEquals(sizes(queue(0, 0, 0), [], queue(0)), [3, 0, 1])
  })

  it("end before the first task that has crashed, each by itself", () => {
    assertEquals(sizes(queue(0, 0, 1, 0)), [2])
    assertEquals(sizes(queue(0, 1), queue(0, 0, 0), queue(0, 0, 2, 1)), [1, 3, 2])
  })

  it("are one task, where a queue begins with one that has crashed", () => {
    assertEquals(sizes(queue(1)), [1])
    assertEquals(sizes(queue(1, 0, 1)), [1])
    assertEquals(sizes(queue(0, 0), queue(3, 0), queue(0)), [0, 1, 0])
  })

  it("are the task of the first queue that begins so", () => {
    assertEquals(sizes(queue(0), queue(1, 0), [], queue(2)), [0, 1, 0, 0])
  })
})

describe("the order of a claim", () => {
  it("is by priority, then by when a task became ready", () => {
    const places = [[5, 1], [0, 9], [9, 0], [5, 0]].map(([priority, sequence]) => ({
      priority: priority!,
      sequence: sequence!,
      crashes: 0,
    }))
    const order = places.sort(Claiming.byPlace).map((
      { priority, sequence },
    ) => [priority, sequence])
    assertEquals(order, [[0, 9], [5, 0], [5, 1], [9, 0]])
  })
})

describe("time", () => {
  it("has come at the instant itself", () => {
    assertEquals([9, 10, 11].map((now) => Claiming.isDue(10, now)), [false, true, true])
    assertEquals([9, 10, 11].map((now) => Claiming.isExpired(10, now)), [false, true, true])
  })
})
