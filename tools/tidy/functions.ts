/** A function's place and length, from the line of its body's brace to that of the closing one. */
export interface FunctionSpan {
  readonly index: number
  readonly lines: number
}

/** Words that stand before parentheses and a block, and are no functions. */
const control = new Set(["if", "for", "while", "switch", "catch", "with", "await"])

/** Finds the functions and methods of bare code, by their braces. */
export function functionsOf(bare: string): ReadonlyArray<FunctionSpan> {
  const spans: Array<FunctionSpan> = []
  for (let at = bare.indexOf("{"); at >= 0; at = bare.indexOf("{", at + 1)) {
    const head = headOf(bare, at)
    if (head === undefined) continue
    const end = matching(bare, at)
    spans.push({ index: head, lines: bare.slice(head, end).split("\n").length })
  }
  return spans
}

/** Where the function starts whose body opens at the brace, if it opens one. */
function headOf(bare: string, brace: number): number | undefined {
  const before = bare.slice(0, brace).trimEnd()
  if (before.endsWith("=>")) return lineStart(bare, before.length)
  const close = before.endsWith(")") ? before.length - 1 : parametersBeforeType(before)
  if (close === undefined) return undefined
  const open = matchingBack(before, close)
  const start = lineStart(bare, open)
  const name = before.slice(0, open).trimEnd().match(/[\w$#>\]*]+$/)?.[0]
  const isBlock = name === undefined || control.has(name)
  // `class A extends make() {` opens a class.
  const isClass = /\b(?:class|extends)\b/.test(bare.slice(start, open))
  return isBlock || isClass ? undefined : start
}

/** The closing parenthesis of a `(…): Type` that the text ends with, if it does. */
function parametersBeforeType(before: string): number | undefined {
  // Formatted code has a space before the colon of a condition, and none before that of a type.
  const close = before.lastIndexOf("):")
  const type = close < 0 ? "" : before.slice(close + 2).replaceAll("=>", "").trim()
  const isType = type !== "" && type.length < 400 && isBalanced(type) &&
    !/[;=]|[,:|&<([?]$|\b(?:return|const|let|if|for|yield|class|interface)\b/.test(type)
  return isType ? close : undefined
}

function isBalanced(text: string): boolean {
  let depth = 0
  for (const character of text) {
    if ("<([{".includes(character)) depth += 1
    if (">)]}".includes(character)) depth -= 1
    if (depth < 0) return false
  }
  return depth === 0
}

function matching(bare: string, open: number): number {
  let depth = 0
  for (let at = open; at < bare.length; at++) {
    if (bare[at] === "{") depth += 1
    if (bare[at] === "}" && --depth === 0) return at
  }
  return bare.length
}

function matchingBack(bare: string, close: number): number {
  let depth = 0
  for (let at = close; at >= 0; at--) {
    if (bare[at] === ")") depth += 1
    if (bare[at] === "(" && --depth === 0) return at
  }
  return 0
}

function lineStart(bare: string, at: number): number {
  const start = bare.lastIndexOf("\n", at - 1) + 1
  return start + (bare.slice(start).match(/^\s*/)?.[0].length ?? 0)
}
