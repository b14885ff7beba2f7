/**
 * The driver for a PostgreSQL server.
 *
 * @since 0.1.0
 */
import { DriverError } from "@millrace/core"
import { Config, Effect, Layer, Redacted } from "effect"
import { toDriverError } from "./DatabaseError.ts"
import * as PostgresConnection from "./PostgresConnection.ts"
import * as SchemaName from "./SchemaName.ts"
import * as SqlDriver from "./SqlDriver.ts"
import type { ClockSource } from "./Store.ts"

export type { Database, Transactable } from "./Begin.ts"
export type { Executor, RawTransaction } from "./Executor.ts"
export { execute, layerTransactions, query, QueryError, within } from "./Within.ts"

/**
 * How to use a server.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Such as `postgres://user:password@host:5432/database`. */
  readonly url: string | Redacted.Redacted<string>
  /** The schema of the tables, created where it is missing (default `millrace`). */
  readonly schema?: string | undefined
  /** At most so many connections, besides one that listens (default 4). */
  readonly maxConnections?: number | undefined
  /**
   * At most so many transactions of `Transaction.run` and `Transaction.complete` at a time, each on
   * a connection of its own that is opened when it is needed (default 4).
   */
  readonly maxTransactions?: number | undefined
  /** Whose time counts (default `database`). */
  readonly clock?: ClockSource | undefined
  /** Whether to create the tables and bring them up to date (default `true`). */
  readonly migrate?: boolean | undefined
  /** Whether statements are prepared (default `true`); not every pooler can keep them. */
  readonly prepare?: boolean | undefined
}

/**
 * Provides the driver for a PostgreSQL server of version 14 or later.
 *
 * **Details**
 *
 * Fails with a `DriverError`: `Rejected` where somebody must change something (the URL, the rights,
 * the version), `Unavailable` where the server cannot be reached. Once provided, it reconnects by
 * itself.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<SqlDriver.Provided, DriverError> =>
  Layer.effectContext(Effect.suspend(() => make(options)))

/**
 * Provides the driver for the server that `DATABASE_URL` names.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  options?: Omit<Options, "url">,
): Layer.Layer<SqlDriver.Provided, DriverError> =>
  Layer.unwrap(Effect.map(configuredUrl, (url) => layer({ ...options, url })))

const make = Effect.fnUntraced(function* (options: Options) {
  const schema = yield* SchemaName.validated(options.schema ?? SchemaName.defaultName)
  const { maxConnections = 4, maxTransactions = 4 } = options
  for (const [name, count] of Object.entries({ maxConnections, maxTransactions })) {
    if (!Number.isInteger(count) || count < 1 || count > 1000) {
      return yield* refuse(`${name} must be an integer from 1 to 1000, got ${count}`)
    }
  }
  const url = yield* validUrl(options.url)
  const connection = yield* Effect.acquireRelease(
    Effect.try({
      try: () =>
        PostgresConnection.make({
          url,
          maxConnections,
          prepare: options.prepare ?? true,
          maxTransactions,
          answerMillis: 30_000,
        }),
      catch: (error) => toDriverError(operation, error),
    }),
    (connection) => Effect.promise(() => connection.close().catch(() => undefined)),
  )
  return yield* SqlDriver.make(connection, {
    name: "postgres",
    schema,
    clock: options.clock ?? "database",
    migrate: options.migrate ?? true,
  })
})

const operation = "connect to PostgreSQL"

const refuse = (detail: string) => DriverError.rejected(operation, detail)

const form = "postgres://user:password@host:5432/database"

// The URL holds a password, so no part of it is repeated.
const validUrl = (given: string | Redacted.Redacted<string>, name = "url") => {
  const url = typeof given === "string" ? given : Redacted.value(given)
  return /^postgres(?:ql)?:\/\/./.test(url) && URL.canParse(url.replace(/,[^/@]*(?=[/?]|$)/, ""))
    ? Effect.succeed(url)
    : Effect.fail(refuse(`${name} is not a PostgreSQL URL; give one such as ${form}`))
}

const configuredUrl = Effect.gen(function* () {
  const url = yield* Config.Redacted("DATABASE_URL").pipe(
    Effect.mapError(() => refuse(`DATABASE_URL is not set; set it to one such as ${form}`)),
  )
  yield* validUrl(url, "DATABASE_URL")
  return url
})
