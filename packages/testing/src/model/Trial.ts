/**
 * One run of a program against two drivers, compared after each command.
 *
 * @since 0.1.0
 */
import { type Driver, RunId } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Cause, Clock, Effect, Exit } from "effect"
import { TestClock } from "effect/testing"
import { show } from "../conformance/expect.ts"
import { emptied, everything, Stage } from "../conformance/fixtures.ts"
import { asked, flowOf, type Memory, note } from "./Asking.ts"
import type { Command } from "./Command.ts"
import { pool } from "./Drawn.ts"
import * as Normal from "./Normal.ts"

type Service = Driver.Driver["Service"]

/**
 * Where two drivers went apart.
 *
 * @category models
 * @since 0.1.0
 */
export interface Difference {
  /** The index of the command. */
  readonly at: number
  readonly what: string
  readonly expected: string
  readonly actual: string
}

/** Runs a program; `undefined` where the drivers never differ.
 * @category running
 * @since 0.1.0 */
export const run = (
  program: ReadonlyArray<Command>,
  subject: Service,
): Effect.Effect<Difference | undefined> =>
  Effect.gen(function* () {
    const base = yield* RunId.make
    // What a broken driver cannot remove must not hide how it is broken.
    yield* Effect.ignore(emptied(subject))
    return yield* Effect.provide(compare(program, subject, base), TestClock.layer())
  })

const compare = Effect.fnUntraced(function* (
  program: ReadonlyArray<Command>,
  subject: Service,
  base: string,
) {
  const model = yield* MemoryDriver.make
  const memory: Memory = {
    stage: new Stage(model, base),
    claims: new Map(),
    sessions: new Map(),
    wakes: new Map(),
    grouped: new Set(),
  }
  for (const [at, command] of program.entries()) {
    const now = yield* Clock.currentTimeMillis
    const ask = asked(memory, command, now)
    if (ask === undefined) {
      if (command._tag === "Advance") yield* TestClock.adjust(command.millis)
      continue
    }
    const expected = yield* answer(ask(model))
    const actual = yield* answer(ask(subject))
    const told = difference(at, "the answers differ", expected, actual, memory)
    if (told !== undefined) return told
    const stored = yield* Effect.orDie(Effect.all([
      model.progress(idsOf(memory.stage)),
      model.find({ flow: flowOf(memory.stage), limit: everything }),
    ]))
    note(memory, ...stored)
    const [left, right] = [
      yield* snapshot(model, memory.stage, now),
      yield* snapshot(subject, memory.stage, now),
    ]
    const found = difference(at, "the tasks differ afterwards", left, right, memory)
    if (found !== undefined) return found
  }
  return undefined
})

const snapshot = (driver: Service, stage: Stage, now: number) =>
  answer(Effect.map(
    Effect.all([
      driver.find({ flow: flowOf(stage), limit: everything }),
      driver.progress(idsOf(stage)),
    ]),
    ([found, progress]) => [
      ...found.map((one) => Normal.record(one, now)),
      ...Normal.progress(progress),
    ],
  ))

const idsOf = (stage: Stage) => Array.from({ length: pool.tasks }, (_, task) => stage.id(task))

/** An answer, or what went wrong instead of it. */
const answer = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<ReadonlyArray<unknown>> =>
  Effect.map(
    Effect.exit(effect),
    Exit.match({
      onSuccess: (value) => Array.isArray(value) ? value : [value],
      onFailure: (cause) => [`it failed: ${Cause.pretty(cause).split("\n")[0]}`],
    }),
  )

const difference = (
  at: number,
  what: string,
  expected: ReadonlyArray<unknown>,
  actual: ReadonlyArray<unknown>,
  memory: Memory,
): Difference | undefined => {
  if (show(expected) === show(actual)) return undefined
  const [left, right] = [facts(expected), facts(actual)]
  const only = (some: ReadonlyArray<string>, others: ReadonlyArray<string>) => {
    const own = some.filter((fact) => !others.includes(fact))
    return named(memory.stage, own).join("\n         ") || "nothing of that"
  }
  return { at, what, expected: only(left, right), actual: only(right, left) }
}

/** The single facts of an answer, such as `task 3 history 0 kind: "failed"`. */
const facts = (value: unknown, path: ReadonlyArray<string> = []): ReadonlyArray<string> => {
  if (typeof value !== "object" || value === null) {
    return value === undefined ? [] : [`${path.join(" ")}: ${show(value)}`]
  }
  return Object.entries(value).flatMap(([key, member]) => {
    const { id = key } = typeof member === "object" && member !== null && "id" in member
      ? member
      : {}
    return facts(member, [...path, String(id)])
  })
}

/** Puts the numbers of a program in place of the names of its trial. */
const named = (stage: Stage, lines: ReadonlyArray<string>) =>
  lines.map((line) =>
    line
      .replaceAll(stage.queue, "queue 0")
      .replaceAll(stage.otherQueue, "queue 1")
      .replaceAll(flowOf(stage), "the flow")
      .replaceAll(
        new RegExp(`${stage.id(0).slice(0, -6)}([0-9a-f]{6})`, "g"),
        (_, digits: string) => `task ${Number.parseInt(digits, 16)}`,
      )
  )
