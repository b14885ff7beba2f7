/**
 * Random flows that the production worker runs in simulations, compared with a plain interpreter.
 *
 * @since 0.1.0
 */
import { RunId, Runs, Task, Worker } from "@millrace/core"
import { Effect } from "effect"
import { compare } from "./dag/Compared.ts"
import * as Graph from "./dag/Graph.ts"
import { build, Log } from "./dag/Played.ts"
import * as Values from "./dag/Values.ts"
import * as Seeded from "./model/Seeded.ts"
import * as Simulation from "./Simulation.ts"

/**
 * What to check.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Decides the graph, its runs, and what goes wrong: an integer. */
  readonly seed: number
  /** What goes wrong (default: nothing). */
  readonly faults?: Simulation.Options<unknown>["faults"]
  /** How many workers (default 2). */
  readonly workers?: number
}

/** The graph of a seed, a line for each step and each run.
 * @category conversions
 * @since 0.1.0 */
export const print = (seed: number): string => Graph.print(graphOf(seed))

/** How many commands a seed stands for: the steps of its runs, the signals and the cancels.
 * @category conversions
 * @since 0.1.0 */
export const commands = (seed: number): number => Graph.commandsOf(graphOf(seed))

const graphOf = (seed: number) => Graph.make(Seeded.make(seed), `graph_${seed}`)

/**
 * Runs the graph of a seed in a simulation, and compares what its runs come to with what the
 * interpreter says.
 *
 * **Details**
 *
 * Compared are the end of each run and its output, each step's tasks and outputs, the reason of
 * each that was skipped, which handlers ran, and what was undone in which order. A run that fails
 * or is cancelled may do so at several points: what ended before must have ended as it should.
 *
 * **Example** (A graph without faults)
 *
 * ```ts
 * import { FlowModel } from "@millrace/testing"
 * import { Effect } from "effect"
 *
 * await Effect.runPromise(FlowModel.check({ seed: 1 }))
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const check = (
  { seed, faults = Simulation.noFaults, workers = 2 }: Options,
): Effect.Effect<Simulation.Report, Simulation.SimulationFailed> => {
  const graph = graphOf(seed)
  return Simulation.explore({
    state: () => {
      const log = new Log()
      return { log, ...build(graph, log) }
    },
    flows: ({ handled, sub }) => [handled, sub],
    load: (state) =>
      Effect.forEach(graph.runs, (run) => play(graph, run, state), {
        concurrency: "unbounded",
      }),
    workers,
    faults,
    duration: faults === Simulation.noFaults ? "1 second" : "3 minutes",
    within: "1 day",
    invariants: { "No signal is taken twice": ({ log }) => log.wrong },
    seeds: [seed],
  })
}

/**
 * Runs the graph of a seed on a driver with its own clock, a hundred times as fast, and compares as
 * `check` does.
 *
 * @category running
 * @since 0.1.0
 */
export const checkOn = Effect.fnUntraced(function* (seed: number) {
  const slug = `graph_${seed}_${(yield* RunId.make).slice(-12)}`
  const graph = Graph.make(Seeded.make(seed), slug, 0.01)
  const log = new Log()
  const built = build(graph, log)
  const worker = Worker.layer({ flows: [built.handled, built.sub] })
  yield* Effect.forEach(graph.runs, (run) => play(graph, run, { log, ...built }), {
    concurrency: "unbounded",
  }).pipe(Effect.provide(worker, { local: true }))
  if (log.wrong !== undefined) yield* Effect.die(new Error(log.wrong))
})

type State = ReturnType<typeof build> & { readonly log: Log }

/** Starts a run, sends its signals, cancels it in its time, waits for its end and compares it. */
const play = Effect.fnUntraced(function* (graph: Graph.Graph, run: Graph.Run, state: State) {
  const { flow, log } = state
  const id = yield* flow.start(run.input)
  yield* Effect.forEach(graph.nodes, (node) => signals(state, id, node, graph.pace), {
    concurrency: "unbounded",
  }).pipe(Effect.forkChild)
  if (run.cancelledAfterMillis !== undefined) {
    yield* Effect.sleep(run.cancelledAfterMillis * graph.pace)
    yield* Effect.ignore(Runs.cancel(id))
  }
  while (!Task.isTerminal((yield* Runs.get(id)).state)) yield* Effect.sleep(1000 * graph.pace)
  const wrong = yield* compare(graph, run, id, log)
  if (wrong !== undefined) return yield* Effect.die(new Error(wrong))
})

/** Sends a signal in its time, and again: the second one is refused. */
const signals = Effect.fnUntraced(function* (
  { flow, log }: State,
  id: Runs.Run["id"],
  { slug, sent }: Graph.Node,
  pace: number,
) {
  if (sent === undefined) return
  yield* Effect.sleep(sent * pace)
  yield* Effect.ignore(flow.signal(id, slug as never, Values.ofSignal(slug) as never))
  const again = yield* Effect.exit(flow.signal(id, slug as never, 11 as never))
  if (again._tag === "Success") log.wrong ??= `signal "${slug}" was taken twice`
})
