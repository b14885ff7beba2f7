import type { Query } from "@millrace/driver-postgres/Connection"
import { Holdings } from "@millrace/driver-postgres/Holdings"
import * as Settling from "@millrace/driver-postgres/Settling"
import * as Statements from "@millrace/driver-postgres/Statements"
import type { Store } from "@millrace/driver-postgres/Store"
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

const storeOf = (query: Query, statements: Statements.Statements) =>
  ({
    connection: { concurrent: true, query } as never,
    statements,
    queues: undefined as never,
    limited: undefined as never,
    now: Effect.succeed(null),
  }) as unknown as Store

describe("settling a batch that ends its tasks", () => {
  const statements = Statements.make("millrace")
  const settling = async (task: ReturnType<typeof running>, wasSent: boolean) => {
    const holdings = new Holdings()
    const ticket = holdings.begin("worker", 7).add(task.id, task.lease)
    if (wasSent) holdings.send([ticket])
    const asked: Array<string> = []
    const query: Query = (text) => {
      asked.push(text)
      return text === statements.settleEnds && task.failures > 0
        ? Promise.reject(Object.assign(new Error("duplicate key"), { code: "23505" }))
        : Promise.resolve([{ written: 1, which: null }])
    }
    const settle = Settling.make(storeOf(query, statements), holdings)
    const answers = await Effect.runPromise(settle([F.completed({ ...task, ticket })]))
    return { asked, statuses: answers.map(({ status }) => status) }
  }

  it("expects no conflict, and looks for one where there was one", async () => {
    assertEquals(await settling(running(F.newId()), false), {
      asked: [statements.settleEnds],
      statuses: ["applied"],
    })
    assertEquals(await settling({ ...running(F.newId()), failures: 1 }, false), {
      asked: [statements.settleEnds, statements.settle],
      statuses: ["applied"],
    })
  })

  it("looks for one where a transaction may have settled it, or somebody waits", async () => {
    const asked = [statements.settle]
    const sent = await settling(running(F.newId()), true)
    assertEquals(sent.asked, asked)
    const awaited = await settling({ ...running(F.newId()), awaited: true }, false)
    assertEquals(awaited.asked, asked)
  })
})

describe("settling a batch of which one claim is not known", () => {
  it("is one statement, which is repeated after a deadlock", async () => {
    const statements = Statements.make("millrace")
    const [known, unknown] = [running(F.newId()), running(F.newId())]
    const holdings = new Holdings()
    const ticket = holdings.begin("worker", 7).add(known.id, known.lease)
    const asked: Array<string> = []
    const query: Query = (text) => {
      asked.push(text)
      return asked.length === 1
        ? Promise.reject(Object.assign(new Error("deadlock detected"), { code: "40P01" }))
        : Promise.resolve([known, unknown].map(({ id }) => ({ task_id: id, lease: 1 })))
    }
    const settle = Settling.make(storeOf(query, statements), holdings)
    const changes = [{ ...known, ticket }, unknown].map(F.completed)
    const answers = await Effect.runPromise(settle(changes))
    assertEquals(asked, [statements.apply, statements.apply])
    assertEquals(answers.map(({ status }) => status), ["applied", "applied"])
    // The claim is over, and is deleted with the next statement that can.
    assertEquals([holdings.ticketOf(changes[0]!), holdings.endedWith([])], [undefined, [7]])
  })
})
