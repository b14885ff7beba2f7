/**
 * A call of the storage, across a network that takes time.
 *
 * @since 0.1.0
 */
import type { DriverError } from "@millrace/core"
import type { MemoryDriver } from "@millrace/driver-memory"
import type { Context, Exit } from "effect"
import { type Host, Turn } from "./Turn.ts"
import type { World } from "./World.ts"

/**
 * What a host asks of the storage.
 *
 * @category models
 * @since 0.1.0
 */
export interface Statement<A> {
  readonly operation: string
  /** The tasks that it is about, where that is known before. */
  readonly ids: ReadonlyArray<string>
  readonly run: MemoryDriver.Statement<A>
  /** Is told the answer in the step in which the statement is executed. */
  readonly seen: (answer: A) => void
}

/** Who is told how a statement ended.
 * @category models
 * @since 0.1.0 */
export type Answer<A> = (exit: Exit.Exit<A, DriverError>) => void

/**
 * Between whom a call goes, and what it is about.
 *
 * @category models
 * @since 0.1.0
 */
export interface Parts<A> {
  readonly world: World
  readonly caller: Host
  /** What the fiber that calls has around it. */
  readonly context: Context.Context<never>
  readonly statement: Statement<A>
  readonly execute: <A>(
    statement: Statement<A>,
    context: Context.Context<never>,
  ) => Exit.Exit<A, DriverError>
  readonly answer: Answer<A>
}

/**
 * A statement on its way to the storage, where it is executed, and then its answer on its way back.
 *
 * @category models
 * @since 0.1.0
 */
export class Call<A> extends Turn {
  readonly #parts: Parts<A>
  #exit: Exit.Exit<A, DriverError> | undefined

  constructor(storage: Host, parts: Parts<A>) {
    super(storage)
    this.#parts = parts
  }

  run(): void {
    const { answer, caller, context, execute, statement, world } = this.#parts
    if (this.#exit !== undefined) return answer(this.#exit)
    this.#exit = execute(statement, context)
    this.host = caller
    world.give(this, latencyMillis)
  }
}

/** How long each way takes, where nothing goes wrong.
 * @category constants
 * @since 0.1.0 */
export const latencyMillis = 1
