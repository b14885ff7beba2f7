/**
 * Random flows as definitions with handlers, which note what they do.
 *
 * @since 0.1.0
 */
import { type AttemptContext, Flow } from "@millrace/core"
import { Effect, Schema } from "effect"
import type { Graph, Node } from "./Graph.ts"
import { failureOf, isSubFailing } from "./Oracle.ts"
import * as Values from "./Values.ts"

type Context = AttemptContext["Service"]

/**
 * What the handlers of a graph did.
 *
 * @category models
 * @since 0.1.0
 */
export class Log {
  /** The steps that a handler ran of, by run. */
  readonly ran = new Map<string, Set<string>>()
  /** What was undone, by run, in the order of beginning. */
  readonly undone = new Map<string, Array<string>>()
  wrong: string | undefined

  note(ctx: Context): void {
    const ran = this.ran.get(ctx.runId) ?? new Set()
    this.ran.set(ctx.runId, ran)
    ran.add(ctx.step)
  }

  undo(ctx: Context): void {
    const undone = this.undone.get(ctx.runId) ?? []
    this.undone.set(ctx.runId, undone)
    const name = `${ctx.step.replace(":undo", "")} ${ctx.index}`
    if (!undone.includes(name)) undone.push(name)
  }
}

/** A flow that is built at run time, whose types say nothing. */
interface Built {
  step(slug: string, options: object): Built
  map(slug: string, options: object): Built
  flow(slug: string, flow: unknown, options: object): Built
  waitFor(slug: string, options: object): Built
  sleep(slug: string, duration: number, options: object): Built
  perform(handlers: object): Flow.AnyHandledFlow<never>
}

const InputSchema = { n: Schema.Int, items: Schema.Array(Schema.Int) }

const Sub = Flow.make("sub", { input: { x: Schema.Int }, maxCrashes: 100 })
  .step("one", { output: Schema.Array(Schema.Int), error: Schema.String })
  .map("two", { over: "one", output: Schema.Json })

const sub = Sub.perform({
  one: ({ x }) =>
    isSubFailing(x)
      ? Effect.fail(failureOf("one"))
      : Effect.succeed(Array.from({ length: x % 4 }, (_, index) => x + index)),
  two: (element, ctx) => Effect.succeed(Values.ofElement(element, ctx.index) as Schema.Json),
})

/** The flow of a graph, without its handlers, and with them.
 * @category constructors
 * @since 0.1.0 */
export const build = (graph: Graph, log: Log) => {
  const made = graph.nodes.reduce(
    (flow, node) => add(flow, node, graph.pace),
    Flow.make(graph.slug, {
      ...{ input: InputSchema, baseDelay: 1000 * graph.pace },
    }) as unknown as Built,
  )
  const handlers = graph.nodes.flatMap((node) => {
    const handler = handlerOf(node, log, graph.pace)
    return handler === undefined ? [] : [[node.slug, handler] as const]
  })
  return {
    flow: made as unknown as Flow.AnyFlow,
    handled: made.perform(Object.fromEntries(handlers)),
    sub,
  }
}

const add = (flow: Built, node: Node, pace: number): Built => {
  const { slug, kind, whenUnmet, whenExhausted, undo, maxAttempts } = node
  const common = { ...conditionOf(node), whenUnmet, whenExhausted }
  const needs = { ...common, needs: node.needs }
  const policy = {
    ...{ undo, maxAttempts, maxCrashes: 100, timeout: "1 day", error: Schema.String },
    startDelay: node.startDelayMillis * pace,
  }
  switch (kind) {
    case "task":
      return flow.step(slug, { ...needs, ...policy, output: Schema.Json })
    case "list":
      return flow.step(slug, { ...needs, ...policy, output: Schema.Array(Schema.Int) })
    case "map":
      return flow.map(slug, {
        ...{ ...common, ...policy, onFailure: node.onFailure, output: Schema.Json },
        over: node.needs[0] ?? "input.items",
      })
    case "signal":
      return flow.waitFor(slug, {
        ...{ ...needs, output: Schema.Int },
        ...(node.sent === undefined ? { timeout: 5000 * pace } : {}),
      })
    case "sleep":
      return flow.sleep(slug, 2000 * pace, needs)
    case "flow":
      return flow.flow(slug, Sub, { ...needs, input: Values.ofFlow })
  }
}

const conditionOf = ({ condition }: Node): object => {
  if (condition === undefined) return {}
  if (condition._tag === "When") return { when: Values.isWanted }
  const pattern = { [condition.need]: [condition.element] }
  return condition.not ? { ifNot: pattern } : { if: pattern }
}

const handlerOf = (node: Node, log: Log, pace: number): unknown => {
  if (node.kind === "signal" || node.kind === "sleep") return undefined
  if (node.kind === "flow") return sub
  const run = (given: unknown, ctx: Context) =>
    Effect.gen(function* () {
      log.note(ctx)
      yield* Effect.sleep(node.takesMillis * pace)
      const failures = node.failures[ctx.index % node.failures.length]!
      if (ctx.attempt <= failures) return yield* Effect.fail(failureOf(node.slug))
      return valueOf(node, given, ctx.index)
    })
  return node.undo ? { run, undo: undoing(log) } : run
}

const undoing = (log: Log) => (_: unknown, ctx: Context) =>
  Effect.sync(() => {
    log.undo(ctx)
  })

const valueOf = (node: Node, given: unknown, index: number): unknown =>
  node.kind === "map"
    ? Values.ofElement(given, index)
    : node.kind === "list"
    ? Values.ofList(node.slug, given)
    : Values.ofTask(node.slug, given)
