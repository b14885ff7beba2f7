/**
 * What the documents and the docstrings show is run here, on the runtime that runs the tests.
 *
 * A `ts` block runs as a program. One whose first line is `// file: jobs.ts` is imported by others
 * as "./jobs.ts" instead. One that ends with `// Output:` and comment lines must print just those.
 * A block marked `ts no-run` says why in a line `// not run: …`.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, it } from "node:test"
import { type Block, blocksOf, examplesOf } from "./blocks.ts"
import { checkDocuments, checkExamples, type Problems } from "./check.ts"
import { root } from "./sandbox.ts"

const timeout = 300_000

const read = (path: string) => readFileSync(join(root, path), "utf8")

function filesUnder(folder: string, extension: string): ReadonlyArray<string> {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(extension))
    .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
    .sort()
}

function assertNone(problems: Problems) {
  assert(problems.length === 0, problems.join("\n"))
}

describe("what the documents show", () => {
  it("holds in every document", { timeout }, async () => {
    const documents = ["README.md", ...filesUnder("docs", ".md")].filter((path) =>
      existsSync(join(root, path))
    )
    assertNone(await checkDocuments(documents.flatMap((path) => blocksOf(path, read(path)))))
  })

  it("holds in every docstring", { timeout }, async () => {
    const modules = readdirSync(join(root, "packages"))
      .flatMap((name) => filesUnder(`packages/${name}/src`, ".ts"))
    assertNone(await checkExamples(modules.flatMap((path) => examplesOf(path, read(path)))))
  })
})

const fenced = (...blocks: ReadonlyArray<string>) =>
  blocksOf("fixture.md", blocks.map((block) => "```ts" + block + "\n```\n").join("\nText.\n"))

describe("the check of documents", () => {
  it("accepts blocks that hold, and lets them share a file", { timeout }, async () => {
    const blocks = fenced(
      '\n// file: greeting.ts\nexport const greeting: string = "hello"',
      '\nimport { greeting } from "./greeting.ts"\nconsole.log(greeting)\n\n// Output:\n// hello',
      " no-run\n// not run: it deletes everything\nrm()",
    )
    assertEquals(blocks.map((block) => block.line), [2, 8, 17])
    assertNone(await checkDocuments(blocks))
  })

  it("finds every block that does not hold", { timeout }, async () => {
    const blocks = fenced(
      '\nthrow new Error("planted failure")',
      "\nconsole.log(1)\n// Output:\n// 2",
      " no-run\nrm()",
      " ignore\nexport {}",
      '\nexport const n: number = "text"',
    )
    const problems = await checkDocuments(blocks)
    assertEquals(problems.length, 5, problems.join("\n"))
    const [unrun, mark, types, failure, output] = problems as [string, string, string, ...string[]]
    assertStringIncludes(unrun, "fixture.md:14: a block that does not run must say why")
    assertStringIncludes(mark, 'fixture.md:19: unknown mark "ignore"')
    assertStringIncludes(types, "line-24.ts")
    assertStringIncludes(failure ?? "", "fixture.md:2: the block ended with 1")
    assertStringIncludes(output ?? "", "fixture.md:7: the block printed:\n1\n\nand not:\n2")
  })

  it("finds the examples of docstrings, and those that do not hold", { timeout }, async () => {
    const docstring = (name: string, code: string) =>
      `/**\n * Does ${name}.\n *\n * **Example** (It)\n *\n * \`\`\`ts\n * ${code}\n * \`\`\`\n */\n`
    const planted = 'throw new Error("planted failure")'
    const test = 'import { test } from "node:test"; test("c", () => {'
    const source = `${docstring("a", "export const a = 1")}export const a = 1\n\n` +
      `${docstring("b", planted)}export const b = 1\n` +
      `${docstring("c", `${test} })`)}export const c = 1\n` +
      `${docstring("d", `${test} ${planted} })`)}export const d = 1\n`
    const blocks: ReadonlyArray<Block> = examplesOf("fixture.ts", source)
    assertEquals(blocks.map((block) => block.line), [7, 18, 28, 38])
    assertEquals(blocks[0]?.code, "export const a = 1\n")
    const problems = await checkExamples(blocks)
    assertEquals(problems.length, 2, problems.join("\n"))
    assertStringIncludes(problems[0] ?? "", "fixture.ts:18: the example failed")
    assertStringIncludes(problems[1] ?? "", "fixture.ts:38: the block ended with 1")
    for (const problem of problems) assertStringIncludes(problem, "planted failure")
  })
})
