/**
 * One run of a program against two drivers, compared after each command.
 *
 * @since 0.1.0
 */
import { Driver, RunId, ScheduleStore } from "@millrace/core"
import { MemoryDriver } from "@millrace/driver-memory"
import { Cause, Clock, Effect, Exit } from "effect"
import { TestClock } from "effect/testing"
import { isSame, show } from "../conformance/expect.ts"
import { emptied, everything, Stage } from "../conformance/fixtures.ts"
import { unscheduled } from "../conformance/schedules.ts"
import { asked, begin, idsOf, type Memory, note } from "./Asking.ts"
import type { Command } from "./Command.ts"
import { flowOf } from "./Naming.ts"
import * as Normal from "./Normal.ts"

/**
 * Who is asked: a driver, and its storage of schedules.
 *
 * @category models
 * @since 0.1.0
 */
export interface Subject {
  readonly driver: Driver.Driver["Service"]
  readonly schedules: ScheduleStore.ScheduleStore["Service"]
}

/** The subject that is provided.
 * @category models
 * @since 0.1.0 */
export const provided: Effect.Effect<
  Subject,
  never,
  Driver.Driver | ScheduleStore.ScheduleStore
> = Effect.all({ driver: Driver.Driver, schedules: ScheduleStore.ScheduleStore })

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
  subject: Subject,
): Effect.Effect<Difference | undefined> =>
  Effect.gen(function* () {
    const base = yield* RunId.make
    // What a broken driver cannot remove must not hide how it is broken.
    yield* Effect.ignore(emptied(subject.driver))
    yield* Effect.ignore(unscheduled(subject.schedules))
    return yield* Effect.provide(compare(program, subject, base), TestClock.layer())
  })

const compare = Effect.fnUntraced(function* (
  program: ReadonlyArray<Command>,
  subject: Subject,
  base: string,
) {
  const model: Subject = yield* MemoryDriver.open
  const memory = begin(new Stage(model.driver, base))
  for (const [at, command] of program.entries()) {
    const now = yield* Clock.currentTimeMillis
    const ask = asked(memory, command, now)
    if (ask === undefined) {
      if (command._tag === "Advance") yield* TestClock.adjust(command.millis)
      continue
    }
    const expected = yield* answer(ask(model.driver, model.schedules))
    const actual = yield* answer(ask(subject.driver, subject.schedules))
    const told = difference(at, "the answers differ", expected, actual, memory)
    if (told !== undefined) return told
    note(memory, yield* Effect.orDie(model.driver.progress(idsOf(memory))))
    const [left, right] = [
      yield* snapshot(model, memory, now),
      yield* snapshot(subject, memory, now),
    ]
    const found = difference(at, "what is stored differs afterwards", left, right, memory)
    if (found !== undefined) return found
  }
  return undefined
})

const snapshot = ({ driver, schedules }: Subject, memory: Memory, now: number) =>
  answer(Effect.map(
    Effect.all([
      driver.find({ flow: flowOf(memory.stage), limit: everything }),
      driver.progress(idsOf(memory)),
      schedules.find({ limit: everything }),
    ]),
    ([found, progress, { rows }]) => [
      ...found.map((one) => Normal.record(one, now)),
      ...Normal.progress(progress),
      ...rows.map((row) => ({ ...row, id: `schedule ${row.name}` })),
    ],
  ))

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
  if (isSame(expected, actual)) return undefined
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
