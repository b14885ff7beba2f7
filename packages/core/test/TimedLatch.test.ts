import { assert, assertEquals } from "@std/assert"
import { Clock, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { describe, it } from "node:test"
import { TimedLatch } from "../src/internal/worker/TimedLatch.ts"

/** Runs a test with a latch, and with how many sleeps its timer has begun. */
const latched = (
  test: (latch: TimedLatch, sleeps: () => number) => Effect.Effect<void>,
): Promise<void> =>
  Effect.runPromise(
    Effect.flatMap(Clock.Clock, (clock) => {
      let sleeps = 0
      const counted: Clock.Clock = Object.assign(Object.create(clock), {
        sleep: (duration: Parameters<Clock.Clock["sleep"]>[0]) => {
          sleeps++
          return clock.sleep(duration)
        },
      })
      return test(new TimedLatch(counted), () => sleeps)
    }).pipe(Effect.provide(TestClock.layer())),
  )

const hasEnded = (fiber: Fiber.Fiber<void>): boolean => fiber.pollUnsafe() !== undefined

describe("a timed latch", () => {
  it("lets go on whoever waits as soon as it is opened, and stays open", () =>
    latched((latch) =>
      Effect.gen(function* () {
        for (const wait of [latch.opened, latch.openedWithin(1000)]) {
          latch.close()
          const waits = yield* Effect.forkChild(wait, { startImmediately: true })
          assert(!hasEnded(waits))
          latch.open()
          assert(hasEnded(waits), "in the same turn")
          yield* latch.opened
          yield* latch.openedWithin(1000)
        }
      })
    ))

  it("opens itself after the time, and not before", () =>
    latched((latch) =>
      Effect.gen(function* () {
        const waits = yield* Effect.forkChild(latch.openedWithin(1000), { startImmediately: true })
        yield* TestClock.adjust(999)
        assert(!hasEnded(waits))
        yield* TestClock.adjust(1)
        assert(hasEnded(waits))
        yield* latch.opened
      })
    ))

  it("forgets the time of a wait that was over before it began", () =>
    latched((latch) =>
      Effect.gen(function* () {
        const over = latch.openedWithin(1000)
        latch.open()
        yield* over
        latch.close()
        const waits = yield* Effect.forkChild(latch.opened, { startImmediately: true })
        yield* TestClock.adjust(2000)
        assert(!hasEnded(waits), "who waits for ever is not woken by the time of another wait")
      })
    ))

  it("keeps the time of many waits of a fiber with few sleeps", () =>
    latched((latch, sleeps) =>
      Effect.gen(function* () {
        let waits = 0
        yield* Effect.forkChild(
          Effect.forever(Effect.suspend(() => {
            latch.close()
            return Effect.map(latch.openedWithin(1000), () => void waits++)
          })),
          { startImmediately: true },
        )
        for (let opened = 0; opened < 90; opened++) {
          yield* TestClock.adjust(10)
          latch.open()
        }
        assertEquals([waits, sleeps()], [90, 1])
        yield* TestClock.adjust(999)
        assertEquals([waits, sleeps()], [90, 2], "the time of the first is not that of the last")
        yield* TestClock.adjust(1)
        assertEquals(waits, 91)
      })
    ))

  it("wakes in time for a wait that ends before the one before it would have", () =>
    latched((latch) =>
      Effect.gen(function* () {
        for (const millis of [60_000, 1000, 10]) {
          latch.close()
          const waits = yield* Effect.forkChild(latch.openedWithin(millis), {
            startImmediately: true,
          })
          yield* TestClock.adjust(millis === 60_000 ? 10 : millis)
          if (millis === 60_000) latch.open()
          assert(hasEnded(waits), `a wait of ${millis} ms`)
        }
      })
    ))

  it("can be interrupted where nothing else can, and be waited for again", () =>
    latched((latch) =>
      Effect.gen(function* () {
        for (const wait of [latch.opened, latch.openedWithin(1000)]) {
          const waits = yield* Effect.forkChild(Effect.uninterruptible(wait), {
            startImmediately: true,
          })
          yield* Fiber.interrupt(waits)
          const again = yield* Effect.forkChild(latch.openedWithin(500), { startImmediately: true })
          yield* TestClock.adjust(499)
          assert(!hasEnded(again))
          yield* TestClock.adjust(1)
          assert(hasEnded(again))
          latch.close()
        }
      })
    ))
})
