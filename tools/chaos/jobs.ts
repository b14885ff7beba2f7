/** The jobs of the soak: they end in every way, and leave traces that can be counted. */
import { Job, Transaction } from "@millrace/core"
import { Postgres } from "@millrace/driver-postgres"
import { sql } from "drizzle-orm"
import { Effect, Schema } from "effect"

export const kinds = ["quick", "slow", "mends", "fails", "hangs", "fenced", "commits"] as const

export class Chore extends Job.make("chore", {
  input: { kind: Schema.Literals(kinds) },
  error: Schema.String,
  maxAttempts: 3,
  maxCrashes: 50,
  baseDelay: "200 millis",
  timeout: "5 seconds",
}) {}

/** Follows each chore that commits: enqueued by it in its transaction, so exactly once. */
export class Echo extends Job.make("echo", { input: { of: Schema.String }, maxCrashes: 50 }) {}

/** The tables beside Millrace's own; nothing in the second keeps a run from being written twice. */
export const tables: ReadonlyArray<string> = [
  "create table chaos_fenced (run uuid primary key, fence int not null, writes int not null)",
  "create table chaos_committed (run uuid not null, fence int not null)",
]

const write = (query: ReturnType<typeof sql>) => Effect.orDie(Postgres.execute(query))

/** An external system with a fence: it refuses a number that is not higher than the last. */
const fenced = (run: string, fence: number) =>
  Effect.orDie(Transaction.run(write(sql`
    insert into chaos_fenced values (${run}::uuid, ${fence}, 1)
    on conflict (run) do update set fence = excluded.fence, writes = chaos_fenced.writes + 1
    where chaos_fenced.fence < excluded.fence
  `)))

/** Writes, enqueues and completes in one transaction. */
const committed = (run: string, fence: number) =>
  Transaction.complete(
    Effect.asVoid(Effect.andThen(
      write(sql`insert into chaos_committed values (${run}::uuid, ${fence})`),
      Effect.orDie(Echo.enqueue({ of: run })),
    )),
  )

export const handlers = [
  Chore.perform(({ kind }, { runId, fence, attempt }) => {
    switch (kind) {
      case "quick":
        return Effect.void
      case "slow":
        return Effect.sleep("700 millis")
      case "mends":
        return attempt < 3 ? Effect.fail("not yet") : Effect.void
      case "fails":
        return Effect.fail("never")
      case "hangs":
        return attempt === 1 ? Effect.never : Effect.void
      case "fenced":
        return Effect.andThen(Effect.sleep("50 millis"), fenced(runId, fence))
      case "commits":
        return committed(runId, fence)
    }
  }),
  Echo.perform(() => Effect.void),
] as const
