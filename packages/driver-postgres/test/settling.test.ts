import type { Query } from "@millrace/driver-postgres/Connection"
import { Holdings } from "@millrace/driver-postgres/Holdings"
import * as Settling from "@millrace/driver-postgres/Settling"
import * as Statements from "@millrace/driver-postgres/Statements"
import { assertEquals } from "@std/assert"
import { Effect } from "effect"
import { describe, it } from "node:test"
import * as F from "./fixtures.ts"

const running = (id: string) => ({
  id,
  state: "running" as const,
  lease: 1,
  failures: 0,
  crashes: 0,
  maxAttempts: 1,
  maxCrashes: 1,
  awaited: false,
})

describe("settling, where its second statement meets a deadlock", () => {
  it("still answers that what the first one wrote was applied", async () => {
    const statements = Statements.make("millrace")
    const [known, unknown] = [running(F.newId()), running(F.newId())]
    const holdings = new Holdings()
    holdings.remember("worker", 7, [known])
    const asked: Array<string> = []
    // The database as it is: the first task's outcome stands after the first statement.
    const query: Query = (text) => {
      asked.push(text)
      const applies = asked.filter((one) => one === statements.apply).length
      if (text === statements.settle) return Promise.resolve([{ written: 1, which: null }])
      if (text === statements.entries) {
        return Promise.resolve([{ task_id: known.id, lease: 1, kind: "completed" }])
      }
      return applies === 1
        ? Promise.reject(Object.assign(new Error("deadlock detected"), { code: "40P01" }))
        : Promise.resolve([{ task_id: unknown.id, lease: 1 }])
    }
    const settle = Settling.make({
      connection: { concurrent: true, query } as never,
      statements,
      queues: undefined as never,
      now: Effect.succeed(null),
    }, holdings)
    const changes = [known, unknown].map(F.completed)
    const answers = await Effect.runPromise(settle(changes))
    assertEquals(asked, [statements.settle, statements.apply, statements.apply])
    assertEquals(answers.map(({ status }) => status), ["applied", "applied"])
  })
})
