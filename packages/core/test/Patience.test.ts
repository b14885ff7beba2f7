import { assert, assertEquals } from "@std/assert"
import { Clock, Deferred, Effect, Exit } from "effect"
import { TestClock } from "effect/testing"
import { describe, it } from "node:test"
import { Patience } from "../src/internal/worker/Patience.ts"

const patient = <A>(test: (patience: Patience) => Effect.Effect<A>): Promise<A> =>
  Effect.runPromise(
    Effect.flatMap(Clock.Clock, (clock) => test(new Patience(clock))).pipe(
      Effect.provide(TestClock.layer()),
    ),
  )

/** Waits for an effect for a second of virtual time. */
const aSecond = <A, E>(patience: Patience, effect: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    yield* Effect.forkChild(Effect.andThen(Effect.yieldNow, TestClock.adjust(1000)))
    return yield* patience.exit(effect, 1000)
  })

describe("patience", () => {
  it("answers how an effect ended, at once or in time", () =>
    patient((patience) =>
      Effect.gen(function* () {
        assertEquals(yield* patience.exit(Effect.succeed(1), 1000), Exit.succeed(1))
        assertEquals(yield* patience.exit(Effect.fail("no"), 1000), Exit.fail("no"))
        assertEquals(
          yield* aSecond(patience, Effect.as(Effect.sleep(999), 2)),
          Exit.succeed(2),
        )
      })
    ))

  it("ends with what never answers, and interrupts it", () =>
    patient((patience) =>
      Effect.gen(function* () {
        let interrupted = false
        const never = Effect.onInterrupt(Effect.never, () =>
          Effect.sync(() => {
            interrupted = true
          }))
        assertEquals(yield* aSecond(patience, never), undefined)
        yield* Effect.yieldNow
        assert(interrupted)
      })
    ))

  it("is not taken in by an end that comes after its time", () =>
    patient((patience) =>
      Effect.gen(function* () {
        const late = yield* Deferred.make<number>()
        const deaf = Effect.uninterruptible(Deferred.await(late))
        assertEquals(yield* aSecond(patience, deaf), undefined)
        yield* Effect.forkChild(Effect.andThen(Effect.yieldNow, Deferred.succeed(late, 1)))
        const next = Effect.as(Effect.sleep(500), "the next one")
        assertEquals(yield* aSecond(patience, next), Exit.succeed("the next one"))
      })
    ))
})
