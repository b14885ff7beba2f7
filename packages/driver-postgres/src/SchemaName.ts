/**
 * The name of the database schema that Millrace's tables live in: validated, and quoted for SQL.
 *
 * @since 0.1.0
 */
import { DriverError } from "@millrace/core"
import { Effect } from "effect"

const pattern = /^[a-z_][a-z0-9_]*$/

/** The longest schema name, in characters.
 * @category limits
 * @since 0.1.0 */
export const maxLength = 48

/** The schema that is used where none is named.
 * @category constants
 * @since 0.1.0 */
export const defaultName = "millrace"

/** Tells whether a text can be the name of a schema: a slug of at most 48 characters.
 * @category guards
 * @since 0.1.0 */
export const isSchemaName = (name: unknown): name is string =>
  typeof name === "string" && name.length <= maxLength && pattern.test(name) &&
  !name.startsWith("pg_")

/** Answers the name, or refuses it with a line that says what is accepted.
 * @category guards
 * @since 0.1.0 */
export const validated = (name: unknown): Effect.Effect<string, DriverError> =>
  isSchemaName(name) ? Effect.succeed(name) : Effect.fail(DriverError.rejected(
    "open a schema",
    `schema must be lower-case letters, digits and underscores, not starting with a digit or ` +
      `"pg_", at most ${maxLength} characters, got ${shown(name)}`,
  ))

/** Quotes an identifier for SQL.
 * @category conversions
 * @since 0.1.0 */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

const shown = (name: unknown): string =>
  typeof name === "string" ? JSON.stringify(name.slice(0, 2 * maxLength)) : typeof name
