/**
 * Waits for a latch, but not for ever.
 */
import { Effect, type Latch } from "effect"

/**
 * Waits until a latch is open, and opens it itself after a time. One fiber keeps the time; a race
 * of two effects would cost a fiber for each, and most waits end before their time.
 */
export const untilOpen = (latch: Latch.Latch, millis: number): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (latch.isOpen()) return Effect.void
    const timer = Effect.andThen(
      Effect.sleep(millis),
      Effect.sync(() => void latch.openUnsafe()),
    )
    return Effect.flatMap(
      Effect.forkChild(timer, { startImmediately: true }),
      (fiber) => Effect.ensuring(latch.await, Effect.sync(() => fiber.interruptUnsafe())),
    )
  })
