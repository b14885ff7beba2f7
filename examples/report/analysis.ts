/** What a text has: words, links, blocks of code. Plain functions, which know nothing of jobs. */
import { marked, type Token } from "marked"
import { Schema } from "effect"

export class Analysis extends Schema.Class<Analysis>("report/Analysis")({
  path: Schema.String,
  words: Schema.Int,
  /** Where relative links point, without their anchors. */
  links: Schema.Array(Schema.String),
  /** How many blocks of code there are in each language. */
  blocks: Schema.Record(Schema.String, Schema.Int),
}) {}

/** Analyses a Markdown file, or a TypeScript file: its comments are Markdown, its imports links. */
export const analyse = (path: string, text: string): Analysis => {
  const isMarkdown = path.endsWith(".md")
  const prose = isMarkdown ? text : commentsOf(text)
  const links = isMarkdown ? [] : importsOf(text)
  const blocks: Record<string, number> = {}
  marked.walkTokens(marked.lexer(prose), (token: Token) => {
    if (token.type === "link" && isRelative(token["href"])) links.push(withoutAnchor(token["href"]))
    if (token.type !== "code") return
    const language = String(token["lang"] ?? "").split(/\s/)[0] || "text"
    blocks[language] = (blocks[language] ?? 0) + 1
  })
  return new Analysis({
    path,
    words: text.match(/[\p{L}\p{N}]+/gu)?.length ?? 0,
    links: [...new Set(links)].sort(),
    blocks,
  })
}

const commentsOf = (source: string): string =>
  [...source.matchAll(/^[ \t]*\/\*\*([\s\S]*?)\*\//gm)]
    .map(([, body]) => body!.replaceAll(/^[ \t]*\* ?/gm, ""))
    .join("\n\n")

const importsOf = (source: string): Array<string> =>
  [...source.matchAll(/^(?:import|export)\b[^"']*?from "(\.[^"]+)"$/gm)].map(([, path]) => path!)

const isRelative = (href: string): boolean => !/^(?:[a-z][a-z0-9+.-]*:|#|\/\/)/i.test(href)

const withoutAnchor = (href: string): string => decodeURI(href.replace(/#.*$/, ""))
