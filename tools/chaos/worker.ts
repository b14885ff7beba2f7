/** A worker of the soak, to be killed and paused: `worker.ts URL NAME LEASE`, on Bun and on Deno. */
import { Worker } from "@millrace/core"
import { Postgres } from "@millrace/driver-postgres"
import { Layer, References } from "effect"
import process from "node:process"
import { handlers } from "./jobs.ts"

const [url, name, lease] = process.argv.slice(2) as [string, string, string]

Worker.run(
  { jobs: handlers, name, concurrency: 8, lease: Number(lease), pollInterval: "500 millis" },
  Layer.provideMerge(
    Postgres.layer({ url }),
    Layer.succeed(References.MinimumLogLevel, "None"),
  ),
)
