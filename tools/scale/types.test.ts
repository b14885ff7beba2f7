/** That what the compiler does for a flow grows in proportion to its steps, as it counts itself. */
import { assert } from "@std/assert"
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { describe, it } from "node:test"

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..")

describe("a flow of 100 steps", () => {
  it("costs the compiler twice of what one of 50 steps does, handlers included", () => {
    const [none, fifty, hundred] = instantiations([1, 50, 100])
    const [half, whole] = [fifty! - none!, hundred! - none!]
    assert(half > 10_000, `50 steps should cost something, and not ${half} instantiations`)
    // Where each call of the builder looks at all steps before it, the ratio is above 3.
    assert(whole / half < 2.3, `100 steps cost ${whole} instantiations, 50 steps ${half}`)
  })
})

/** How many types the compiler makes of a program with a flow of so many steps. */
function instantiations(counts: ReadonlyArray<number>): ReadonlyArray<number> {
  const parent = join(root, "tools", "docs", ".tmp")
  mkdirSync(parent, { recursive: true })
  const folder = mkdtempSync(join(parent, "scale-"))
  try {
    return counts.map((count) => {
      writeFileSync(join(folder, "flow.ts"), programOf(count))
      writeFileSync(
        join(folder, "tsconfig.json"),
        JSON.stringify({ extends: "../../../../tsconfig.json", include: ["flow.ts"], exclude: [] }),
      )
      const result = spawnSync(
        join(root, "node_modules", ".bin", "tsc"),
        ["-p", folder, "--extendedDiagnostics"],
        { encoding: "utf8", shell: process.platform === "win32" },
      )
      assert(result.status === 0, result.stdout)
      return Number(/Instantiations:\s+(\d+)/.exec(result.stdout)![1])
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A program with a flow whose steps need others, near and far, with conditions, and its handlers. */
function programOf(count: number): string {
  const steps = Array.from({ length: count }, (_, index) => {
    const needs = [index - 1, index - 2, index - 7].filter((need) => need >= 0)
    const condition = index === 0
      ? ""
      : index % 3 === 1
      ? `, if: { s${index - 1}: { kind: "a" } }`
      : index % 5 === 2
      ? `, when: ({ s${index - 1} }) => s${index - 1} !== undefined`
      : ""
    const list = needs.map((need) => `"s${need}"`).join(", ")
    return `  .step("s${index}", { needs: [${list}], output: Order${condition} })`
  })
  const handlers = Array.from({ length: count }, (_, index) => {
    const total = index === 0 ? "1" : `seen.s${index - 1}?.total ?? 1`
    return `  s${index}: (seen) => Effect.succeed({ total: ${total}, kind: "a" }),`
  })
  return `import { Flow } from "@millrace/core"
import { Effect, Schema } from "effect"
const Order = Schema.Struct({ total: Schema.Number, kind: Schema.Literals(["a", "b"]) })
const Large = Flow.make("large", { input: { id: Schema.String } })
${steps.join("\n")}
export const large = Large.perform({
${handlers.join("\n")}
})
export const run = Large.run({ id: "a" })
`
}
