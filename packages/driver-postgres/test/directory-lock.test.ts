import { assert, assertEquals } from "@std/assert"
import { Embedded } from "@millrace/driver-postgres"
import * as DirectoryLock from "@millrace/driver-postgres/DirectoryLock"
import { Effect, Exit, Scope } from "effect"
import { spawn } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { after, describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import * as F from "./fixtures.ts"

const root = mkdtempSync(join(tmpdir(), "millrace-lock-"))
after(() => rmSync(root, { recursive: true, force: true }))
let count = 0
const folder = () => join(root, String(++count))

const holder = fileURLToPath(new URL("./lock-holder.ts", import.meta.url))

/** Runs a process that tries for the lock and holds it until it is killed. */
const start = (directory: string) => {
  const args = "Deno" in globalThis ? ["run", "--allow-all", holder] : [holder]
  const child = spawn(process.execPath, [...args, directory], {
    stdio: ["pipe", "pipe", "inherit"],
  })
  let text = ""
  const answer = new Promise<string>((resolve) => {
    child.stdout.on("data", (data) => {
      text += data
      if (text.includes("\n")) resolve(text.trim())
    })
    child.on("exit", () => resolve(text.trim()))
  })
  const kill = () =>
    new Promise<void>((resolve) => {
      if (child.exitCode !== null) return resolve()
      child.on("exit", () => resolve())
      child.kill("SIGKILL")
    })
  return { pid: child.pid, answer, kill }
}

const acquired = async (directory: string) => {
  const scope = await Effect.runPromise(Scope.make())
  const exit = await Effect.runPromiseExit(
    Effect.provideService(DirectoryLock.acquire(directory), Scope.Scope, scope),
  )
  return { exit, release: () => Effect.runPromise(Scope.close(scope, Exit.void)) }
}

describe("the lock of a folder", () => {
  it("is released at the end and leaves nothing behind", async () => {
    const directory = folder()
    const first = await acquired(directory)
    assertEquals(first.exit._tag, "Success")
    assertEquals(readdirSync(directory), [DirectoryLock.fileName])
    await first.release()
    assertEquals(readdirSync(directory), [])
    const second = await acquired(directory)
    assertEquals(second.exit._tag, "Success")
    await second.release()
  })

  it("is refused to a second process, which is told who has it", { timeout: 60_000 }, async () => {
    const directory = folder()
    const other = start(directory)
    assertEquals(await other.answer, "acquired")
    const error = await F.refusalOf(Embedded.layer({ directory }))
    assertEquals(error.reason._tag, "Rejected")
    assertEquals(
      error.message,
      `Cannot open "${directory}": process ${other.pid} has it open`,
    )
    await other.kill()
  })

  it("is taken over from a process that was killed", { timeout: 60_000 }, async () => {
    const directory = folder()
    const other = start(directory)
    assertEquals(await other.answer, "acquired")
    await other.kill()
    const { exit, release } = await acquired(directory)
    assertEquals(exit._tag, "Success")
    await release()
    assertEquals(readdirSync(directory), [])
  })

  it("is taken over where the number of the process is another's by now", async () => {
    const directory = folder()
    const { release } = await acquired(directory)
    const path = join(directory, DirectoryLock.fileName)
    const owner = JSON.parse(readFileSync(path, "utf8"))
    await release()
    if (owner.started === null) return
    writeFileSync(path, JSON.stringify({ ...owner, started: "1", nonce: "ab" }))
    const { exit, release: again } = await acquired(directory)
    assertEquals(exit._tag, "Success")
    await again()
  })

  it("is taken over where the file says nothing", async () => {
    const directory = folder()
    await (await acquired(directory)).release()
    for (const text of ["", "nonsense", "{}", '{"pid":-1}']) {
      writeFileSync(join(directory, DirectoryLock.fileName), text)
      const { exit, release } = await acquired(directory)
      assertEquals(exit._tag, "Success", text)
      await release()
    }
  })

  it("has one winner where many want a stale one at once", { timeout: 120_000 }, async () => {
    for (let round = 0; round < 3; round++) {
      const directory = folder()
      await (await acquired(directory)).release()
      writeFileSync(
        join(directory, DirectoryLock.fileName),
        JSON.stringify({ pid: 2 ** 30, started: "1", nonce: "ff" }),
      )
      const all = Array.from({ length: 8 }, () => start(directory))
      const answers = await Promise.all(all.map(({ answer }) => answer))
      await Promise.all(all.map(({ kill }) => kill()))
      assertEquals(answers.filter((answer) => answer === "acquired").length, 1, answers.join("\n"))
      assert(answers.every((answer) => answer === "acquired" || answer.includes("has it open")))
    }
  })

  it("is refused for a folder that cannot be made", async () => {
    const file = join(root, "file")
    writeFileSync(file, "")
    const error = await F.refusalOf(Embedded.layer({ directory: join(file, "below") }))
    assertEquals(error.reason._tag, "Rejected")
    assert(error.message.includes("cannot be made or written to"), error.message)
  })
})
