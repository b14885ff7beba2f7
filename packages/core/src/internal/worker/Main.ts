/**
 * The main program of a worker's process: signals, exit codes, and errors for people.
 */
import { Cause, Console, Effect, Exit, Runtime } from "effect"
import { DefinitionError } from "../../Problem.ts"

/** What Bun, Deno and Node share of their `process`. */
interface Process {
  readonly on: (signal: "SIGINT" | "SIGTERM", listener: () => void) => void
  readonly exit: (code: number) => void
}

/** Runs a program that serves until it ends or a signal comes. */
export const run = (program: () => Effect.Effect<unknown, unknown>): void => {
  // A worker can only be misconfigured by its programmer, but also then one line is enough.
  const main = Effect.suspend(program).pipe(
    Effect.scoped,
    Effect.tapCause((cause) => Cause.hasInterruptsOnly(cause) ? Effect.void : report(cause)),
  )
  runMain(main, { disableErrorReporting: true, teardown })
}

const runMain = Runtime.makeRunMain(({ fiber, teardown }) => {
  const { process } = globalThis as unknown as { readonly process: Process }
  let signals = 0
  const stop = () => {
    if (++signals > 1) process.exit(interrupted)
    fiber.interruptUnsafe()
  }
  process.on("SIGINT", stop)
  process.on("SIGTERM", stop)
  fiber.addObserver((exit) => teardown(exit, (code) => process.exit(code)))
})

const interrupted = 130

// Being told to stop and stopping in good order is a success.
const teardown: Runtime.Teardown = (exit, onExit) =>
  onExit(Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause) ? 0 : 1)

const report = (cause: Cause.Cause<unknown>): Effect.Effect<void> => {
  const error = Cause.squash(cause)
  const expected = cause.reasons.some(Cause.isFailReason) || error instanceof DefinitionError
  return Console.error(
    expected && error instanceof Error ? error.message : Cause.pretty(cause),
  )
}
