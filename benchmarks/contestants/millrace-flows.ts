/** Flows of Millrace, of three shapes, whose steps do nothing. */
import { Flow, Worker } from "@millrace/core"
import { Postgres } from "@millrace/driver-postgres"
import { Effect, Exit, Layer, Logger, ManagedRuntime, Schema, Scope } from "effect"

/** What a flow looks like. */
export type Shape = "map" | "fan-in" | "chain" | "diamond"

/** Runs of one shape, and how long each took. */
export interface Flown {
  /** Tasks of steps in a run. */
  readonly tasks: number
  readonly seconds: ReadonlyArray<number>
}

const number = { output: Schema.Number } as const

// Shapes with many steps are put together at run time, so their types say nothing.
type Loose = {
  step: (slug: string, options: object) => Loose
  perform: (handlers: object) => Flow.AnyHandledFlow<never>
  run: (input: unknown) => Effect.Effect<unknown, unknown, never>
}

const map = () => {
  const definition = Flow.make("bench_map", { input: { elements: Schema.Array(Schema.Number) } })
    .map("each", { over: "input.elements", ...number })
  return {
    definition: definition as unknown as Loose,
    handled: definition.perform({ each: (n) => Effect.succeed(n) }),
  }
}

const fanIn = () => {
  const definition = Flow.make("bench_fan_in", { input: { elements: Schema.Array(Schema.Number) } })
    .map("each", { over: "input.elements", ...number })
    .step("all", { needs: ["each"], ...number })
  return {
    definition: definition as unknown as Loose,
    handled: definition.perform({
      each: (n) => Effect.succeed(n),
      all: ({ each }) => Effect.succeed(each.length),
    }),
  }
}

const zero = () => Effect.succeed(0)

const built = (definition: Loose, slugs: ReadonlyArray<string>) => ({
  definition,
  handled: definition.perform(Object.fromEntries(slugs.map((slug) => [slug, zero]))),
})

const chain = (size: number) => {
  const slugs = Array.from({ length: size }, (_, index) => `step_${index}`)
  const empty = Flow.make("bench_chain", { input: { elements: Schema.Array(Schema.Number) } })
  const definition = slugs.reduce(
    (flow, slug, index) =>
      flow.step(slug, index === 0 ? number : { needs: [slugs[index - 1]], ...number }),
    empty as unknown as Loose,
  )
  return built(definition, slugs)
}

const diamond = (size: number) => {
  const sides = Array.from({ length: size }, (_, index) => `side_${index}`)
  const empty = Flow.make("bench_diamond", { input: { elements: Schema.Array(Schema.Number) } })
  const wide = sides.reduce(
    (flow, slug) => flow.step(slug, { needs: ["top"], ...number }),
    (empty as unknown as Loose).step("top", number),
  )
  return built(wide.step("bottom", { needs: sides, ...number }), ["top", ...sides, "bottom"])
}

/** Runs a flow again and again, on one worker in this process. */
export const fly = async (
  url: string,
  { shape, size, runs, warmups }: {
    readonly shape: Shape
    readonly size: number
    readonly runs: number
    readonly warmups: number
  },
): Promise<Flown> => {
  const { definition, handled } = { map, "fan-in": fanIn, chain, diamond }[shape](size)
  const isMap = shape === "map" || shape === "fan-in"
  const elements = isMap ? Array.from({ length: size }, (_, index) => index) : []
  const quiet = Logger.layer([])
  const runtime = ManagedRuntime.make(Layer.provideMerge(Postgres.layer({ url }), quiet))
  const scope = Scope.makeUnsafe()
  const layer = Worker.layer({ flows: [handled], concurrency: 24 })
  await runtime.runPromise(Layer.buildWithScope(layer, scope))
  const seconds: Array<number> = []
  for (let run = 0; run < warmups + runs; run++) {
    const began = performance.now()
    await runtime.runPromise(definition.run({ elements }))
    if (run >= warmups) seconds.push((performance.now() - began) / 1000)
  }
  await runtime.runPromise(Scope.close(scope, Exit.void))
  await runtime.dispose()
  const tasks = { map: size, "fan-in": size + 1, chain: size, diamond: size + 2 }[shape]
  return { tasks, seconds }
}
