import { FlowModel, Simulation } from "@millrace/testing"
import { assert, assertEquals } from "@std/assert"
import { Effect } from "effect"
import { describe, it } from "node:test"
import * as Graph from "../src/dag/Graph.ts"
import { interpret } from "../src/dag/Oracle.ts"
import * as Seeded from "../src/model/Seeded.ts"

const seeds = (from: number, count: number) => Array.from({ length: count }, (_, at) => from + at)

describe("a random flow", () => {
  for (const from of [1, 21, 41, 61, 81, 101]) {
    it(`comes to what the interpreter says, from seed ${from} on`, async () => {
      for (const seed of seeds(from, 20)) await Effect.runPromise(FlowModel.check({ seed }))
    })
  }

  it("comes to what the interpreter says, whatever goes wrong", async () => {
    for (const seed of seeds(1, 12)) {
      const faults = Simulation.allFaults
      await Effect.runPromise(FlowModel.check({ seed, faults, workers: 3 }))
    }
  })

  it("comes to the same twice, on every runtime", async () => {
    const { hash } = await Effect.runPromise(FlowModel.check({ seed: 7 }))
    assertEquals(hash, (await Effect.runPromise(FlowModel.check({ seed: 7 }))).hash)
    assertEquals(FlowModel.print(7), FlowModel.print(7))
  })
})

describe("the random flows", () => {
  const graphs = seeds(1, 300).map((seed) => Graph.make(Seeded.make(seed), "graph"))
  const runs = graphs.flatMap((graph) =>
    graph.runs.map((run) => ({ graph, ...interpret(graph, run.input) }))
  )

  it("complete and fail, and come to everything that a step can come to", () => {
    const failing = runs.filter(({ output }) => output === undefined).length
    assert(failing > runs.length / 10 && failing < runs.length / 2, `${failing} of ${runs.length}`)
    const fates = runs.flatMap(({ fates }) => [...fates.values()])
    const met = new Set(fates.map((fate) => fate._tag === "Skipped" ? fate.why : fate._tag))
    const all = ["ConditionUnmet", "Exhausted", "Fails", "NeedSkipped", "Unreached", "Value"]
    assertEquals([...met].sort(), all)
  })

  it("have steps of every kind", () => {
    const met = new Set(graphs.flatMap(({ nodes }) => nodes.map(({ kind }) => kind)))
    assertEquals([...met].sort(), ["flow", "list", "map", "signal", "sleep", "task"])
  })

  it("are more than 16 commands each, on average", () => {
    const commands = graphs.reduce((all, graph) => all + Graph.commandsOf(graph), 0)
    assert(commands / graphs.length > 16, `${commands / graphs.length}`)
  })
})

describe("the interpreter", () => {
  const node = (slug: string, more: Partial<Graph.Node>): Graph.Node => ({
    ...{ slug, kind: "task", needs: [], condition: undefined, whenUnmet: "skip" },
    ...{ whenExhausted: "fail", onFailure: "fail", maxAttempts: 1, failures: [0] },
    ...{ takesMillis: 0, startDelayMillis: 0, undo: false, sent: undefined, ...more },
  })
  const fatesOf = (...nodes: ReadonlyArray<Graph.Node>) => {
    const { fates, output } = interpret(
      { slug: "graph", nodes, runs: [], pace: 1 },
      { n: 1, items: [5, 6] },
    )
    return { ends: [...fates.values()].map(({ _tag }) => _tag), output }
  }

  it("keeps maps in order, and leaves out or collects what failed", () => {
    const map = (onFailure: "fail" | "skip" | "collect", failures: ReadonlyArray<number>) =>
      fatesOf(node("m", { kind: "map", onFailure, failures })).output
    assertEquals(map("fail", [0]), { m: [[0, 5], [1, 6]] })
    assertEquals(map("fail", [0, 1]), undefined)
    assertEquals(map("skip", [1, 0]), { m: [[1, 6]] })
    assertEquals(map("collect", [1, 0]), {
      m: [
        { _tag: "Failure", message: "m fails", error: "m fails" },
        { _tag: "Success", value: [1, 6] },
      ],
    })
  })

  it("lets a skip pass, or cascade", () => {
    const spent = { failures: [1] }
    const chain = (whenExhausted: "fail" | "skip" | "skip-cascade") =>
      fatesOf(
        node("a", { ...spent, whenExhausted }),
        node("b", { needs: ["a"] }),
        node("c", { needs: ["b"] }),
      )
    assertEquals(chain("skip").ends, ["Skipped", "Value", "Value"])
    assertEquals(chain("skip-cascade"), { ends: ["Skipped", "Skipped", "Skipped"], output: {} })
    assertEquals(chain("fail"), { ends: ["Fails", "Unreached", "Unreached"], output: undefined })
  })
})
