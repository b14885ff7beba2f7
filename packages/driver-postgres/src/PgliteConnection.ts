/**
 * A connection over PGlite: a PostgreSQL inside this process, with one session.
 *
 * @since 0.1.0
 */
import { DriverError } from "@millrace/core"
import { mkdirSync } from "node:fs"
import type { PGlite } from "@electric-sql/pglite"
import { ofDrizzle } from "./Begin.ts"
import type { Connection, Query, Row } from "./Connection.ts"
import * as PgliteStatements from "./PgliteStatements.ts"

/** What runs statements: PGlite, or a transaction of it.
 * @category models
 * @since 0.1.0 */
export interface Session {
  query(
    text: string,
    params: Array<string | null>,
    options: { readonly parsers: Record<number, (text: string) => unknown> },
  ): Promise<{ readonly rows: ReadonlyArray<unknown> }>
}

/** The part of PGlite that is used.
 * @category models
 * @since 0.1.0 */
export interface Client extends Session {
  transaction<A>(f: (session: Session) => Promise<A>): Promise<A>
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>
  close(): Promise<void>
}

const settings = `
set enable_bitmapscan = off; set enable_seqscan = off; set enable_sort = off; set jit = off;
set plan_cache_mode = force_generic_plan;`

/** Opens a folder, or a database in memory; the folder must be ours alone.
 * @category constructors
 * @since 0.1.0 */
export const open = async (directory: string | undefined): Promise<Connection> => {
  const { PGlite } = await load()
  if (directory !== undefined) mkdirSync(directory, { recursive: true })
  const database = directory === undefined
    ? await openInMemory((options) => PGlite.create({ dataDir: "memory://", ...options }))
    : await PGlite.create(directory)
  await database.exec(settings)
  return over(database)
}

// Making a database takes seconds, and copying an empty one a fifth of that. Tests open many.
const openInMemory = async (
  create: (options: { readonly loadDataDir?: Blob }) => Promise<PGlite>,
): Promise<PGlite> => {
  if (empty !== undefined) return await create({ loadDataDir: await empty })
  const database = await create({})
  if (++made > 1) {
    empty = database.dumpDataDir("none")
    // Without a copy each is made as the first one is.
    await empty.catch(() => empty = undefined)
  }
  return database
}

// Whoever opens one only needs no copy of it.
let made = 0
let empty: Promise<Blob> | undefined

const load = async () => {
  try {
    return await import("@electric-sql/pglite")
  } catch {
    throw DriverError.rejected(
      "open the embedded database",
      'the package "@electric-sql/pglite" is not installed; add it, or use Postgres.layer',
    )
  }
}

/** Makes a connection of a client; closing the one closes the other.
 * @category constructors
 * @since 0.1.0 */
export const over = (database: Client): Connection => {
  const { alone, inside } = queriesOf(database)
  return {
    concurrent: false,
    query: alone,
    transaction: (f) => database.transaction((session) => f(inside(session))),
    begin: async () => {
      const { drizzle } = await import("drizzle-orm/pglite")
      // A failed transaction is not rolled back in silence: the client says so.
      return await ofDrizzle(drizzle({ client: database as unknown as PGlite }), {
        checked: false,
      })()
    },
    listen: (channel, onNotify) => database.listen(channel, onNotify),
    close: () => database.close(),
  }
}

interface Queries {
  readonly alone: Query
  readonly inside: (session: Session) => Query
}

// What has no parameters is not run often enough to be kept.
const queriesOf = (database: Client): Queries => {
  if (!PgliteStatements.canPrepare(database)) return { alone: queryOf(database), inside: queryOf }
  const statements = PgliteStatements.of(database, load)
  const plain = queryOf(database)
  return {
    alone: (text, params) =>
      params.length === 0 ? plain(text, params) : statements.alone(text, params),
    inside: (session) => (text, params) =>
      params.length === 0 ? queryOf(session)(text, params) : statements.inside(text, params),
  }
}

// Whole numbers of 64 bits would come as another type than from a server; none is asked for.
const queryOf = (session: Session): Query => async (text, params) =>
  (await session.query(text, params as Array<string | null>, { parsers: {} }))
    .rows as ReadonlyArray<Row>
