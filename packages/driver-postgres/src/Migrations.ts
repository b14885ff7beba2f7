/**
 * Bringing a schema to the version that this code knows: by any number of processes at once, each
 * step once.
 *
 * @since 0.1.0
 */
import { DriverError } from "@millrace/core"
import { Effect } from "effect"
import { attempt, type Connection, type Query } from "./Connection.ts"
import { migration as migration0001 } from "./migrations/0001.ts"
import { migration as migration0002 } from "./migrations/0002.ts"
import { migration as migration0003 } from "./migrations/0003.ts"
import { migration as migration0004 } from "./migrations/0004.ts"
import { migration as migration0005 } from "./migrations/0005.ts"
import { migration as migration0006 } from "./migrations/0006.ts"
import { migration as migration0007 } from "./migrations/0007.ts"
import { migration as migration0008 } from "./migrations/0008.ts"
import { migration as migration0009 } from "./migrations/0009.ts"
import { migration as migration0010 } from "./migrations/0010.ts"
import { migration as migration0011 } from "./migrations/0011.ts"
import * as SchemaName from "./SchemaName.ts"

/**
 * One step. `{schema}` in a statement stands for the quoted name.
 *
 * @category models
 * @since 0.1.0
 */
export interface Migration {
  readonly version: number
  readonly name: string
  readonly statements: ReadonlyArray<string>
}

/** All steps, oldest first.
 * @category migrations
 * @since 0.1.0 */
export const migrations: ReadonlyArray<Migration> = [
  migration0001,
  migration0002,
  migration0003,
  migration0004,
  migration0005,
  migration0006,
  migration0007,
  migration0008,
  migration0009,
  migration0010,
  migration0011,
]

/** The version that this code knows.
 * @category migrations
 * @since 0.1.0 */
export const knownVersion: number = migrations.at(-1)!.version

/**
 * Brings a schema up to date, or says why it cannot be used. A schema that is up to date is only
 * looked at.
 *
 * @category running
 * @since 0.1.0
 */
export const migrate = Effect.fnUntraced(function* (
  connection: Connection,
  schemaName: string,
): Effect.fn.Return<void, DriverError> {
  const operation = `open schema "${schemaName}"`
  const version = yield* attempt(operation, () => versionOf(connection.query, schemaName))
  if (version > knownVersion) return yield* newer(operation, version)
  if (version === knownVersion) return
  const reached = yield* attempt(
    operation,
    () => connection.transaction((query) => migrateLocked(query, schemaName)),
  )
  if (reached > knownVersion) return yield* newer(operation, reached)
})

/**
 * Says why a schema cannot be used as it is, and changes nothing.
 *
 * @category running
 * @since 0.1.0
 */
export const check = Effect.fnUntraced(function* (
  connection: Connection,
  schemaName: string,
): Effect.fn.Return<void, DriverError> {
  const operation = `open schema "${schemaName}"`
  const version = yield* attempt(operation, () => versionOf(connection.query, schemaName))
  if (version > knownVersion) return yield* newer(operation, version)
  if (version < knownVersion) {
    return yield* DriverError.rejected(
      operation,
      `${
        version === 0 ? "it does not exist" : `it is at version ${version}`
      }, but this code needs ` +
        `version ${knownVersion}; open it once with migrate: true`,
    )
  }
})

const newer = (operation: string, version: number) =>
  DriverError.rejected(
    operation,
    `it is at version ${version}, but this code knows version ${knownVersion}; upgrade Millrace`,
  )

const versionOf = async (query: Query, schemaName: string): Promise<number> => {
  const schema = SchemaName.quoted(schemaName)
  // Not `to_regclass`: inside a transaction it answers from a cache that does not know what others
  // just committed.
  const [table] = await query(
    `select exists (
      select 1 from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where n.nspname = $1::text and c.relname = 'migrations'
    ) as there`,
    [schemaName],
  )
  if (table?.there !== true) return 0
  const [row] = await query(
    `select coalesce(max(version), 0)::int as version from ${schema}.migrations`,
    [],
  )
  return Number(row?.version ?? 0)
}

// The lock is the transaction's, so that it goes with it, and is the same for all that name the
// schema.
const migrateLocked = async (query: Query, schemaName: string): Promise<number> => {
  const schema = SchemaName.quoted(schemaName)
  await query("select pg_advisory_xact_lock(hashtextextended('millrace ' || $1::text, 0))", [
    schemaName,
  ])
  const version = await versionOf(query, schemaName)
  if (version >= knownVersion) return version
  if (version === 0) {
    await query(`create schema if not exists ${schema}`, [])
    await query(
      `create table if not exists ${schema}.migrations (
        version int primary key,
        name text not null,
        applied_at timestamptz not null default clock_timestamp()
      )`,
      [],
    )
  }
  for (const migration of migrations) {
    if (migration.version <= version) continue
    for (const statement of migration.statements) {
      await query(statement.replaceAll("{schema}", schema), [])
    }
    await query(
      `insert into ${schema}.migrations (version, name) values ($1::text::int, $2::text)`,
      [String(migration.version), migration.name],
    )
  }
  return knownVersion
}
