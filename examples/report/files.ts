/** The files of this repository that the report is about. */
import { readdir, readFile, stat } from "node:fs/promises"
import { dirname, join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..")

const skipped = new Set(["node_modules", ".git", ".millrace"])

/** Lists the Markdown and TypeScript files, in the order of their paths. */
export const list = Effect.promise(async () => {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && /\.(?:md|ts)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !path.split("/").some((part) => skipped.has(part)))
    .sort()
})

export const read = (path: string) => Effect.promise(() => readFile(join(root, path), "utf8"))

/** The links of a file that lead nowhere. */
export const broken = (path: string, links: ReadonlyArray<string>) =>
  Effect.filter(
    links,
    (link) => Effect.map(exists(resolve(root, dirname(path), link)), (it) => !it),
  )

const exists = (path: string) => Effect.promise(() => stat(path).then(() => true, () => false))
