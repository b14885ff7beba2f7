/**
 * What a run of a random flow has to come to: a plain interpreter of graphs, which knows nothing of
 * tasks, time and storage.
 *
 * @since 0.1.0
 */
import type { Graph, Input, Node } from "./Graph.ts"
import * as Values from "./Values.ts"

/** What a step comes to.
 * @category models
 * @since 0.1.0 */
export type Fate =
  | { readonly _tag: "Value"; readonly value: unknown; readonly runs: boolean }
  | {
    readonly _tag: "Skipped"
    readonly why: "ConditionUnmet" | "NeedSkipped" | "Exhausted"
    readonly cascades: boolean
    readonly runs: boolean
  }
  /** The run fails at it. */
  | { readonly _tag: "Fails"; readonly runs: boolean }
  /** It needs what fails. */
  | { readonly _tag: "Unreached" }

/** What a run comes to.
 * @category models
 * @since 0.1.0 */
export interface Expectation {
  readonly fates: ReadonlyMap<string, Fate>
  /** The output; `undefined` where the run fails. */
  readonly output: Readonly<Record<string, unknown>> | undefined
}

/** Interprets a graph.
 * @category running
 * @since 0.1.0 */
export const interpret = ({ nodes }: Graph, input: Input): Expectation => {
  const fates = new Map<string, Fate>()
  for (const node of nodes) fates.set(node.slug, fateOf(node, input, fates))
  const failed = [...fates.values()].some(({ _tag }) => _tag === "Fails")
  const needed = new Set(nodes.flatMap(({ needs }) => needs))
  const leaves = nodes.filter(({ slug }) => !needed.has(slug)).flatMap(({ slug }) => {
    const fate = fates.get(slug)!
    return fate._tag === "Value" ? [[slug, fate.value ?? null] as const] : []
  })
  return { fates, output: failed ? undefined : Object.fromEntries(leaves) }
}

const fateOf = (node: Node, input: Input, fates: ReadonlyMap<string, Fate>): Fate => {
  const needs = node.needs.map((slug) => [slug, fates.get(slug)!] as const)
  if (needs.some(([, { _tag }]) => _tag === "Fails" || _tag === "Unreached")) {
    return { _tag: "Unreached" }
  }
  if (needs.some(([, fate]) => fate._tag === "Skipped" && fate.cascades)) {
    return { _tag: "Skipped", why: "NeedSkipped", cascades: true, runs: false }
  }
  const given = needs.length === 0 ? input : Object.fromEntries(
    needs.flatMap(([slug, fate]) => fate._tag === "Value" ? [[slug, fate.value]] : []),
  )
  if (!isMet(node, given)) {
    return node.whenUnmet === "fail" ? { _tag: "Fails", runs: false } : {
      _tag: "Skipped",
      why: "ConditionUnmet",
      cascades: node.whenUnmet === "skip-cascade",
      runs: false,
    }
  }
  const value = node.kind === "map" ? mapped(node, given) : answered(node, given)
  return value === exhausted ? exhaustion(node) : value
}

const exhausted = Symbol("exhausted")

const exhaustion = ({ kind, whenExhausted }: Node): Fate => {
  const runs = kind !== "signal" && kind !== "flow"
  return whenExhausted === "fail" ? { _tag: "Fails", runs } : {
    _tag: "Skipped",
    why: "Exhausted",
    cascades: whenExhausted === "skip-cascade",
    runs,
  }
}

const isMet = ({ condition }: Node, given: Readonly<Record<string, unknown>> | Input): boolean => {
  if (condition === undefined) return true
  if (condition._tag === "When") return Values.isWanted(given)
  const array = (given as Readonly<Record<string, unknown>>)[condition.need]
  const has = Array.isArray(array) && array.includes(condition.element)
  return has !== condition.not
}

const fails = ({ failures, maxAttempts }: Node, index: number): boolean =>
  failures[index % failures.length]! >= maxAttempts

const answered = (node: Node, given: unknown): Fate | typeof exhausted => {
  const value = (value: unknown, runs = true): Fate => ({ _tag: "Value", value, runs })
  switch (node.kind) {
    case "signal":
      return node.sent === undefined ? exhausted : value(Values.ofSignal(node.slug), false)
    case "sleep":
      // It has no value for those who need it.
      return value(undefined, false)
    case "flow": {
      const { x } = Values.ofFlow(given)
      return isSubFailing(x) ? exhausted : value({ two: subOutput(x) }, false)
    }
    case "list":
      return fails(node, 0) ? exhausted : value(Values.ofList(node.slug, given))
    default:
      return fails(node, 0) ? exhausted : value(Values.ofTask(node.slug, given))
  }
}

/** Whether the flow that is a step fails.
 * @category conversions
 * @since 0.1.0 */
export const isSubFailing = (x: number): boolean => x % 5 === 4

/** What the last step of the flow that is a step comes to.
 * @category conversions
 * @since 0.1.0 */
export const subOutput = (x: number): ReadonlyArray<unknown> =>
  Array.from({ length: x % 4 }, (_, index) => Values.ofElement(x + index, index))

const mapped = (node: Node, given: unknown): Fate | typeof exhausted => {
  const [need] = node.needs
  const elements = need === undefined
    ? (given as Input).items
    : (given as Readonly<Record<string, ReadonlyArray<unknown> | undefined>>)[need] ?? []
  const results = elements.map((element, index) =>
    fails(node, index)
      ? { _tag: "Failure", message: failureOf(node.slug), error: failureOf(node.slug) }
      : { _tag: "Success", value: Values.ofElement(element, index) }
  )
  const runs = elements.length > 0
  if (node.onFailure === "collect") return { _tag: "Value", value: results, runs }
  const values = results.flatMap((result) => result._tag === "Success" ? [result.value] : [])
  return values.length < results.length && node.onFailure === "fail"
    ? exhausted
    : { _tag: "Value", value: values, runs }
}

/** The typed error of a step.
 * @category conversions
 * @since 0.1.0 */
export const failureOf = (slug: string): string => `${slug} fails`
