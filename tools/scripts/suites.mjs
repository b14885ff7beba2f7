/** Runs the test files on one runtime and reads what it reports. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root, run } from "./command.mjs"
import { readJunit } from "./junit.mjs"

// Longer than any machine needs: what has not ended by then hangs.
const timeoutMillis = 20 * 60_000

const commands = {
  bun: (report, files) => [
    ...["test", "--timeout", "120000"],
    ...["--reporter=junit", `--reporter-outfile=${report}`],
    ...files,
  ],
  // Types are checked by a step of their own.
  deno: (
    report,
    files,
  ) => ["test", "--allow-all", "--no-check", `--junit-path=${report}`, ...files],
}

/** The test files whose path contains the text. */
export function testFiles(filter = "") {
  return ["packages", "tools", "examples"]
    .flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(folder, name)))
    .flatMap((folder) => filesUnder(folder))
    .filter((path) => path.endsWith(".test.ts") && path.includes(filter))
    .sort()
    .map((path) => `./${path}`)
}

/** Runs the files on `bun` or `deno`; a runtime that crashes or reports nothing has failed. */
export async function runSuites(runtime, files, env) {
  const folder = mkdtempSync(join(tmpdir(), "millrace-test-"))
  const report = join(folder, "report.xml")
  try {
    const args = commands[runtime](report, files)
    const result = await run(runtime, args, { capture: true, env, timeoutMillis })
    const counts = readJunit(readReport(report))
    const failed = [...counts.failed]
    if (result.timedOut) failed.push(`${runtime} did not end within ${timeoutMillis} ms`)
    else if (result.code !== 0 && failed.length === 0) {
      failed.push(`${runtime} ended with code ${result.code} though no test failed`)
    }
    if (counts.passed + failed.length === 0) failed.push(`${runtime} ran no test`)
    return { ...counts, failed, output: withoutPasses(result.output) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function filesUnder(folder) {
  try {
    return readdirSync(join(root, folder), { recursive: true })
      .map((path) => join(folder, path))
      .filter((path) => !path.includes("node_modules"))
  } catch {
    return [] // A file beside the folders.
  }
}

function readReport(path) {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return "" // The runtime never came so far.
  }
}

function withoutPasses(output) {
  // deno-lint-ignore no-control-regex
  const plain = output.replaceAll(/\x1b\[[0-9;]*m/g, "")
  return plain.split("\n").filter((line) => !/^\(pass\)| \.\.\. ok \(/.test(line)).join("\n")
}
