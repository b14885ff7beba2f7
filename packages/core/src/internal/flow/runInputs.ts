/**
 * The inputs of runs, which every handler of a flow is told: read once for all tasks of a run.
 */
import { Deferred, Effect, Exit } from "effect"
import * as Attempt from "../../Attempt.ts"
import type * as Codec from "../../Codec.ts"
import type { ClaimedTask, Driver } from "../../Driver.ts"
import type { Served } from "../worker/Served.ts"
import { laterMillis } from "./conducting.ts"

/** How many runs' inputs a worker remembers of each flow. */
const remembered = 100

/** Reads the input of a task's run, mostly from memory; tasks that ask at once share one look. */
export const runInputsOf = (input: Codec.Any): NonNullable<Served["runInput"]> => {
  const known = new Map<string, Deferred.Deferred<unknown, Attempt.Snooze>>()
  return (driver, task) =>
    Effect.suspend(() => {
      const before = known.get(task.runId)
      if (before !== undefined) return Deferred.await(before)
      const reading = Deferred.makeUnsafe<unknown, Attempt.Snooze>()
      if (known.size >= remembered) known.delete(known.keys().next().value!)
      known.set(task.runId, reading)
      return read(driver, task, input).pipe(
        // Who looks may be interrupted: the others look again.
        Effect.onExit((exit) => {
          if (Exit.isFailure(exit)) known.delete(task.runId)
          const shared = Exit.hasInterrupts(exit) ? Exit.fail(later()) : exit
          return Deferred.done(reading, shared)
        }),
      )
    })
}

const later = () => new Attempt.Snooze({ delayMillis: laterMillis })

const read = (driver: Driver["Service"], task: ClaimedTask, input: Codec.Any) =>
  Effect.gen(function* () {
    const found = yield* Effect.mapError(driver.find({ ids: [task.runId], limit: 1 }), later)
    const decoded = input.decode(found[0]?.input ?? "null")
    if (decoded.ok) return decoded.value as unknown
    const problem = `The stored input of the run does not match its schema: ${decoded.reason}`
    return yield* Effect.die(new Error(problem))
  })
