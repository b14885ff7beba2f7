/**
 * Following a run until it has ended.
 */
import { Effect, Latch, Option, Stream } from "effect"
import { Driver, type RunProgress } from "../../Driver.ts"
import type { DriverError } from "../../DriverError.ts"
import type { RunNotFound } from "../../RunError.ts"
import type { RunId } from "../../RunId.ts"
import * as Runs from "../../Runs.ts"
import { isTerminal } from "../../Task.ts"
import { refuseToWait } from "../../Transaction.ts"
import { type StepRun, steps } from "./Steps.ts"

/**
 * How a run, or a step of it, stands now.
 *
 * @category models
 * @since 0.1.0
 */
export type Watched =
  | { readonly _tag: "Run"; readonly run: Runs.Run }
  | { readonly _tag: "Step"; readonly step: StepRun }

/**
 * Follows a run: how it and its steps stand, each whenever that has changed, until it has ended.
 *
 * **Details**
 *
 * The first look answers all that there is, and each later one what differs from it, so nothing is
 * missed in between; what changes back and forth between two looks shows as it is at the second.
 * The run's end comes last, and then the stream ends. It looks between 20 times a second and once a
 * second, and at once where the end of the run is announced.
 *
 * @category reading
 * @since 0.1.0
 */
export const watch = (
  runId: RunId,
): Stream.Stream<Watched, RunNotFound | DriverError, Driver> =>
  Stream.unwrap(Effect.gen(function* () {
    yield* refuseToWait
    const driver = yield* Driver
    const ended = yield* Latch.make()
    yield* driver.wakeups.pipe(
      Stream.runForEach((wakeup) =>
        wakeup._tag === "Missed" || (wakeup._tag === "Ended" && wakeup.runId === runId)
          ? ended.open
          : Effect.void
      ),
      Effect.ignore,
      Effect.forkScoped({ startImmediately: true }),
    )
    return Stream.paginate(first, (seen) => look(runId, seen, ended))
  }))

/** What was seen last, as text, and how long to wait before the next look. */
interface Seen {
  readonly run: string
  readonly steps: ReadonlyMap<string, string>
  readonly progress: string
  readonly pauseMillis: number
}

const first: Seen = { run: "", steps: new Map(), progress: "", pauseMillis: 0 }

const shortestMillis = 50
const longestMillis = 1000

const look = Effect.fnUntraced(function* (runId: RunId, seen: Seen, ended: Latch.Latch) {
  yield* ended.close
  if (seen.pauseMillis > 0) yield* Effect.race(ended.await, Effect.sleep(seen.pauseMillis))
  const driver = yield* Driver
  // The run first: where it has ended, so have its steps when they are read after it.
  const run = yield* Runs.get(runId)
  const isOver = isTerminal(run.state)
  const [progress] = yield* driver.progress([runId])
  const text = textOf(progress)
  const rests = text === seen.progress && !isOver && seen.pauseMillis < longestMillis
  const now = rests ? undefined : yield* steps(runId)
  const changed = (now ?? []).filter((step) => seen.steps.get(step.step) !== textOf(step))
  const runChanged = textOf(run) !== seen.run
  const watched: ReadonlyArray<Watched> = [
    ...changed.map((step): Watched => ({ _tag: "Step", step })),
    ...(runChanged ? [{ _tag: "Run", run } as const] : []),
  ]
  const next: Seen = {
    run: textOf(run),
    steps: new Map([...seen.steps, ...changed.map((step) => [step.step, textOf(step)] as const)]),
    progress: text,
    pauseMillis: watched.length > 0
      ? shortestMillis
      : Math.min(longestMillis, Math.max(shortestMillis, seen.pauseMillis * 2)),
  }
  return [watched, isOver ? Option.none<Seen>() : Option.some(next)] as const
})

const textOf = (value: RunProgress | StepRun | Runs.Run | undefined): string =>
  JSON.stringify(value) ?? ""
