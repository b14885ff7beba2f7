/** Money that moves once: a handler whose writes, follow-up and outcome commit together. */
import { Job, Transaction, Worker } from "@millrace/core"
import { Embedded, Postgres, Tables } from "@millrace/driver-postgres"
import { eq, sql } from "drizzle-orm"
import { integer, pgTable, text } from "drizzle-orm/pg-core"
import { Console, Effect, Layer, References, Schema } from "effect"

const accounts = pgTable("accounts", {
  owner: text("owner").primaryKey(),
  cents: integer("cents").notNull(),
})

class Overdrawn extends Schema.TaggedError<Overdrawn>()("Overdrawn", { owner: Schema.String }) {}

class Transfer extends Job.make("transfer", {
  input: { from: Schema.String, to: Schema.String, cents: Schema.Int },
  output: { left: Schema.Int },
  error: Overdrawn,
}) {}

class Receipt extends Job.make("receipt", { input: Schema.String }) {}

/** Adds to an account and answers what it holds then; PostgreSQL refuses what is below zero. */
const add = (owner: string, cents: number) =>
  Postgres.query((tx) =>
    tx.update(accounts).set({ cents: sql`${accounts.cents} + ${cents}` })
      .where(eq(accounts.owner, owner)).returning()
  ).pipe(
    Effect.map(([row]) => row?.cents ?? 0),
    Effect.catchTag(
      "QueryError",
      (error) =>
        error.constraint === "not_overdrawn"
          ? Effect.fail(new Overdrawn({ owner }))
          : Effect.die(error),
    ),
  )

// Killed at any moment and run again, it moves the money once, and enqueues one receipt.
const transfer = Transfer.perform(({ from, to, cents }) =>
  Transaction.complete(
    Effect.gen(function* () {
      yield* add(to, cents)
      yield* Effect.orDie(Receipt.enqueue(`${cents} cents from ${from} to ${to}`))
      return { left: yield* add(from, -cents) }
    }),
  )
)

const receipt = Receipt.perform((line) => Effect.logInfo(line))

const balances = Transaction.run(
  Postgres.query((tx) => tx.select().from(accounts).orderBy(accounts.owner)),
)

const { tasks } = Tables.tables()

const receipts = Transaction.run(
  Postgres.query((tx) => tx.$count(tasks, eq(tasks.flow, Receipt.slug))),
)

const program = Effect.gen(function* () {
  // What the web server does: the account and the transfer that fills it, or neither of them.
  const open = (owner: string, cents: number) =>
    Effect.andThen(
      Postgres.query((tx) => tx.insert(accounts).values({ owner, cents: 0 })),
      Transfer.enqueue({ from: "bank", to: owner, cents }),
    )
  const id = yield* Transaction.run(open("ada", 500))
  const again = yield* Effect.flip(Transaction.run(open("ada", 500)))
  yield* Console.log(again.message)

  yield* Console.log(`the bank has ${(yield* Transfer.await(id)).left} left`)
  const { left } = yield* Transfer.run({ from: "ada", to: "bank", cents: 200 })
  yield* Console.log(`ada has ${left} left`)
  const failed = yield* Effect.flip(Transfer.run({ from: "ada", to: "bank", cents: 301 }))
  yield* Console.log(
    failed._tag === "RunFailed" ? `refused: ${failed.error?._tag}` : failed.message,
  )
  const rows = yield* balances
  yield* Console.log(rows.map(({ owner, cents }) => `${owner}: ${cents}`).join(", "))
  yield* Console.log(`receipts: ${yield* receipts}`)
})

const setup = Transaction.run(Effect.gen(function* () {
  yield* Postgres.query((tx) =>
    tx.execute(sql`create table accounts (owner text primary key,
      cents int not null constraint not_overdrawn check (cents >= 0))`)
  )
  yield* Postgres.query((tx) => tx.insert(accounts).values({ owner: "bank", cents: 10_000 }))
}))

const live = Worker.layer({ jobs: [transfer, receipt] }).pipe(
  Layer.provideMerge(Layer.effectDiscard(setup)),
  Layer.provideMerge(Embedded.layer({ directory: undefined })), // or Postgres.layer({ url })
)
await Effect.runPromise(
  program.pipe(Effect.provide(live), Effect.provideService(References.MinimumLogLevel, "None")),
)
