/** A folder inside of the workspace in which blocks become programs that import the packages. */
import { spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"

/** The root folder of the repository. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..")

/** What a program did. */
export interface Result {
  /** The exit code; `undefined` if it had to be ended. */
  readonly code: number | undefined
  readonly stdout: string
  readonly stderr: string
}

/** A temporary folder with the programs of one check. */
export interface Sandbox {
  /** Writes a program; its first line gets the given number, so that errors name the right one. */
  write(path: string, code: string, line?: number): void
  /** Type-checks every program of the sandbox with the checker of the current runtime. */
  typeCheck(): Promise<Result>
  /** Runs a program, or the tests of a `.test.ts`, on the current runtime and in its own folder. */
  run(path: string): Promise<Result>
  [Symbol.dispose](): void
}

const timeoutMillis = 60_000
const parent = join(root, "tools", "docs", ".tmp")
const isDeno = "Deno" in globalThis

/** Makes an empty sandbox; it vanishes when it is disposed. */
export function openSandbox(): Sandbox {
  mkdirSync(parent, { recursive: true })
  const folder = mkdtempSync(join(parent, "run-"))
  const config = {
    extends: "../../../../tsconfig.json",
    include: ["./**/*.ts"],
    exclude: [],
  }
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config))
  const typescript = join(root, "node_modules", "typescript", "bin", "tsc")
  return {
    write: (path, code, line = 1) => {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), "\n".repeat(line - 1) + code)
    },
    typeCheck: () => {
      const programs = readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((path) => path.endsWith(".ts"))
      if (programs.length === 0) return Promise.resolve({ code: 0, stdout: "", stderr: "" })
      const args = isDeno ? ["check", "--quiet", ...programs] : [typescript, "-p", "."]
      return start(args, folder)
    },
    run: (path) => {
      const program = join(folder, path)
      const command = path.endsWith(".test.ts") ? "test" : "run"
      const args = isDeno ? ["--quiet", "--allow-all", "--no-check"] : []
      return start([command, ...args, program], dirname(program))
    },
    [Symbol.dispose]: () => {
      rmSync(folder, { recursive: true, force: true })
      try {
        rmdirSync(parent)
      } catch {
        // Another runtime is at work in there.
      }
    },
  }
}

function start(args: ReadonlyArray<string>, cwd: string): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd,
      env: { ...process.env, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    })
    const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMillis)
    let stdout = ""
    let stderr = ""
    child.stdout.setEncoding("utf8").on("data", (text) => stdout += text)
    child.stderr.setEncoding("utf8").on("data", (text) => stderr += text)
    child.once("error", reject)
    child.once("close", (code) => {
      clearTimeout(timer)
      resolve({ code: code ?? undefined, stdout, stderr })
    })
  })
}
