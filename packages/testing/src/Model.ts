/**
 * Random programs that run against a driver and against the memory driver, and must not tell them
 * apart.
 *
 * @since 0.1.0
 */
import type { Driver, ScheduleStore } from "@millrace/core"
import { Effect, Layer } from "effect"
import type { Command } from "./model/Command.ts"
import * as Print from "./model/Print.ts"
import * as Program from "./model/Program.ts"
import { type Failing, shrink } from "./model/Shrink.ts"
import * as Trial from "./model/Trial.ts"

export type { Command } from "./model/Command.ts"
export type { Difference } from "./model/Trial.ts"

/**
 * What to check.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<E> {
  /** Decides the program: an integer. */
  readonly seed: number
  /** How many commands the program has. */
  readonly commands: number
  /**
   * The driver under test and its schedules, which take their time from Effect's `Clock`. They are
   * provided anew for each program that is tried, and emptied.
   */
  readonly driver: Layer.Layer<Driver.Driver | ScheduleStore.ScheduleStore, E>
}

/**
 * The driver differs from the memory driver. The message tells the seed and the smallest program
 * that was found to show it.
 *
 * @category errors
 * @since 0.1.0
 */
export class Divergence extends Error {
  override readonly name = "Divergence"
  readonly _tag = "Divergence"
  readonly seed: number
  readonly program: ReadonlyArray<Command>
  readonly difference: Trial.Difference

  constructor(seed: number, { program, difference }: Failing) {
    super(
      [
        `The driver differs from the memory driver at seed ${seed}: ${difference.what}`,
        Print.program(program),
        `expected ${difference.expected}`,
        `actual   ${difference.actual}`,
      ].join("\n"),
    )
    this.seed = seed
    this.program = program
    this.difference = difference
  }
}

/**
 * Runs the program of a seed against a driver and against the memory driver, and compares their
 * answers and all that they store after each command. Fails with a `Divergence` that is shrunk.
 *
 * **Details**
 *
 * One seed is one program, on every runtime. Both drivers share one `TestClock`. A worker whose
 * lease expired beats once more and then takes a new name; after a recovery it takes the new name
 * at once, because a driver may forget those that hold nothing.
 *
 * **Example** (The memory driver does not differ from itself)
 *
 * ```ts
 * import { MemoryDriver } from "@millrace/driver-memory"
 * import { Model } from "@millrace/testing"
 * import { Effect } from "effect"
 *
 * await Effect.runPromise(Model.check({ seed: 1, commands: 100, driver: MemoryDriver.layer }))
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const check = Effect.fnUntraced(function* <E>(
  options: Options<E>,
): Effect.fn.Return<void, Divergence | E> {
  const attempt = (program: ReadonlyArray<Command>) =>
    Effect.flatMap(Trial.provided, (subject) => Trial.run(program, subject)).pipe(
      Effect.provide(Layer.fresh(options.driver)),
    )
  const program = Program.make(options.seed, options.commands)
  const difference = yield* attempt(program)
  if (difference === undefined) return
  const smallest = yield* shrink({ program, difference }, attempt)
  return yield* Effect.fail(new Divergence(options.seed, smallest))
})

/** Writes the program of a seed, one line per command.
 * @category conversions
 * @since 0.1.0 */
export const print = (seed: number, commands: number): string =>
  Print.program(Program.make(seed, commands))
