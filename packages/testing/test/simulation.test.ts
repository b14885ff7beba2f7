import { match, notStrictEqual, ok, strictEqual } from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { describe, it } from "node:test"
import { Attempt, Job, Runs, Transaction } from "@millrace/core"
import { Simulation } from "@millrace/testing"
import { Effect, Ref, Schema } from "effect"
import { explored, options } from "./simulation-traces.ts"

const folder = import.meta.dirname!
const bin = join(folder, "../../../node_modules/.bin")

describe("the simulation", () => {
  it("finds nothing wrong with the worker, whatever strikes", async () => {
    const report = await Effect.runPromise(Simulation.explore({ ...options, seeds: 60 }))
    ok(report.faults > 60, `only ${report.faults} faults`)
    ok(report.simulatedMillis > 60 * 600_000)
  })

  it("does the same for the same seed, and something else for another", async () => {
    const [first, again, other] = await Promise.all(
      [7, 7, 8].map((seed) => Effect.runPromise(explored(seed))),
    )
    strictEqual(first!.hash, again!.hash)
    notStrictEqual(first!.hash, other!.hash)
  })

  it("writes the same bytes twice on Bun and twice on Deno", () => {
    const path = join(folder, "simulation-traces.ts")
    const print = (command: string, args: ReadonlyArray<string>) =>
      execFileSync(join(bin, command), [...args, path], { encoding: "utf8", maxBuffer: 1 << 28 })
    const onBun = print("bun", ["run"])
    match(onBun, /^seed 1\n +\d+\.\d{3} s {2}\w/)
    match(onBun, /\nseed 10\n/)
    ok(onBun.split("\n").length > 2000, "the traces are short")
    ok(print("bun", ["run"]) === onBun, "Bun does not do the same twice")
    const deno = ["run", "--allow-all", "--no-check"]
    ok(print("deno", deno) === onBun, "Deno does not do what Bun does")
    ok(print("deno", deno) === onBun, "Deno does not do the same twice")
  })

  const Charge = Job.make("charge", { input: Schema.Int, maxAttempts: 5, maxCrashes: 50 })
  const load = () => Charge.enqueueMany([1, 2, 3, 4, 5])

  it("finds a charge that is not idempotent, and tells how it came to it", async () => {
    const exploration = Simulation.explore({
      state: () => new Map<number, number>(),
      jobs: (charged) => [
        Charge.perform((order) =>
          Effect.sync(() => void charged.set(order, (charged.get(order) ?? 0) + 1)).pipe(
            Effect.andThen(Effect.sleep("5 seconds")),
          )
        ),
      ],
      load,
      faults: { crashEveryMillis: 20_000 },
      invariants: {
        "charged once": (charged) => {
          const twice = [...charged].find(([, times]) => times > 1)
          return twice === undefined ? undefined : `order ${twice[0]} was charged ${twice[1]} times`
        },
      },
    })
    const error = await Effect.runPromise(Effect.flip(exploration))
    match(error.broken, /^charged once: order \d was charged 2 times$/)
    match(error.message, /crashes|reply lost|is paused|slow/)
    match(error.message, /Replay it with: .*seeds: \[\d+\], workers: \d, duration: \d+ /)
  })

  it("shows the task and the faults that are needed, and replays to the same", async () => {
    const options: Simulation.Options<Map<number, number>> = {
      state: () => new Map(),
      jobs: (charged) => [
        Charge.perform((order) =>
          Effect.andThen(
            Effect.sync(() => void charged.set(order, (charged.get(order) ?? 0) + 1)),
            Effect.sleep("5 seconds"),
          )
        ),
      ],
      load: () => Charge.enqueueMany(Array.from({ length: 100 }, (_, order) => order)),
      invariants: {
        "charged once": (charged) => {
          const twice = [...charged].find(([, times]) => times > 1)
          return twice === undefined ? undefined : `order ${twice[0]} was charged ${twice[1]} times`
        },
      },
    }
    const failureOf = (more: Partial<Simulation.Options<Map<number, number>>>) =>
      Effect.runPromise(Effect.flip(Simulation.explore({ ...options, ...more })))
    const error = await failureOf({ workers: 6 })
    const lines = error.message.split("\n")
    ok(lines.length <= 60, `${lines.length} lines`)
    ok(error.workers < 6, "all workers are needed")
    const task = /^order (\d+)/.exec(error.broken.slice("charged once: ".length))![1]
    // The load enqueues order 0 first, as task 1.
    const named = `charge ${Number(task) + 1}`
    for (const line of lines.slice(2, -2)) {
      ok(
        new RegExp(`${named}\\b|fault|crashes|paused|goes on|starts again`).test(line),
        `${line} is not about ${named}`,
      )
    }
    ok(lines.slice(2, -2).some((line) => line.includes(`claims ${named}`)), "no claim is shown")
    match(lines.at(-2)!, /^ +[\d.]+ s {2}BROKEN {4}charged once: order \d+ was charged 2 times$/)
    const { seed, workers, durationMillis } = error
    const again = await failureOf({ seeds: [seed], workers, duration: durationMillis })
    match(again.broken, /^charged once: order \d+ was charged 2 times$/)
  })

  const Order = Job.make("order", { input: Schema.Int, maxAttempts: 20, maxCrashes: 50 })
  const Receipt = Job.make("receipt", { input: Schema.Int, maxAttempts: 20, maxCrashes: 50 })
  const orders = [1, 2, 3, 4, 5, 6, 7, 8]
  type Receipts = Map<number, Set<string>>

  /** Orders, each of which enqueues one receipt, either with its outcome or before it. */
  const ordering = (complete: boolean, all: Array<Receipts>): Simulation.Options<Receipts> => ({
    state: () => {
      const receipts: Receipts = new Map()
      all.push(receipts)
      return receipts
    },
    jobs: (receipts) => [
      Order.perform((order) => {
        const enqueued = Receipt.enqueue(order).pipe(
          Effect.andThen(Effect.sleep("2 seconds")),
          Effect.orDie,
        )
        return complete ? Transaction.complete(enqueued) : enqueued
      }),
      Receipt.perform((order, { runId }) =>
        Effect.sync(() => {
          const runs = receipts.get(order)
          if (runs === undefined) receipts.set(order, new Set([runId]))
          else runs.add(runId)
        })
      ),
    ],
    load: () => Order.enqueueMany(orders),
    faults: { replyLost: 0.1, crashEveryMillis: 20_000 },
    duration: "2 minutes",
    invariants: {
      "one receipt": (receipts) => {
        const twice = [...receipts].find(([, runs]) => runs.size > 1)
        return twice === undefined ? undefined : `order ${twice[0]} has ${twice[1].size} receipts`
      },
    },
  })

  it("finds a receipt that is enqueued twice", async () => {
    const error = await Effect.runPromise(Effect.flip(Simulation.explore(ordering(false, []))))
    match(error.broken, /^one receipt: order \d has 2 receipts$/)
  })

  it("finds one receipt of each order that completes in a transaction", async () => {
    const all: Array<Receipts> = []
    const report = await Effect.runPromise(
      Simulation.explore({ ...ordering(true, all), seeds: 150 }),
    )
    ok(report.faults > 500, `only ${report.faults} faults`)
    for (const receipts of all) strictEqual(receipts.size, orders.length)
  })

  it("finds nothing where the charge is fenced", async () => {
    const report = await Effect.runPromise(Simulation.explore({
      state: () => new Map<number, number>(),
      jobs: (highest) => [
        Charge.perform((order, ctx) =>
          Effect.gen(function* () {
            yield* Effect.sleep("5 seconds")
            // What the bank does with a fence: an older one than it has seen is refused.
            if ((highest.get(order) ?? 0) > ctx.fence) yield* Effect.die("an old fence")
            highest.set(order, ctx.fence)
          })
        ),
      ],
      load,
      seeds: 20,
    }))
    strictEqual(report.seeds, 20)
  })

  it("reports runs that never end", async () => {
    const Owl = Job.make("owl")
    const exploration = Simulation.explore({
      jobs: () => [Owl.perform(() => Effect.fail(Attempt.snooze("300 days")))],
      load: () => Owl.enqueue(undefined),
      worker: { pollInterval: "1 hour", lease: "1 hour" },
      faults: Simulation.noFaults,
      seeds: [1],
    })
    const error = await Effect.runPromise(Effect.flip(exploration))
    match(error.message, /^Not all runs end: owl 1 is (?:ready|running) \(seed 1\)/)
  })

  it("reports a state that two seeds share, since then one seed is not one trace", async () => {
    let calls = 0
    const Count = Job.make("count")
    const exploration = Simulation.explore({
      jobs: () => [Count.perform(() => Effect.suspend(() => Effect.sleep(++calls * 1000)))],
      load: () => Count.enqueue(undefined),
      faults: Simulation.noFaults,
      seeds: [1],
    })
    const error = await Effect.runPromise(Effect.flip(exploration))
    match(error.message, /^Two runs of one seed differ: /)
  })

  it("reports an invariant that throws", async () => {
    const Nothing = Job.make("nothing")
    const exploration = Simulation.explore({
      jobs: () => [Nothing.perform(() => Effect.void)],
      load: () => Nothing.enqueue(undefined),
      invariants: {
        broken: () => {
          throw new TypeError("no such order")
        },
      },
      seeds: [1],
    })
    const error = await Effect.runPromise(Effect.flip(exploration))
    match(error.message, /^broken: it threw TypeError: no such order \(seed 1\)/)
  })

  it("cancels running work at any moment, and nothing breaks", async () => {
    const Slow = Job.make("slow", { maxAttempts: 3 })
    const report = await Effect.runPromise(Simulation.explore({
      jobs: () => [Slow.perform(() => Effect.sleep("10 seconds"))],
      load: () =>
        Effect.gen(function* () {
          const count = yield* Ref.make(0)
          while ((yield* Ref.updateAndGet(count, (n) => n + 1)) < 20) {
            const id = yield* Slow.enqueue(undefined)
            yield* Effect.sleep("4 seconds")
            yield* Runs.cancel(id)
            yield* Effect.sleep("1 second")
            yield* Runs.retry(id)
          }
        }),
      seeds: 20,
    }))
    strictEqual(report.seeds, 20)
  })
})
