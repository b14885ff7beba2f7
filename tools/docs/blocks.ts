/** Finds the TypeScript in documents and in docstrings. */

/** A block of code of a document, or an example of a docstring. */
export interface Block {
  /** Where it comes from, below the repository's root. */
  readonly path: string
  /** The line of its first line of code, 1-based. */
  readonly line: number
  readonly code: string
  /** What follows `ts` behind the opening fence, as in "ts no-run". */
  readonly mark: string
}

const fence = /^([ \t]*)```ts\b[ \t]*(.*)\n([\s\S]*?)^\1```[ \t]*$/gm

/** The `ts` blocks of a Markdown text. */
export function blocksOf(path: string, markdown: string): ReadonlyArray<Block> {
  return [...markdown.matchAll(fence)].map((match) => ({
    path,
    line: lineAt(markdown, match.index) + 1,
    code: match[3]!.replaceAll(new RegExp(`^${match[1]}`, "gm"), ""),
    mark: match[2]!.trim(),
  }))
}

/** The `ts` blocks of the docstrings of a module. */
export function examplesOf(path: string, source: string): ReadonlyArray<Block> {
  return [...source.matchAll(/^[ \t]*\/\*\*[\s\S]*?\*\//gm)].flatMap((docstring) => {
    const markdown = docstring[0].replaceAll(/^[ \t]*\* ?/gm, "")
    const before = lineAt(source, docstring.index) - 1
    return blocksOf(path, markdown).map((block) => ({ ...block, line: block.line + before }))
  })
}

/** The name in a first line `// file: jobs.ts`, by which other blocks import the block. */
export function fileNameOf(block: Block): string | undefined {
  return block.code.match(/^\/\/ file: ([\w-]+\.ts)\s*$/m)?.[1]
}

/** Why a block does not run: `// not run: …` in a block that is marked `no-run`. */
export function reasonOf(block: Block): string | undefined {
  return block.code.match(/^\/\/ not run: (.+)$/m)?.[1]
}

/** What a block says that it prints: the comment lines behind a last `// Output:`. */
export function outputOf(block: Block): string | undefined {
  const lines = block.code.trimEnd().split("\n")
  const start = lines.lastIndexOf("// Output:")
  if (start < 0 || !lines.slice(start).every((line) => line.startsWith("//"))) return undefined
  return lines.slice(start + 1).map((line) => line.replace(/^\/\/ ?/, "").trimEnd()).join("\n")
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length
}
