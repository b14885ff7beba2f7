/** Under which conditions a run measured. */
import { readFileSync } from "node:fs"
import { arch, cpus, loadavg, platform, release, totalmem } from "node:os"
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Settings } from "./bench.ts"
import type { Server } from "./server.ts"

type Fact = readonly [string, string]

const root = fileURLToPath(new URL("../..", import.meta.url))
const libraries = ["effect", "drizzle-orm", "postgres"]

export const gather = async (
  server: Server,
  settings: Settings,
): Promise<ReadonlyArray<Fact>> => {
  const serverSettings = Object.entries(await server.settings())
  return [
    ["Date", new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC"],
    ["Commit", git("rev-parse", "--short", "HEAD")],
    ["Machine", machine()],
    ["Load before", loadavg().map((load) => load.toFixed(2)).join(", ")],
    ["Run", `${settings.quick ? "quick, " : ""}rounds: ${settings.rounds}`],
    ["PostgreSQL", await server.version()],
    ["Its settings", serverSettings.map(([name, value]) => `${name}=${value}`).join(", ")],
    ["Runtimes", `bun ${versionOf("", "bun")}, deno ${versionOf("", "deno")}`],
    ["Libraries", libraries.map((name) => `${name} ${versionOf("", name)}`).join(", ")],
    [
      "Peers",
      peerPackages().map((name) => `${name} ${versionOf("benchmarks/peers", name)}`).join(", "),
    ],
  ]
}

const machine = () => {
  const processors = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  const system = `${platform()} ${release()} ${arch()}`
  return `${processors.length} cores of ${processors[0]?.model.trim()}, ${memory} GB, ${system}`
}

const git = (...args: Array<string>) =>
  spawnSync("git", args, { cwd: root, encoding: "utf8" }).stdout?.trim() || "unknown"

const peerPackages = () =>
  Object.keys(read("benchmarks/peers/package.json")["dependencies"] as object)

const versionOf = (folder: string, name: string): string => {
  try {
    return String(read(join(folder, "node_modules", name, "package.json"))["version"])
  } catch {
    return "(not installed)"
  }
}

const read = (path: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(root, path), "utf8"))
