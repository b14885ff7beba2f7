/**
 * What a database client throws, as the driver's error: whether trying again can help, and one line
 * that holds neither parameters nor a password.
 *
 * @since 0.1.0
 */
import { DriverError } from "@millrace/core"

/** Thrown by the driver's own clients where the database did not answer in time.
 * @category errors
 * @since 0.1.0 */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer"
  readonly code = "NO_ANSWER"
}

/** The code of what a unique index refused.
 * @category constants
 * @since 0.1.0 */
export const uniqueViolation = "23505"

/** Reads the code of a database error, also where a query builder wrapped it.
 * @category conversions
 * @since 0.1.0 */
export const codeOf = (error: unknown): string | undefined => rootOf(error)?.code

/** Reads which constraint refused a statement.
 * @category conversions
 * @since 0.1.0 */
export const constraintOf = (error: unknown): string | undefined => rootOf(error)?.constraint

/** Whether a transaction that failed so may well succeed when it is simply repeated.
 * @category guards
 * @since 0.1.0 */
export const isConflict = (error: unknown): boolean => {
  const code = codeOf(error)
  return code === "40001" || code === "40P01"
}

/** Whether a code says that the connection is gone, or the server.
 * @category guards
 * @since 0.1.0 */
export const isLostConnection = (code: string): boolean =>
  /^(?:08(?!P01)|57P0|CONNECTION_|CONNECT_|NO_ANSWER$|E[A-Z]+$)/.test(code)

/** Makes the driver's error.
 * @category conversions
 * @since 0.1.0 */
export const toDriverError = (operation: string, error: unknown): DriverError => {
  if (error instanceof DriverError) return error
  const root = rootOf(error)
  const code = root?.code
  if (code === undefined) {
    const name = error instanceof Error ? error.name : typeof error
    return DriverError.unavailable(operation, `the database client failed (${name})`)
  }
  const rejected = rejections[code]
  if (rejected !== undefined) return DriverError.rejected(operation, `${rejected} (${code})`)
  const detail = outages[code]
  if (detail !== undefined) return DriverError.unavailable(operation, `${detail} (${code})`)
  if (/^(?:08|40|53|55|57|58)/.test(code)) {
    return DriverError.unavailable(operation, `the database is not available (${code})`)
  }
  if (/^(?:[A-Z_]+|[A-Z]{2}\d*)$/.test(code) && !/^XX/.test(code)) {
    return DriverError.unavailable(operation, `the database cannot be reached (${code})`)
  }
  if (/^22/.test(code)) {
    return DriverError.rejected(operation, `a value cannot be stored (${code})`)
  }
  return DriverError.rejected(operation, `the database refused the statement (${code})`)
}

// By SQLSTATE. The server's own words are not repeated: they can quote values.
const rejections: Readonly<Record<string, string>> = {
  "28P01": "the password is wrong; check the user and the password of the URL",
  "28000": "the server refuses this user; check the user of the URL and the server's pg_hba.conf",
  "3D000": "the database does not exist; create it, or check the name at the end of the URL",
  "3F000": "the schema does not exist; open it once with migrate: true",
  "42P01": "a table is missing; open the schema once with migrate: true",
  "42703": "a column is missing; was the schema changed by hand?",
  "42501":
    "the database user lacks a right; grant it usage of the schema and its tables, or create",
  "22021": "a text holds a NUL character or is not UTF-8",
  "22P02": "an id is not a UUID, or a JSON text is malformed",
  "25006": "the server is read-only; use the URL of the primary server",
  "25P02": "the transaction had failed before; roll it back",
  SASL_SIGNATURE_MISMATCH: "the server could not prove who it is",
  ERR_INVALID_URL: "the URL is malformed",
}

const outages: Readonly<Record<string, string>> = {
  NO_ANSWER: "the server does not answer",
  ECONNREFUSED: "nothing listens at the server's address",
  ENOTFOUND: "the server's name cannot be resolved",
  CONNECT_TIMEOUT: "the server does not answer",
  CONNECTION_CLOSED: "the connection was closed",
  CONNECTION_ENDED: "the driver was closed",
  CONNECTION_DESTROYED: "the connection was closed",
  "53300": "the server has too many connections",
  "57P01": "the server is shutting down",
  "57P03": "the server is starting up",
  "57014": "the statement took too long",
  "40P01": "the statement was in a deadlock",
  "40001": "the statement conflicted with another",
}

interface Coded {
  readonly code: string
  readonly constraint: string | undefined
}

// The code of the innermost cause that has one; several attempts to connect come as one error.
const rootOf = (error: unknown): Coded | undefined => {
  let found: Coded | undefined
  let current = error
  for (let depth = 0; depth < 8 && typeof current === "object" && current !== null; depth++) {
    const { code, cause, errors, constraint, constraint_name } = current as {
      readonly code?: unknown
      readonly constraint?: unknown
      readonly constraint_name?: unknown
      readonly cause?: unknown
      readonly errors?: unknown
    }
    if (typeof code === "string" && code !== "") {
      const name = constraint ?? constraint_name
      found = { code, constraint: typeof name === "string" ? name : undefined }
    }
    current = cause ?? (found === undefined && Array.isArray(errors) ? errors[0] : undefined)
  }
  return found
}
