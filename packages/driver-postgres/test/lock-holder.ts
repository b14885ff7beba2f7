/** A process that takes the lock of a folder, says so, and holds it until it is killed. */
import * as DirectoryLock from "@millrace/driver-postgres/DirectoryLock"
import { Effect } from "effect"
import process from "node:process"

const program = Effect.scoped(Effect.gen(function* () {
  yield* DirectoryLock.acquire(process.argv[2]!)
  console.log("acquired")
  // The end of the input is the end of the parent.
  yield* Effect.promise(() => new Promise((resolve) => process.stdin.resume().on("end", resolve)))
}))

const exit = await Effect.runPromiseExit(Effect.flip(program))
if (exit._tag === "Success") console.log(exit.value.message)
