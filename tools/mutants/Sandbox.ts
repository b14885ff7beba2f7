/** A copy of the repository in which one file at a time is broken. */
import { spawn } from "node:child_process"
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import type { Mutant } from "./Mutant.ts"

/** What a command printed, and how it ended; `undefined` where it ran out of time. */
export interface Ran {
  readonly code: number | undefined
  readonly output: string
}

export class Sandbox {
  readonly folder = mkdtempSync(join(tmpdir(), "millrace-mutants-"))
  readonly #root: string

  constructor(root: string) {
    this.#root = root
    for (const name of ["packages", "tools", "package.json", "bunfig.toml", "tsconfig.json"]) {
      cpSync(join(root, name), join(this.folder, name), {
        recursive: true,
        filter: (path) => !path.includes("node_modules"),
      })
    }
    this.#link()
  }

  // The dependencies are shared; our own packages are those of the copy.
  #link(): void {
    const modules = join(this.folder, "node_modules")
    mkdirSync(join(modules, "@millrace"), { recursive: true })
    for (const name of readdirSync(join(this.#root, "node_modules"))) {
      if (name === "@millrace") continue
      symlinkSync(join(this.#root, "node_modules", name), join(modules, name))
    }
    for (const name of readdirSync(join(this.folder, "packages"))) {
      symlinkSync(join(this.folder, "packages", name), join(modules, "@millrace", name))
    }
  }

  /** Runs something while a mutant is in place. */
  async with<A>({ file, find, replace }: Mutant, run: () => Promise<A>): Promise<A> {
    const path = join(this.folder, file)
    const original = readFileSync(path, "utf8")
    // A function, since a text would have `$` mean something.
    writeFileSync(path, original.replace(find, () => replace))
    try {
      return await run()
    } finally {
      writeFileSync(path, original)
    }
  }

  /** Runs Bun in the copy, for no longer than this. */
  bun(args: ReadonlyArray<string>, timeoutMillis: number): Promise<Ran> {
    return new Promise((resolve) => {
      const child = spawn(join(this.#root, "node_modules", ".bin", "bun"), args, {
        cwd: this.folder,
        env: process.env,
        stdio: ["ignore", "pipe", "pipe"],
        detached: true,
      })
      let output = ""
      let late = false
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (text) => output += text)
      }
      const timer = setTimeout(() => {
        late = true
        process.kill(-child.pid!, "SIGKILL")
      }, timeoutMillis)
      child.once("close", (code) => {
        clearTimeout(timer)
        resolve({ code: late ? undefined : code ?? 1, output })
      })
    })
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
