/**
 * Jobs that end in every way, and what has to hold of them: without faults to the millisecond, with
 * faults whatever strikes.
 */
import { Attempt, type AttemptContext, Job, type RunId, Runs } from "@millrace/core"
import { Simulation } from "@millrace/testing"
import { Clock, Effect, Schema } from "effect"
import { slots } from "./Slots.ts"

const kinds = ["plain", "long", "mends", "fails", "hangs", "snoozes", "later", "discards"] as const

type Kind = typeof kinds[number]

const Order = Job.make("order", {
  input: { kind: Schema.Literals(kinds) },
  error: Schema.String,
  maxAttempts: 3,
  maxCrashes: 3,
  baseDelay: "10 seconds",
  timeout: "90 seconds",
})

/** What was seen of one attempt. */
interface Seen {
  readonly attempt: number
  readonly fence: number
  readonly began: number
  ended: number | undefined
  interrupted: boolean
}

/** What was seen of all of them, by run. */
class Log {
  readonly seen = new Map<string, Array<Seen>>()
  active = 0
  most = 0
  wrong: string | undefined
}

const work = (
  kind: Kind,
  { attempt }: Seen,
  turn: number,
): Effect.Effect<void, string | Attempt.Control<string>> => {
  switch (kind) {
    case "plain":
      return Effect.sleep("1 second")
    case "long":
      return Effect.sleep("80 seconds")
    case "mends":
      return attempt < 3 ? Effect.fail("not yet") : Effect.void
    case "fails":
      return Effect.fail("never")
    case "hangs":
      return attempt === 1 ? Effect.never : Effect.void
    case "snoozes":
      return turn === 1 ? Effect.fail(Attempt.snooze("7 seconds")) : Effect.void
    case "later":
      return attempt === 1 ? Effect.fail(Attempt.retryAfter("33 seconds")) : Effect.void
    case "discards":
      return Effect.fail(Attempt.discard("no use"))
  }
}

const handle = (log: Log) => ({ kind }: { readonly kind: Kind }, ctx: AttemptContext["Service"]) =>
  Effect.gen(function* () {
    const all = log.seen.get(ctx.runId) ?? []
    log.seen.set(ctx.runId, all)
    // A worker begins nothing once its lease has ended by its own clock, and so never late.
    if (all.some(({ fence }) => fence >= ctx.fence)) log.wrong ??= "a fence did not grow"
    if (ctx.attempt < 1 || ctx.attempt > ctx.maxAttempts) log.wrong ??= "an attempt out of bounds"
    const began = yield* Clock.currentTimeMillis
    const seen: Seen = { ...ctx, began, ended: undefined, interrupted: false }
    all.push(seen)
    log.most = Math.max(log.most, ++log.active)
    const end = (interrupted: boolean) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        log.active--
        seen.ended = now
        seen.interrupted = interrupted
      })
    yield* work(kind, seen, all.length).pipe(
      Effect.onInterrupt(() => end(true)),
      Effect.tap(() => end(false)),
      Effect.tapError(() => end(false)),
    )
  })

const concurrency = 4

/** A deviation from what has to be. */
const wrong = (text: string) => Effect.die(new Error(text))

const check = (holds: boolean, text: string) => holds ? Effect.void : wrong(text)

/** What the simulations share. */
const options = (load: (log: Log) => Effect.Effect<unknown, unknown, never | Driver>) =>
  ({
    state: () => new Log(),
    jobs: (log: Log) => [Order.perform(handle(log))],
    load,
    worker: { concurrency, lease: "30 seconds" },
    within: "2 hours",
    invariants: { "an attempt is what it says": (log: Log) => log.wrong },
  }) as const

type Driver = Effect.Services<ReturnType<typeof Order.enqueue>>

const ended = (id: RunId.RunId) =>
  Effect.gen(function* () {
    for (let waited = 0; waited < 7200; waited++) {
      const run = yield* Runs.get(id)
      if (run.failure !== undefined || run.state === "completed") return run
      yield* Effect.sleep("1 second")
    }
    return yield* wrong(`run ${id} has not ended`)
  })

/** How many attempts each kind has, how it ends, and how long it takes, without faults. */
const expected: Readonly<Record<Kind, readonly [attempts: string, state: string, millis: number]>> =
  {
    plain: ["1", "completed", 1000],
    long: ["1", "completed", 80_000],
    mends: ["1 2 3", "completed", 30_000],
    fails: ["1 2 3", "failed", 30_000],
    hangs: ["1 2", "completed", 100_000],
    snoozes: ["1 1", "completed", 7000],
    later: ["1 2", "completed", 33_000],
    discards: ["1", "failed", 0],
  }

/** How late a step may be: it has to be announced or looked for, and two ways to be gone. */
const lateMillis = 2500

const calmly = (log: Log) =>
  Effect.gen(function* () {
    for (const kind of kinds) {
      const id = yield* Order.enqueue({ kind })
      const run = yield* ended(id)
      const seen = log.seen.get(id) ?? []
      const [attempts, state, millis] = expected[kind]
      const numbers = seen.map(({ attempt }) => attempt).join(" ")
      yield* check(numbers === attempts, `"${kind}" had the attempts ${numbers}, not ${attempts}`)
      yield* check(run.state === state, `"${kind}" ended ${run.state}, not ${state}`)
      const took = (seen.at(-1)?.ended ?? 0) - (seen[0]?.began ?? 0)
      yield* check(took >= millis - 10, `"${kind}" took ${took} ms, less than ${millis}`)
      yield* check(
        took <= millis + lateMillis * seen.length,
        `"${kind}" took ${took} ms, more than ${millis}`,
      )
      yield* check(run.history.every((entry) => entry.kind !== "crashed"), `"${kind}" crashed`)
    }
    yield* cancelled(log)
    yield* Order.enqueueMany(Array.from({ length: 60 }, () => ({ kind: "plain" as const })))
    yield* Effect.sleep("10 minutes")
    yield* check(log.most <= concurrency, `${log.most} attempts ran at a time`)
    yield* check(log.active === 0, `${log.active} handlers never ended`)
  })

const cancelled = (log: Log) =>
  Effect.gen(function* () {
    const id = yield* Order.enqueue({ kind: "long" })
    yield* Effect.sleep("5 seconds")
    yield* check((yield* Runs.cancel(id)) === "cancelled", "a running run was not cancelled")
    yield* Effect.sleep("15 seconds")
    const seen = log.seen.get(id) ?? []
    yield* check(seen.length === 1 && seen[0]!.interrupted, "a cancelled handler runs on")
    yield* Effect.ignore(Runs.cancel(id))
    yield* check((yield* Runs.retry(id)) === "ready", "a cancelled run was not retried")
    const run = yield* ended(id)
    yield* check(run.state === "completed", `a retried run ended ${run.state}`)
  })

const stormily = () =>
  Effect.gen(function* () {
    const ids: Array<RunId.RunId> = []
    for (let round = 0; round < 12; round++) {
      for (const kind of kinds) ids.push(yield* Order.enqueue({ kind }))
      yield* Effect.sleep("50 seconds")
    }
    for (const id of ids) {
      const run = yield* ended(id)
      const attempts = run.history.filter(({ kind }) => kind === "failed" || kind === "timed_out")
      yield* check(attempts.length <= 3, `run ${id} failed ${attempts.length} times`)
      const crashes = run.history.filter(({ kind }) => kind === "crashed")
      yield* check(crashes.length <= 4, `run ${id} crashed ${crashes.length} times`)
      if (run.state === "completed") continue
      const spent = run.failure?.reason === "Crashed" ? crashes.length === 4 : true
      yield* check(spent, `run ${id} was given up after ${crashes.length} crashes`)
    }
  })

const oneByOne = () =>
  Effect.gen(function* () {
    for (let round = 0; round < 20; round++) yield* ended(yield* Order.enqueue({ kind: "plain" }))
  })

/** The simulations. */
export const bench = {
  calm: (seeds: ReadonlyArray<number>) =>
    Simulation.explore({
      ...options(calmly),
      workers: 1,
      faults: Simulation.noFaults,
      duration: "1 second",
      seeds,
    }),
  deaf: (seeds: ReadonlyArray<number>) =>
    Simulation.explore({
      ...options(oneByOne),
      workers: 1,
      faults: { ...Simulation.noFaults, wakeups: 1 },
      seeds,
    }),
  storm: (seeds: ReadonlyArray<number>) => Simulation.explore({ ...options(stormily), seeds }),
  slots,
}
