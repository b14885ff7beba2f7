/**
 * The PostgreSQL driver: a server over postgres.js, or PGlite embedded in a folder; and its tables
 * for Drizzle.
 *
 * @since 0.1.0
 */
export * as ArrayLiteral from "./ArrayLiteral.ts"
export * as Embedded from "./Embedded.ts"
export * as Migrations from "./Migrations.ts"
export * as Postgres from "./Postgres.ts"
export * as SchemaName from "./SchemaName.ts"
export * as Tables from "./Tables.ts"
