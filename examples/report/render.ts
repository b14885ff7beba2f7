/** The report as Markdown. */
import type { Analysis } from "./analysis.ts"

/** A link that leads nowhere. */
export interface Broken {
  readonly path: string
  readonly link: string
}

export const render = (
  analyses: ReadonlyArray<Analysis>,
  broken: string | undefined,
  by: string,
): string => {
  const words = analyses.reduce((sum, { words }) => sum + words, 0)
  const links = analyses.reduce((sum, { links }) => sum + links.length, 0)
  const blocks = new Map<string, number>()
  for (const analysis of analyses) {
    for (const [language, count] of Object.entries(analysis.blocks)) {
      blocks.set(language, (blocks.get(language) ?? 0) + count)
    }
  }
  return [
    "# Report",
    "",
    `${analyses.length} files, ${words} words, ${links} relative links. Approved by ${by}.`,
    "",
    ...[...blocks].sort(([a], [b]) => a < b ? -1 : 1).map(([language, count]) =>
      `- blocks of ${language}: ${count}`
    ),
    "",
    broken === undefined ? "All links lead somewhere." : `Links that lead nowhere:\n\n${broken}`,
    "",
    "| File | Words | Links |",
    "| --- | --- | --- |",
    ...[...analyses].sort((a, b) => b.words - a.words || (a.path < b.path ? -1 : 1))
      .map(({ path, words, links }) => `| ${path} | ${words} | ${links.length} |`),
    "",
  ].join("\n")
}
