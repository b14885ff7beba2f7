/**
 * What the commands that only look ask of a driver.
 *
 * @since 0.1.0
 */
import type { Driver } from "@millrace/core"
import { Effect } from "effect"
import type { Stage } from "../conformance/fixtures.ts"
import type { Command } from "./Command.ts"
import { listOf, queryOf, queueOf } from "./Naming.ts"
import * as Normal from "./Normal.ts"

type Look = Extract<Command, { _tag: "Find" | "List" | "Queues" }>

/** Asks, and puts the answer in one form.
 * @category conversions
 * @since 0.1.0 */
export const looking =
  (stage: Stage, command: Look, now: number) =>
  (driver: Driver.Driver["Service"]): Effect.Effect<unknown, unknown> => {
    if (command._tag === "Queues") {
      const own = new Set([queueOf(stage, 0), queueOf(stage, 1)])
      return Effect.map(
        driver.queues,
        (all) => Normal.queues(all.filter(({ queue }) => own.has(queue))),
      )
    }
    const query = command._tag === "Find" ? queryOf(stage, command) : listOf(stage, command, now)
    return Effect.map(driver.find(query), (found) => found.map((one) => Normal.record(one, now)))
  }
