/** The server that the tests use, and schemas of their own on it. */
import { randomBytes } from "node:crypto"
import process from "node:process"
import postgres from "postgres"

export const databaseUrl = (): string => {
  const url = process.env.DATABASE_URL
  if (!url) {
    throw new Error(
      "DATABASE_URL is not set: run `node tools/scripts/with-postgres.mjs -- bun test`",
    )
  }
  return url
}

export const schemaName = (): string => `test_${randomBytes(6).toString("hex")}`

export const connect = (max = 1): postgres.Sql =>
  postgres(databaseUrl(), { max, onnotice: () => undefined })

export const dropSchema = async (schema: string): Promise<void> => {
  const sql = connect()
  await sql.unsafe(`drop schema if exists "${schema}" cascade`)
  await sql.end()
}
