/** Checks that what documents and docstrings show is true: it type-checks, runs, and prints that. */
import { type Block, fileNameOf, outputOf, reasonOf } from "./blocks.ts"
import { openSandbox, type Result, type Sandbox } from "./sandbox.ts"

/** What does not hold, as `path:line: what`. */
export type Problems = ReadonlyArray<string>

/**
 * Checks the blocks of documents. Each block runs as a program of its own, in the folder of its
 * document; a block with a file name does not run by itself, but can be imported by that name.
 */
export async function checkDocuments(blocks: ReadonlyArray<Block>): Promise<Problems> {
  using sandbox = openSandbox()
  const shown = blocks.filter((block) => block.mark !== "no-run")
  for (const block of shown) sandbox.write(programOf(block), block.code, block.line)
  const problems = [
    ...blocks.filter((block) => !shown.includes(block)).flatMap(problemOfUnrun),
    ...shown.flatMap(problemOfMark),
    ...problemOfTypes(await sandbox.typeCheck()),
  ]
  const programs = shown.filter((block) => fileNameOf(block) === undefined)
  return [...problems, ...await runEach(sandbox, programs)]
}

/** Checks the examples of docstrings, which assert for themselves: all but tests in one process. */
export async function checkExamples(blocks: ReadonlyArray<Block>): Promise<Problems> {
  using sandbox = openSandbox()
  for (const block of blocks) sandbox.write(programOf(block), block.code, block.line)
  const problems = [
    ...blocks.flatMap(problemOfMark),
    ...problemOfTypes(await sandbox.typeCheck()),
    ...await runTogether(sandbox, blocks.filter((block) => !isTest(block))),
  ]
  return [...problems, ...await runEach(sandbox, blocks.filter(isTest))]
}

/** Runs programs, some at a time, since most of what they take is waiting. */
async function runEach(sandbox: Sandbox, blocks: ReadonlyArray<Block>): Promise<Problems> {
  const problems: Array<Problems> = []
  const left = blocks.entries()
  const lane = async () => {
    for (const [index, block] of left) {
      problems[index] = problemOfRun(block, await sandbox.run(programOf(block)))
    }
  }
  await Promise.all(Array.from({ length: programsAtOnce }, lane))
  return problems.flat()
}

const programsAtOnce = 4

async function runTogether(sandbox: Sandbox, blocks: ReadonlyArray<Block>): Promise<Problems> {
  if (blocks.length === 0) return []
  sandbox.write("main.ts", mainOf(blocks))
  const { stdout, stderr } = await sandbox.run("main.ts")
  const ends = new Map(
    [...stdout.matchAll(/^example (\d+): (.*)$/gm)].map(([, index, end]) => [Number(index), end]),
  )
  return blocks.flatMap((block, index) => {
    const end = ends.get(index) ?? `it never ended\n${stderr}`
    return end === "passed" ? [] : [`${place(block)}: the example failed: ${unquoted(end)}`]
  })
}

/** A program that runs each block in turn, and says how it ended: on one line, hence as JSON. */
function mainOf(blocks: ReadonlyArray<Block>): string {
  const imports = blocks.map((block, index) =>
    `await import(${JSON.stringify(`./${programOf(block)}`)}).then(\n` +
    `  () => console.log("example ${index}: passed"),\n` +
    `  (e) => console.log("example ${index}:", JSON.stringify(e?.stack ?? String(e))),\n)\n`
  )
  // An example may leave a timer or a server behind; it has asserted by then.
  return `import process from "node:process"\n${imports.join("")}process.exit(0)\n`
}

function unquoted(text: string): string {
  return text.startsWith('"') ? JSON.parse(text) : text
}

function problemOfUnrun(block: Block): Problems {
  if (reasonOf(block) !== undefined) return []
  return [`${place(block)}: a block that does not run must say why: "// not run: the reason"`]
}

function problemOfMark(block: Block): Problems {
  return block.mark === "" ? [] : [`${place(block)}: unknown mark "${block.mark}"`]
}

function problemOfTypes({ code, stdout, stderr }: Result): Problems {
  return code === 0 ? [] : [`Types do not check:\n${stdout}${stderr}`]
}

function problemOfRun(block: Block, { code, stdout, stderr }: Result): Problems {
  if (code === undefined) return [`${place(block)}: the block did not end\n${stdout}${stderr}`]
  if (code !== 0) return [`${place(block)}: the block ended with ${code}\n${stdout}${stderr}`]
  const expected = outputOf(block)
  if (expected === undefined || stdout.trimEnd() === expected) return []
  return [`${place(block)}: the block printed:\n${stdout}\nand not:\n${expected}`]
}

/** The folder is the document, so that a compiler's message names it. */
function programOf(block: Block): string {
  const name = `line-${block.line}${isTest(block) ? ".test" : ""}.ts`
  return `${block.path}/${fileNameOf(block) ?? name}`
}

/** Tests run under the runtime's own command: Bun refuses them anywhere else. */
function isTest(block: Block): boolean {
  return block.code.includes('from "node:test"')
}

function place(block: Block): string {
  return `${block.path}:${block.line}`
}
