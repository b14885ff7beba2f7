import { Flow, Job } from "@millrace/core"
import { assertEquals } from "@std/assert"
import { Schema } from "effect"
import { describe, it } from "node:test"

const Sub = Flow.make("sub").step("a")

const flow = Flow.make("end", { input: { list: Schema.Array(Schema.Int) } })
  .step("end", { output: { lines: Schema.Array(Schema.String) } })
  .map("graph", { over: "end.lines" })
  .map("given", { over: "input.list" })
  .step("maybe", { if: { list: [1] } })
  .waitFor("approve", { needs: ["graph"], timeout: "2 days" })
  .waitFor("go", { needs: ["graph"], when: () => true })
  .sleep("rest", "90 minutes", { needs: ["approve", "go"] })
  .job("class", Job.make("plain"), { needs: ["rest"], input: () => undefined })
  .flow("style", Sub, { needs: ["rest"], input: () => undefined })

const drawn = [
  "flowchart TD",
  '  s0["end"]',
  '  s1[["graph<br/>each of end.lines"]]',
  '  s2[["given<br/>each of input.list"]]',
  '  s3["maybe<br/>conditional"]',
  '  s4{{"approve<br/>signal within 2d"}}',
  '  s5{{"go<br/>signal"}}',
  '  s6(["rest<br/>1h 30m"])',
  '  s7["class"]',
  '  s8[/"style<br/>flow sub"/]',
  "  s0 --> s1",
  "  s1 --> s4",
  "  s1 -.-> s5",
  "  s4 --> s6",
  "  s5 --> s6",
  "  s6 --> s7",
  "  s6 --> s8",
]

describe("the diagram of a flow", () => {
  it("has a node for each step, with its kind, and an arrow for each need", () => {
    assertEquals(Flow.toMermaid(flow.definition).split("\n"), drawn)
  })

  it("is coloured by states, in one order, whatever order they come in", () => {
    const colours = [
      "  classDef running fill:#fff3bf,stroke:#f08c00,color:#000",
      "  class s1 running",
      "  classDef completed fill:#d3f9d8,stroke:#2b8a3e,color:#000",
      "  class s0,s2 completed",
    ]
    const text = Flow.toMermaid(flow.definition, {
      given: "completed",
      nobody: "failed",
      graph: "running",
      end: "completed",
    })
    assertEquals(text.split("\n"), [...drawn, ...colours])
    const steps = [
      { step: "graph", state: "running" },
      { step: "end", state: "completed" },
      { step: "given", state: "completed" },
    ] as const
    assertEquals(Flow.toMermaid(flow.definition, steps), text)
  })

  it("holds what a label says apart from the language", () => {
    const step = { ...flow.definition.steps[0]!, slug: `a"]; b<br/>#quot;\n%%{` }
    const text = Flow.toMermaid({ ...flow.definition, steps: [step] })
    const label = "a#34;#93;#59; b#60;br#47;#62;#35;quot#59;#10;#37;#37;#123;"
    assertEquals(text.split("\n"), ["flowchart TD", `  s0["${label}"]`])
  })
})
