/** How many claims of a worker are on their way, and what becomes of them. */
import { Driver, Job, Queues, Worker } from "@millrace/core"
import { assert, assertEquals } from "@std/assert"
import { Effect, References, Schema } from "effect"
import { TestClock } from "effect/testing"
import { describe, it } from "node:test"
import { overMemory } from "./over-memory.ts"

const Step = Job.make("step", { input: Schema.Int })

/** What was seen of the claims of one worker. */
interface Seen {
  onTheirWay: number
  most: number
  tasks: number
}

/** A worker of a memory driver whose claims take a tenth of a second there and back. */
const served = <A, E>(
  millis: number,
  effect: (seen: Seen) => Effect.Effect<A, E, Driver.Driver | Worker.Worker>,
): Promise<A> => {
  const seen: Seen = { onTheirWay: 0, most: 0, tasks: 0 }
  const driver = overMemory((memory) => ({
    claim: (request) =>
      Effect.gen(function* () {
        seen.most = Math.max(seen.most, ++seen.onTheirWay)
        yield* Effect.sleep(50)
        const claim = yield* memory.claim(request)
        yield* Effect.sleep(50)
        seen.onTheirWay--
        seen.tasks += claim.tasks.length
        return claim
      }),
  }))
  const step = Step.perform(() => millis === 0 ? Effect.void : Effect.sleep(millis))
  return Effect.runPromise(
    Effect.suspend(() => effect(seen)).pipe(
      Effect.provide(Worker.layer({ jobs: [step], concurrency: 4 })),
      Effect.provide(driver),
      Effect.provide(TestClock.layer()),
      Effect.provideService(References.MinimumLogLevel, "None"),
    ),
  )
}

const stored = (count: number) => Step.enqueueMany(Array.from({ length: count }, (_, n) => n))

describe("a worker", () => {
  it("has two claims on their way while its queue gives all it asks for, and never more", () =>
    served(0, (seen) =>
      Effect.gen(function* () {
        yield* TestClock.adjust(5000)
        yield* stored(30_000)
        yield* TestClock.adjust(60_000)
        assertEquals(yield* Queues.list, [])
        assertEquals([seen.tasks, seen.most], [30_000, 2])
      })))

  it("has one where there is nothing to do", () =>
    served(0, (seen) =>
      Effect.gen(function* () {
        yield* TestClock.adjust(60_000)
        assertEquals(seen.most, 1)
      })))

  it("has no more at hand than before where its handlers take their time", () =>
    served(10_000, (seen) =>
      Effect.gen(function* () {
        yield* stored(1000)
        yield* TestClock.adjust(9000)
        assert(seen.tasks <= 3 * 4, `${seen.tasks} were claimed for 4 places`)
        yield* Effect.forkChild((yield* Worker.Worker).stop, { startImmediately: true })
        yield* TestClock.adjust(60_000)
      })))

  it("that stops waits for both, and gives back what they were answered", () =>
    served(0, (seen) =>
      Effect.gen(function* () {
        const { stop } = yield* Worker.Worker
        yield* TestClock.adjust(5000)
        yield* stored(30_000)
        let waited = 0
        while (seen.onTheirWay < 2 && waited++ < 1000) yield* TestClock.adjust(10)
        assertEquals(seen.onTheirWay, 2)
        const before = seen.tasks
        const stopping = yield* Effect.forkChild(stop, { startImmediately: true })
        yield* TestClock.adjust(60_000)
        assert(stopping.pollUnsafe() !== undefined, "it has not stopped")
        assert(seen.tasks >= before + 1000, "they were answered before")
        assertEquals(seen.onTheirWay, 0)
        const [queue] = yield* Queues.list
        assertEquals(queue?.running, 0)
        assert(queue !== undefined && queue.ready > 0, "nothing is left")
      })))
})
