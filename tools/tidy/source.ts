import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, posix } from "node:path"
import { fileURLToPath } from "node:url"
import { blank } from "./blank.ts"

/** A source file, in the forms that the rules look at; all of them have the same lines. */
export interface SourceFile {
  /** The path below the repository's root, with forward slashes. */
  readonly path: string
  readonly text: string
  /** The text without comments. */
  readonly code: string
  /** The text without comments and without what stands in strings. */
  readonly bare: string
}

/** The root folder of the repository. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..")

/** Makes a source file of a path and a text. */
export function sourceFile(path: string, text: string): SourceFile {
  return {
    path,
    text,
    code: blank(text, "comments"),
    bare: blank(text, "comments and strings"),
  }
}

/** Reads every TypeScript file below a folder; none where there is no such folder. */
export function readSources(folder: string): ReadonlyArray<SourceFile> {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((name) => posix.join(folder, name.replaceAll("\\", "/")))
    .filter((path) => path.endsWith(".ts") && !path.includes("node_modules"))
    .sort()
    .map((path) => sourceFile(path, readFileSync(join(root, path), "utf8")))
}

/** The package a file belongs to: `core` of `packages/core/src/Job.ts`. */
export function packageOf(file: SourceFile): string {
  return file.path.split("/")[1] ?? ""
}

/** Names a place, as editors and terminals understand it: `path:line`. */
export function place(file: SourceFile, index: number): string {
  return `${file.path}:${file.text.slice(0, index).split("\n").length}`
}

/** The module specifiers a file imports or exports from, with where they stand. */
export function importsOf(file: SourceFile): ReadonlyArray<{ index: number; specifier: string }> {
  const statement = /^\s*(?:import\b|export\s+(?:type\s+)?[*{])[^"'`;()]*?["']([^"'\n]+)["']/gm
  const call = /\bimport\(\s*["']([^"'\n]+)["']/g
  const found = [...file.code.matchAll(statement), ...file.code.matchAll(call)]
  return found.map((match) => ({
    index: match.index + match[0].length - 1,
    specifier: match[1] ?? "",
  }))
}

/** A thing that a module exports by declaring it. */
export interface Export {
  readonly index: number
  readonly kind: string
  readonly name: string
}

/** What a module declares and exports, overloads once. */
export function exportsOf(file: SourceFile): ReadonlyArray<Export> {
  const pattern =
    /^export (?:declare |abstract |async )*(function|class|const|let|interface|type|namespace|enum)\b\*?\s+(\w+)/gm
  const seen = new Set<string>()
  return [...file.bare.matchAll(pattern)].flatMap((match) => {
    const [, kind = "", name = ""] = match
    if (kind === "function" && seen.has(name)) return []
    seen.add(name)
    return [{ index: match.index, kind, name }]
  })
}
