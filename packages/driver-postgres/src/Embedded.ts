/**
 * The driver for PostgreSQL embedded in this process, in a folder: durable, with nothing to install
 * or to start.
 *
 * @since 0.1.0
 */
import type { DriverError } from "@millrace/core"
import { Effect, Layer } from "effect"
import { join } from "node:path"
import { attempt, type Connection } from "./Connection.ts"
import * as DirectoryLock from "./DirectoryLock.ts"
import * as PgliteConnection from "./PgliteConnection.ts"
import * as SchemaName from "./SchemaName.ts"
import * as SqlDriver from "./SqlDriver.ts"
import type { ClockSource } from "./Store.ts"

/**
 * How to embed a database.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The folder, made where it is missing; `undefined` for a database in memory. */
  readonly directory: string | undefined
  /** The schema of the tables (default `millrace`). */
  readonly schema?: string | undefined
  /** Whose time counts (default `database`). */
  readonly clock?: ClockSource | undefined
  /** Whether to create the tables and bring them up to date (default `true`). */
  readonly migrate?: boolean | undefined
}

/**
 * Provides the driver for an embedded database.
 *
 * **Details**
 *
 * A folder belongs to one process at a time: a second one is refused, and a folder whose process
 * was killed is taken over. Needs the package `@electric-sql/pglite`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<SqlDriver.Provided, DriverError> =>
  Layer.effectContext(Effect.suspend(() => make(options)))

/**
 * Provides the driver for a PGlite that the caller has opened and will close, such as one that
 * holds the caller's own tables: a Drizzle transaction on it can enqueue.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerClient = (
  client: PgliteConnection.Client,
  options: Omit<Options, "directory"> = {},
): Layer.Layer<SqlDriver.Provided, DriverError> =>
  Layer.effectContext(
    Effect.suspend(() => makeDriver(PgliteConnection.over(client), options)),
  )

const make = Effect.fnUntraced(function* (options: Options) {
  yield* SchemaName.validated(options.schema ?? SchemaName.defaultName)
  const { directory } = options
  if (directory !== undefined) yield* DirectoryLock.acquire(directory)
  const connection = yield* Effect.acquireRelease(
    attempt(
      directory === undefined ? "open the embedded database" : `open "${directory}"`,
      () => PgliteConnection.open(directory === undefined ? undefined : join(directory, "data")),
    ),
    (connection) => Effect.promise(() => connection.close().catch(() => undefined)),
  )
  return yield* makeDriver(connection, options)
})

const makeDriver = Effect.fnUntraced(function* (
  connection: Connection,
  options: Omit<Options, "directory">,
) {
  const schema = yield* SchemaName.validated(options.schema ?? SchemaName.defaultName)
  return yield* SqlDriver.make(connection, {
    name: "embedded",
    schema,
    clock: options.clock ?? "database",
    migrate: options.migrate ?? true,
  })
})
