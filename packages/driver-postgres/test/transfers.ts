/** Transfers between accounts: the job, its handler, and the books that must balance. */
import { Job, Transaction } from "@millrace/core"
import { Postgres } from "@millrace/driver-postgres"
import { eq, sql } from "drizzle-orm"
import { integer, pgSchema, text } from "drizzle-orm/pg-core"
import { Effect, Schema } from "effect"

export const accounts = 40
export const opening = 1000

export class Transfer extends Job.make("transfer", {
  input: { from: Schema.Int, to: Schema.Int, amount: Schema.Int },
  output: { balance: Schema.Int },
  maxCrashes: 100,
}) {}

/** Follows each transfer: enqueued by it, exactly once. */
export class Receipt extends Job.make("receipt", { input: { transfer: Schema.String } }) {}

/** Nothing in these tables keeps a transfer from being written twice. */
const tables = (schema: string) => ({
  account: pgSchema(schema).table("account", { id: integer("id"), balance: integer("balance") }),
  ledger: pgSchema(schema).table("ledger", {
    transfer: text("transfer"),
    amount: integer("amount"),
  }),
})

export const createTables = (schema: string): ReadonlyArray<string> => [
  `create table "${schema}".account (id int primary key, balance int not null)`,
  `create table "${schema}".ledger (transfer text not null, amount int not null)`,
  `insert into "${schema}".account select n, ${opening} from generate_series(1, ${accounts}) n`,
]

/** Moves money, writes it into the ledger, enqueues the receipt, and completes: all or nothing. */
export const handlers = (schema: string) => {
  const { account, ledger } = tables(schema)
  const add = (id: number, amount: number) =>
    Effect.map(
      Postgres.query((tx) =>
        tx.update(account).set({ balance: sql`${account.balance} + ${amount}` })
          .where(eq(account.id, id)).returning({ balance: account.balance })
      ),
      ([row]) => row!.balance!,
    )
  const transfer = Transfer.perform(({ from, to, amount }, { runId }) =>
    Transaction.complete(
      Effect.gen(function* () {
        const balance = yield* add(from, -amount)
        yield* add(to, amount)
        yield* Postgres.query((tx) => tx.insert(ledger).values({ transfer: runId, amount }))
        yield* Receipt.enqueue({ transfer: runId })
        return { balance }
      }).pipe(Effect.orDie),
    )
  )
  return [transfer, Receipt.perform(() => Effect.void)] as const
}
