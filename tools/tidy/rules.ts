/** The rules of the source: each answers the offenders as `path:line: what`. */
import { posix } from "node:path"
import { functionsOf } from "./functions.ts"
import { exportsOf, importsOf, packageOf, place, type SourceFile } from "./source.ts"

export type Sources = ReadonlyArray<SourceFile>
type Offenders = ReadonlyArray<string>

export const limits = { fileLines: 300, fileLinesEver: 350, functionLines: 60, columns: 100 }

/** Files that may be longer than `fileLines`, and why; never longer than `fileLinesEver`. */
export const longFiles: Readonly<Record<string, string>> = {}

/** What core may use though it is impure, where, and why. */
export const impureUses: ReadonlyArray<{
  readonly path: string
  readonly use: string
  readonly reason: string
}> = [{
  path: "packages/core/src/RunId.ts",
  use: "crypto.getRandomValues",
  reason: "the default of the service that makes ids, which a simulation replaces",
}]

export function longFileOffenders(sources: Sources): Offenders {
  return sources.flatMap((file) => {
    const lines = file.text.trimEnd().split("\n").length
    const limit = file.path in longFiles ? limits.fileLinesEver : limits.fileLines
    return lines > limit ? [`${file.path}:${limit + 1}: ${lines} lines`] : []
  })
}

export function longFunctionOffenders(sources: Sources): Offenders {
  return sources.flatMap((file) =>
    functionsOf(file.bare)
      .filter(({ lines }) => lines > limits.functionLines)
      .map(({ index, lines }) => `${place(file, index)}: ${lines} lines`)
  )
}

export function longLineOffenders(sources: Sources): Offenders {
  return sources.flatMap((file) =>
    file.text.split("\n").flatMap((line, index) =>
      line.length > limits.columns ? [`${file.path}:${index + 1}: ${line.length} columns`] : []
    )
  )
}

/** Time, randomness and ids come from services; what waits is an Effect. */
const impure = [
  /\bDate\.now\b/g,
  /\bnew Date(?:\(\s*\)|(?!\s*\())/g,
  /\bMath\.random\b/g,
  /\bcrypto\.(?:randomUUID|getRandomValues)\b/g,
  /\b(?:setTimeout|setInterval|setImmediate|queueMicrotask)\b/g,
  /\bnew Promise\b/g,
  /(?<![.\w])async\s/g,
  /(?<![.\w])await\s/g,
  /\bperformance\.now\b/g,
  /\bconsole\./g,
]

export function impureOffenders(sources: Sources): Offenders {
  const pure = ["core", "driver-memory", "testing"]
  return matches(sources.filter((file) => pure.includes(packageOf(file))), impure, "bare")
    .filter((offender) =>
      !impureUses.some(({ path, use }) => offender.startsWith(path) && offender.endsWith(use))
    )
}

export function anyCastOffenders(sources: Sources): Offenders {
  return matches(sources, [/\bas any\b/g, /<any>\s*[\w(]/g], "bare")
}

export function unfinishedOffenders(sources: Sources): Offenders {
  return matches(sources, [/\b(?:TODO|FIXME|XXX)\b/g], "text")
}

/** What a package may import, besides its own files; the dependencies point one way. */
const allowedImports: Readonly<Record<string, RegExp>> = {
  core: /^effect(?:\/|$)/,
  "driver-memory": /^(?:effect|@millrace\/core)(?:\/|$)/,
  "driver-postgres":
    /^(?:effect|@millrace\/core|drizzle-orm|postgres|@electric-sql\/pglite|node:[\w/]+)(?:\/|$)/,
  testing: /^(?:effect|@millrace\/(?:core|driver-memory))(?:\/|$)/,
}

export function importOffenders(sources: Sources): Offenders {
  return sources.flatMap((file) => {
    const own = `packages/${packageOf(file)}/src/`
    const allowed = allowedImports[packageOf(file)] ?? /$^/
    return importsOf(file)
      .filter(({ specifier }) =>
        specifier.startsWith(".")
          ? !resolved(file, specifier).startsWith(own)
          : !allowed.test(specifier)
      )
      .map(({ index, specifier }) => `${place(file, index)}: "${specifier}"`)
  })
}

/** A value is exported with a docstring whose summary comes first. */
export function docstringOffenders(sources: Sources): Offenders {
  return sources
    .filter((file) => !/\/(?:internal\/.*|index\.ts)$/.test(file.path))
    .flatMap((file) =>
      exportsOf(file)
        .filter(({ kind, index }) =>
          ["function", "class", "const"].includes(kind) && !hasSummary(file.text.slice(0, index))
        )
        .map(({ index, name }) => `${place(file, index)}: ${name}`)
    )
}

const bannedWords = new Set(
  ["manager", "service", "util", "helper", "item", "message", "process", "engine"],
)

export function bannedNameOffenders(sources: Sources): Offenders {
  return sources.flatMap((file) => {
    const fileName = posix.basename(file.path, ".ts")
    return [{ index: 0, name: fileName }, ...exportsOf(file)]
      .filter(({ name }) => wordsOf(name).some((word) => bannedWords.has(word)))
      .map(({ index, name }) => `${place(file, index)}: ${name}`)
  })
}

/** A source is used by another source, or by tests and examples through its package's name. */
export function unusedFileOffenders(sources: Sources, others: Sources): Offenders {
  const near = sources.flatMap((file) =>
    importsOf(file).map(({ specifier }) => resolved(file, specifier))
  )
  const far = [...sources, ...others].flatMap((file) =>
    importsOf(file).map(({ specifier }) => packagePath(specifier))
  )
  const used = new Set([...near, ...far])
  return sources
    .filter((file) => !file.path.endsWith("/src/index.ts") && !used.has(file.path))
    .map((file) => `${file.path}:1: imported by nothing`)
}

function matches(
  sources: Sources,
  patterns: ReadonlyArray<RegExp>,
  form: "text" | "bare",
): Offenders {
  return sources.flatMap((file) =>
    patterns
      .flatMap((pattern) => [...file[form].matchAll(pattern)])
      .map((match) => `${place(file, match.index)}: ${match[0].trim()}`)
  )
}

function hasSummary(before: string): boolean {
  const text = before.trimEnd()
  const start = text.lastIndexOf("/**")
  if (!text.endsWith("*/") || start < 0 || text.indexOf("*/", start) !== text.length - 2) {
    return false
  }
  const lines = text.slice(start + 3, -2).split("\n").map((line) => line.replace(/^\s*\*?\s*/, ""))
  return /^[^@*\s]/.test(lines.find((line) => line.trim() !== "") ?? "")
}

/** The words of a name, in lower case and singular: `readItems` is "read" and "item". */
function wordsOf(name: string): ReadonlyArray<string> {
  return name
    .replaceAll(/([a-z\d])([A-Z])/g, "$1 $2")
    .split(/[^A-Za-z\d]+/)
    .map((word) => word.toLowerCase().replace(/s$/, ""))
    // "process" has lost the end of its singular above.
    .map((word) => word === "proces" || word === "processe" ? "process" : word)
}

function resolved(file: SourceFile, specifier: string): string {
  return posix.join(posix.dirname(file.path), specifier)
}

function packagePath(specifier: string): string {
  const [, name, path = "index"] = specifier.match(/^@millrace\/([\w-]+)(?:\/(.+))?$/) ?? []
  return `packages/${name}/src/${path.replace(/\.ts$/, "")}.ts`
}
