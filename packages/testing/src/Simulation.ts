/**
 * The user's own jobs on virtual time: several workers, one storage, faults, and a seed that
 * decides all of it.
 *
 * @since 0.1.0
 */
import type { Flow, Job, Worker } from "@millrace/core"
import { Duration, Effect } from "effect"
import { aftermath } from "./simulation/Aftermath.ts"
import * as Faults from "./simulation/Faults.ts"
import type { Provided } from "./simulation/Network.ts"
import { type Ending, type Scenario, simulate } from "./simulation/Seed.ts"
import { type Size, smallest } from "./simulation/Smallest.ts"

export type { Faults } from "./simulation/Faults.ts"

/** Every kind of fault.
 * @category constants
 * @since 0.1.0 */
export const allFaults: Faults.Faults = Faults.all

/** No faults: only the order of things is random.
 * @category constants
 * @since 0.1.0 */
export const noFaults: Faults.Faults = Faults.none

/**
 * What to simulate. `S` is the state outside of the storage that handlers work on, such as a bank
 * that is told to charge; each seed gets a new one.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<S> {
  /** Makes the state of one seed (default: none). */
  readonly state?: () => S
  /**
   * The jobs with their handlers, which may use the state, enqueue, and have transactions (default:
   * none).
   */
  readonly jobs?: (
    state: S,
  ) => ReadonlyArray<Job.AnyHandled<Provided>>
  /** The flows with their handlers (default: none). */
  readonly flows?: (
    state: S,
  ) => ReadonlyArray<Flow.AnyHandledFlow<Provided>>
  /** What enqueues, on a host of its own that meets no faults. */
  readonly load: (
    state: S,
  ) => Effect.Effect<unknown, unknown, Provided>
  /** How many workers (default 3). */
  readonly workers?: number
  /** What differs from a worker's defaults. */
  readonly worker?: Omit<Worker.Options<[], []>, "jobs" | "flows">
  /** What goes wrong (default: `allFaults`). */
  readonly faults?: Partial<Faults.Faults>
  /** The seeds: a list, or how many from 1 on (default 100). */
  readonly seeds?: number | ReadonlyArray<number>
  /** For how long faults strike, in virtual time (default 10 minutes). Then everything must end. */
  readonly duration?: Duration.Input
  /** How long after that the runs may take to end, in virtual time (default 400 days). */
  readonly within?: Duration.Input
  /** What must hold after every step, by name: answers what is wrong, or `undefined`. */
  readonly invariants?: Readonly<Record<string, (state: S) => string | undefined>>
}

/**
 * What a clean exploration has seen.
 *
 * @category models
 * @since 0.1.0
 */
export interface Report {
  readonly seeds: number
  readonly simulatedMillis: number
  readonly steps: number
  readonly faults: number
  /** A text that is the same wherever the same seeds did the same. */
  readonly hash: string
}

/**
 * A seed at which something was wrong. The message tells what, the seed, and how it came to it with
 * as few workers and faults as were found to be enough: all that was done with the task that it is
 * about, and every fault.
 *
 * @category errors
 * @since 0.1.0
 */
export class SimulationFailed extends Error {
  override readonly name = "SimulationFailed"
  readonly _tag = "SimulationFailed"
  readonly seed: number
  readonly broken: string
  /** How many workers are enough. */
  readonly workers: number
  /** For how long faults have to strike. */
  readonly durationMillis: number
  /** All that happened, a line each. */
  readonly trace: ReadonlyArray<string>

  constructor(seed: number, ending: Ending, size: Size) {
    const { broken, task, trace } = ending
    const { workers, durationMillis } = size
    const lines = trace.excerpt(task, shownLines)
    const faults = trace.events.filter(({ isFault }) => isFault).length
    super(
      [
        `${broken} (seed ${seed})`,
        `Seen with ${workers} of the workers and ${faults} lines of faults; ${
          task === undefined ? "the end of all" : `all of ${task} and every fault`
        }, ${lines.length} of ${trace.events.length} lines:`,
        ...lines,
        `${(ending.simulatedMillis / 1000).toFixed(3).padStart(10)} s  BROKEN    ${broken}`,
        `Replay it with: Simulation.explore({ ...options, seeds: [${seed}], ` +
        `workers: ${workers}, duration: ${durationMillis} })`,
      ].join("\n"),
    )
    this.seed = seed
    this.broken = broken!
    this.workers = workers
    this.durationMillis = durationMillis
    this.trace = trace.lines()
  }
}

const shownLines = 56

/**
 * Simulates jobs seed by seed, and fails at the first seed at which something is wrong: an
 * invariant of Millrace or of the user is broken, a run never ends, or two runs of one seed differ.
 *
 * **Details**
 *
 * The workers are the production code on a scheduler, a clock and a source of random numbers that
 * the seed decides; the storage is the memory driver behind a network that loses and delays. A
 * crashed worker stops in the middle, with no finalizer run. After `duration` the faults end, and
 * everything that was accepted has to end too. The first seed is run twice and compared.
 *
 * **Gotchas**
 *
 * A handler has to take time, randomness and waiting from Effect. One that uses `Date.now`,
 * `Math.random`, `setTimeout`, `fetch` and the like, or awaits a promise, is what is broken, and is
 * named. An async function that nobody awaits is seen where it changes the option `state` after an
 * await. Not seen are a socket that answers a callback (its attempts time out), and what a module
 * took before, such as `const { now } = Date` or the functions of `node:crypto`. A handler that
 * loops without an effect can be stopped by nobody.
 *
 * **Example** (A charge that is not idempotent)
 *
 * ```ts
 * import { match } from "node:assert/strict"
 * import { Job } from "@millrace/core"
 * import { Simulation } from "@millrace/testing"
 * import { Effect, Schema } from "effect"
 *
 * const Charge = Job.make("charge", { input: Schema.Int, maxAttempts: 10 })
 * const exploration = Simulation.explore({
 *   state: () => new Map<number, number>(),
 *   jobs: (charged) => [
 *     Charge.perform((order) =>
 *       Effect.andThen(
 *         Effect.sync(() => void charged.set(order, (charged.get(order) ?? 0) + 1)),
 *         Effect.sleep("20 seconds")
 *       )
 *     )
 *   ],
 *   load: () => Charge.enqueueMany([1, 2, 3, 4, 5, 6, 7, 8, 9]),
 *   faults: { crashEveryMillis: 60_000 },
 *   invariants: {
 *     "An order is charged once": (charged) =>
 *       [...charged].some(([, times]) => times > 1) ? "one was charged twice" : undefined
 *   }
 * })
 * const failed = await Effect.runPromise(Effect.flip(exploration))
 * match(failed.message, /^An order is charged once: one was charged twice \(seed \d+\)/)
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const explore = <S = undefined>(
  options: Options<S>,
): Effect.Effect<Report, SimulationFailed> =>
  Effect.gen(function* () {
    const seeds = seedsOf(options.seeds ?? 100)
    const size: Size = {
      workers: options.workers ?? 3,
      durationMillis: Duration.toMillis(options.duration ?? "10 minutes"),
      skip: new Set(),
    }
    let simulatedMillis = 0
    let steps = 0
    let faults = 0
    const hashes: Array<string> = []
    for (const [index, seed] of seeds.entries()) {
      const { ending, state, jobs } = run(options, seed, size)
      if (ending.broken !== undefined) {
        const small = smallest(size, ending, (smaller) => run(options, seed, smaller).ending)
        return yield* Effect.fail(new SimulationFailed(seed, small.ending, small.size))
      }
      if (index === 0) {
        const differs = ending.trace.differs(run(options, seed, size).ending.trace)
        if (differs !== undefined) {
          const broken = `${twoTraces}; ${differs}`
          return yield* Effect.fail(new SimulationFailed(seed, { ...ending, broken }, size))
        }
      }
      simulatedMillis += ending.simulatedMillis
      steps += ending.steps
      faults += ending.faults
      hashes.push(ending.trace.hash())
      const after = yield* aftermath(state, jobs)
      if (after !== undefined) {
        return yield* Effect.fail(new SimulationFailed(seed, { ...ending, broken: after }, size))
      }
    }
    const hash = hashes.length === 1 ? hashes[0]! : String(hashes.reduce(mixed, 0) >>> 0)
    return { seeds: seeds.length, simulatedMillis, steps, faults, hash }
  })

const twoTraces =
  "Two runs of one seed differ: something is kept between runs, such as a variable " +
  "of a module; make it in the option state"

const mixed = (all: number, hash: string): number =>
  Math.imul(all ^ Number.parseInt(hash.slice(0, 8), 16), 0x01000193)

const seedsOf = (seeds: number | ReadonlyArray<number>): ReadonlyArray<number> =>
  typeof seeds === "number" ? Array.from({ length: seeds }, (_, index) => index + 1) : seeds

const run = <S>(options: Options<S>, seed: number, size: Size) => {
  let state: S | undefined
  let jobs: ReadonlyArray<string> = []
  const ending = simulate(
    () => {
      const scenario = scenarioOf(options, size, state = options.state?.() as S)
      jobs = (scenario.worker.jobs ?? []).map(({ job }) => job.slug)
      return scenario
    },
    seed,
    size.skip,
  )
  return { ending, state, jobs }
}

const scenarioOf = <S>(options: Options<S>, size: Size, state: S): Scenario => {
  const invariants = Object.entries(options.invariants ?? {})
  return {
    worker: {
      ...options.worker,
      jobs: options.jobs?.(state) ?? [],
      flows: options.flows?.(state) ?? [],
    },
    workers: size.workers,
    faults: options.faults === undefined ? Faults.all : { ...Faults.all, ...options.faults },
    durationMillis: size.durationMillis,
    patienceMillis: Duration.toMillis(options.within ?? "400 days"),
    load: options.load(state),
    invariants: invariants.map(([name, check]) => [name, () => check(state)]),
  }
}
