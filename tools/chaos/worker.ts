/** A worker of the soak, to be killed and paused: `worker.ts URL NAME LEASE`, on Bun and on Deno. */
import { Worker } from "@millrace/core"
import { Postgres } from "@millrace/driver-postgres"
import { Effect, Layer, References } from "effect"
import process from "node:process"
import { handlers } from "./jobs.ts"

const [url, name, lease] = process.argv.slice(2) as [string, string, string]

// Read by the fleet: from here on the worker has no reason to end by itself.
const until = Effect.andThen(Effect.sync(() => process.stdout.write("serves\n")), Effect.never)

Worker.run(
  { jobs: handlers, name, concurrency: 8, lease: Number(lease), pollInterval: "500 millis", until },
  Layer.provideMerge(
    Postgres.layer({ url }),
    Layer.succeed(References.MinimumLogLevel, "None"),
  ),
)
