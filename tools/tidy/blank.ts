/** What to blank: comments, or comments and the text of strings. */
export type Blanked = "comments" | "comments and strings"

/**
 * Replaces comments, and on request the text of strings, by spaces of the same length.
 *
 * Positions and lines stay what they were. Expressions inside of templates are code and stay.
 */
export function blank(source: string, what: Blanked): string {
  const output = [...source.split("")]
  const erase = (from: number, to: number) => {
    for (let at = from; at < to; at++) if (output[at] !== "\n") output[at] = " "
  }
  // The braces of each template expression that we are inside of, innermost last.
  const depths: Array<number> = []
  let at = 0
  while (at < source.length) {
    const character = source[at]
    const end = endOfToken(source, at)
    if (character === "}" && depths.at(-1) === 0) {
      depths.pop()
      const stop = endOfTemplate(source, at + 1)
      at = text(at + 1, stop)
    } else if (character === "`") {
      at = text(at + 1, endOfTemplate(source, at + 1))
    } else if (end === undefined) {
      if (depths.length > 0 && character === "{") depths[depths.length - 1]! += 1
      if (depths.length > 0 && character === "}") depths[depths.length - 1]! -= 1
      at += 1
    } else {
      const isComment = source.startsWith("//", at) || source.startsWith("/*", at)
      if (isComment) erase(at, end)
      else if (what === "comments and strings") erase(at + 1, end - 1)
      at = end
    }
  }
  return output.join("")

  /** Handles template text up to its end, which is a backtick or the start of an expression. */
  function text(from: number, to: number): number {
    if (what === "comments and strings") erase(from, to)
    if (source[to] === "`" || to >= source.length) return to + 1
    depths.push(0)
    return to + 2
  }
}

/** The end of the comment, string or regular expression that starts here, if one does. */
function endOfToken(source: string, at: number): number | undefined {
  if (source.startsWith("//", at)) return indexOr(source, "\n", at)
  if (source.startsWith("/*", at)) return indexOr(source, "*/", at + 2) + 2
  const quote = source[at]!
  if (quote === '"' || quote === "'") return endOfQuoted(source, at)
  if (quote === "/" && startsExpression(source, at)) return endOfQuoted(source, at)
  return undefined
}

function endOfQuoted(source: string, start: number): number {
  const quote = source[start]
  let inClass = false
  for (let at = start + 1; at < source.length && source[at] !== "\n"; at++) {
    const character = source[at]
    if (character === "\\") at += 1
    else if (quote === "/" && character === "[") inClass = true
    else if (quote === "/" && character === "]") inClass = false
    else if (character === quote && !inClass) return at + 1
  }
  return start + 1
}

function endOfTemplate(source: string, start: number): number {
  for (let at = start; at < source.length; at++) {
    if (source[at] === "\\") at += 1
    else if (source[at] === "`" || source.startsWith("${", at)) return at
  }
  return source.length
}

/** A slash divides after a value, and starts a regular expression after anything else. */
function startsExpression(source: string, at: number): boolean {
  const before = source.slice(Math.max(0, at - 40), at).trimEnd()
  return before === "" || /(?:[(,=:[!&|?{};+\-*%~^<>]|\b(?:return|typeof|case|in|of))$/.test(before)
}

function indexOr(source: string, what: string, from: number): number {
  const found = source.indexOf(what, from)
  return found < 0 ? source.length : found
}
