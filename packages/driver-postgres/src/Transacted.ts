/**
 * Running an effect in a transaction: commit where it succeeds, roll back however else it ends.
 *
 * @since 0.1.0
 */
import { DriverError, Transaction } from "@millrace/core"
import { Effect, Exit } from "effect"
import type { Begin, Begun } from "./Begin.ts"
import { codeOf, isConflict, isLostConnection, toDriverError } from "./DatabaseError.ts"
import { CurrentJoined, type Joined, ofPart } from "./Joined.ts"

type Service = Transaction.Transactions["Service"]

/** Makes what begins transactions; `name` is that of the driver.
 * @category constructors
 * @since 0.1.0 */
export const make = (name: string, begin: Begin): Service => ({
  run: (effect) =>
    Effect.flatMap(CurrentJoined, (outer) => {
      if (outer === undefined) return run(name, begin, effect)
      if (outer.hasEnded || outer.begin === undefined) return Effect.fail(refusal(outer))
      return outer.turns.withPermit(run(name, outer.begin, effect))
    }),
})

const refusal = (outer: Joined): DriverError =>
  DriverError.rejected(
    "begin a transaction",
    outer.hasEnded
      ? "the transaction around it has ended"
      : "what was given to Postgres.within cannot have a part that is rolled back by itself; " +
        "it has an execute, and no transaction",
  )

const run = <A, E, R>(
  name: string,
  begin: Begin,
  effect: Effect.Effect<A, E, R>,
): Effect.Effect<A, E | DriverError, Exclude<R, Transaction.Transaction>> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const begun = yield* restore(begunBy(begin))
      const joined = ofPart(begun)
      const inside = effect.pipe(
        Effect.provideService(CurrentJoined, joined),
        Effect.provideService(Transaction.Transaction, { name }),
      )
      const exit = yield* Effect.exit(restore(Effect.raceFirst(inside, lossOf(begun))))
      if (Exit.isFailure(exit)) {
        joined.hasEnded = true
        yield* Effect.promise(begun.rollback)
        return yield* exit
      }
      // A fiber that was forked inside may be in the middle of a call.
      yield* joined.turns.withPermit(Effect.sync(() => joined.hasEnded = true))
      yield* Effect.tryPromise({ try: begun.commit, catch: toCommitError })
      return exit.value
    })
  )

// Where nobody waits for the begin any more, what began is ended.
const begunBy = (begin: Begin): Effect.Effect<Begun, DriverError> =>
  Effect.callback((resume) => {
    let waits = true
    begin().then(
      (begun) => waits ? resume(Effect.succeed(begun)) : void begun.rollback(),
      (error) => resume(Effect.fail(toDriverError("begin a transaction", error))),
    )
    return Effect.sync(() => {
      waits = false
    })
  })

// The effect may be waiting for an answer that never comes, or for something else altogether.
const lossOf = (begun: Begun): Effect.Effect<never, DriverError> =>
  Effect.callback((resume) =>
    begun.onLost((error) => resume(Effect.fail(toDriverError("go on with the transaction", error))))
  )

const toCommitError = (error: unknown): DriverError => {
  const code = codeOf(error)
  if (code !== undefined && isLostConnection(code)) {
    return DriverError.unavailable(
      "commit",
      `the connection was lost, so whether the transaction is committed is not known (${code})`,
    )
  }
  if (isConflict(error)) return toDriverError("commit", error)
  const which = code === undefined ? "" : ` (${code})`
  return DriverError.rejected(
    "commit",
    `the transaction was rolled back, since a statement of it had failed${which}`,
  )
}
