/** A worker of transfers, to be killed: `transfers-worker.ts URL SCHEMA`. */
import { Worker } from "@millrace/core"
import { Postgres } from "@millrace/driver-postgres"
import { Layer, References } from "effect"
import process from "node:process"
import { handlers } from "./transfers.ts"

const [url, schema] = process.argv.slice(2) as [string, string]

Worker.run(
  { jobs: handlers(schema), concurrency: 4, lease: "1 second", pollInterval: "200 millis" },
  Layer.provideMerge(
    // Not prepared, a COMMIT is one piece for the relay to lose.
    Postgres.layer({ url, schema, migrate: false, prepare: false }),
    Layer.succeed(References.MinimumLogLevel, "None"),
  ),
)
