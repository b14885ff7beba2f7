/**
 * The driver's `wakeups`: one listener for a process, begun when somebody first wants to hear.
 *
 * @since 0.1.0
 */
import type { Driver, DriverError } from "@millrace/core"
import { Effect, PubSub, Scope, Stream } from "effect"
import { attempt, type Connection } from "./Connection.ts"
import { channelOf, parseWakeup } from "./statements/Wake.ts"

// Wakeups are hints: who is so far behind has enough to look at.
const capacity = 10_000

const missed: Driver.Wakeup = { _tag: "Missed" }

/** Makes the stream.
 * @category constructors
 * @since 0.1.0 */
export const make = Effect.fnUntraced(function* (
  connection: Connection,
  schemaName: string,
): Effect.fn.Return<Stream.Stream<Driver.Wakeup, DriverError>, never, Scope.Scope> {
  const heard = yield* PubSub.sliding<Driver.Wakeup>(capacity)
  const scope = yield* Effect.scope
  const listen = attempt("listen", () =>
    connection.listen(channelOf(schemaName), (payload) => {
      const wakeup = parseWakeup(payload)
      if (wakeup !== undefined) PubSub.publishUnsafe(heard, wakeup)
    }, () => PubSub.publishUnsafe(heard, missed)))
  const listening = yield* Effect.cached(
    Effect.acquireRelease(listen, (stop) => Effect.ignore(attempt("listen", stop))).pipe(
      Effect.provideService(Scope.Scope, scope),
    ),
  )
  return Stream.unwrap(Effect.gen(function* () {
    const subscription = yield* PubSub.subscribe(heard)
    yield* listening
    // What was told before the server knew of this listener has been missed.
    return Stream.concat(Stream.succeed(missed), Stream.fromSubscription(subscription))
  }))
})
