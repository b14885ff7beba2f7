/**
 * Random flows as data: graphs with maps, conditions, failures, signals and sleeps, which a seed
 * makes.
 *
 * @since 0.1.0
 */
import type { Flow } from "@millrace/core"
import type * as Seeded from "../model/Seeded.ts"

/** What a step is: a `list` is a task that answers an array.
 * @category models
 * @since 0.1.0 */
export type Kind = "task" | "list" | "map" | "signal" | "sleep" | "flow"

/**
 * A step of a graph.
 *
 * @category models
 * @since 0.1.0
 */
export interface Node {
  readonly slug: string
  readonly kind: Kind
  /** Earlier steps; a map has one, or none and takes the array of the input. */
  readonly needs: ReadonlyArray<string>
  readonly condition: Condition | undefined
  readonly whenUnmet: Flow.Otherwise
  readonly whenExhausted: Flow.Otherwise
  /** Of a map: what becomes of elements that fail. */
  readonly onFailure: "fail" | "skip" | "collect"
  readonly maxAttempts: number
  /** How many attempts fail first: of a map, for the elements in turn. */
  readonly failures: ReadonlyArray<number>
  readonly takesMillis: number
  readonly startDelayMillis: number
  readonly undo: boolean
  /** Of a signal: when it is sent; never is a time that runs out. */
  readonly sent: number | undefined
}

/**
 * When a step runs, by the value that it sees.
 *
 * @category models
 * @since 0.1.0
 */
export type Condition =
  /** Whether the text of the value has a hash that is divisible by 3. */
  | { readonly _tag: "When" }
  /** Whether an array has this element; `not` turns it around. */
  | { readonly _tag: "Has"; readonly need: string; readonly element: number; readonly not: boolean }

/**
 * A flow, the inputs of its runs, and when a run is cancelled.
 *
 * @category models
 * @since 0.1.0
 */
export interface Graph {
  readonly slug: string
  readonly nodes: ReadonlyArray<Node>
  readonly runs: ReadonlyArray<Run>
  /** How long a millisecond is. */
  readonly pace: number
}

/**
 * A run of a graph.
 *
 * @category models
 * @since 0.1.0
 */
export interface Run {
  readonly input: Input
  readonly cancelledAfterMillis: number | undefined
}

/** The input of every graph.
 * @category models
 * @since 0.1.0 */
export interface Input {
  readonly n: number
  readonly items: ReadonlyArray<number>
}

/** How many commands a graph stands for: the steps of its runs, the signals and the cancels.
 * @category conversions
 * @since 0.1.0 */
export const commandsOf = ({ nodes, runs }: Graph): number => {
  const signals = nodes.filter(({ sent }) => sent !== undefined).length
  const cancels = runs.filter((run) => run.cancelledAfterMillis !== undefined).length
  return runs.length * (1 + nodes.length + signals) + cancels
}

/** Makes a graph.
 * @category constructors
 * @since 0.1.0 */
export const make = (random: Seeded.Seeded, slug: string, pace = 1): Graph => {
  const nodes: Array<Node> = []
  // A third of the graphs has nothing in it that fails for good.
  const fails = !random.oneIn(3)
  const size = 1 + random.below(14)
  for (let index = 0; index < size; index++) nodes.push(node(random, nodes, `s${index}`, fails))
  const runs = Array.from({ length: 1 + random.below(3) }, () => ({
    input: {
      n: random.below(4),
      items: Array.from({ length: random.below(5) }, () => random.below(4)),
    },
    cancelledAfterMillis: random.oneIn(6) ? random.below(20_000) : undefined,
  }))
  return { slug, nodes, runs, pace }
}

const kinds: ReadonlyArray<Kind> = [
  ...["task", "task", "task", "list", "list", "map", "map", "map", "signal", "sleep"] as const,
  "flow",
]

const otherwise: ReadonlyArray<Flow.Otherwise> = ["fail", "skip", "skip-cascade"]

const node = (
  random: Seeded.Seeded,
  before: ReadonlyArray<Node>,
  slug: string,
  fails: boolean,
): Node => {
  const kind = random.pick(kinds)
  const arrays = before.filter((one) => one.kind === "list" || one.kind === "map")
  const needs = kind === "map"
    ? arrays.length === 0 || random.oneIn(5) ? [] : [random.pick(arrays).slug]
    : someOf(random, before)
  const maxAttempts = 1 + random.below(3)
  return {
    slug,
    kind,
    needs,
    condition: random.oneIn(3) ? conditionOf(random, needs, arrays) : undefined,
    whenUnmet: fails && random.oneIn(8) ? "fail" : random.pick(otherwise.slice(1)),
    whenExhausted: fails ? random.pick(otherwise) : random.pick(otherwise.slice(1)),
    onFailure: random.pick(["fail", "skip", "collect"]),
    maxAttempts,
    failures: Array.from({ length: 1 + random.below(3) }, () => failuresOf(random, maxAttempts)),
    takesMillis: random.pick([0, 0, 100, 2500]),
    startDelayMillis: random.oneIn(6) ? 1500 : 0,
    undo: (kind === "task" || kind === "map") && random.oneIn(5),
    sent: kind === "signal" && !random.oneIn(4) ? random.pick([0, 0, 3000, 15_000]) : undefined,
  }
}

const failuresOf = (random: Seeded.Seeded, maxAttempts: number): number =>
  random.oneIn(8) ? maxAttempts : random.oneIn(4) ? random.below(maxAttempts) : 0

const someOf = (random: Seeded.Seeded, before: ReadonlyArray<Node>): ReadonlyArray<string> => {
  if (before.length === 0 || random.oneIn(4)) return []
  const count = 1 + random.below(3)
  // Mostly the latest ones, so that graphs are deep.
  const picked = Array.from(
    { length: count },
    () => before[before.length - 1 - random.below(Math.min(before.length, 5))]!.slug,
  )
  return [...new Set(picked)]
}

const conditionOf = (
  random: Seeded.Seeded,
  needs: ReadonlyArray<string>,
  arrays: ReadonlyArray<Node>,
): Condition => {
  const lists = arrays.filter(({ kind, slug }) => kind === "list" && needs.includes(slug))
  return lists.length === 0 || random.oneIn(3) ? { _tag: "When" } : {
    _tag: "Has",
    need: random.pick(lists).slug,
    element: random.below(4),
    not: random.oneIn(3),
  }
}

/** Writes a graph, a line for each step and run.
 * @category conversions
 * @since 0.1.0 */
export const print = ({ nodes, runs }: Graph): string =>
  [...nodes, ...runs].map((one) => JSON.stringify(one)).join("\n")
