/**
 * Arrays as text: the one form that every PostgreSQL client and pooler passes on unchanged.
 *
 * @since 0.1.0
 */

/** What can stand in an array that goes down as text; `undefined` is NULL, as `null` is.
 * @category models
 * @since 0.1.0 */
export type Element = string | number | boolean | null | undefined

const special = /["\\]/
const specials = /["\\]/g

/**
 * Writes values as a PostgreSQL array literal, to be cast inside the statement: `$1::text::uuid[]`.
 *
 * **Example** (Quotes, backslashes and NULL)
 *
 * ```ts
 * import { deepStrictEqual } from "node:assert/strict"
 * import { ArrayLiteral } from "@millrace/driver-postgres"
 *
 * const text = ArrayLiteral.arrayLiteral(["a", null, 'say "hi"'])
 * deepStrictEqual(text, String.raw`{"a",NULL,"say \"hi\""}`)
 * ```
 *
 * @category conversions
 * @since 0.1.0
 */
export const arrayLiteral = (values: ReadonlyArray<Element>): string => {
  if (values.length > 1 && values.every(isJoinable)) {
    // Many texts at once: two passes over one long text cost less than one over each.
    const joined = values.join(separator).replace(specials, "\\$&")
    return `{"${joined.replaceAll(separator, `","`)}"}`
  }
  let text = "{"
  for (let index = 0; index < values.length; index++) {
    if (index > 0) text += ","
    text += elementLiteral(values[index])
  }
  return text + "}"
}

const separator = "\u001f"

const isJoinable = (value: Element): boolean =>
  typeof value === "string" && !value.includes(separator)

/**
 * Writes one value as it stands in a literal. Every string is quoted, so that "", "NULL", commas,
 * braces and blanks need no thought.
 *
 * @category conversions
 * @since 0.1.0
 */
export const elementLiteral = (value: Element): string => {
  if (value === null || value === undefined) return "NULL"
  if (typeof value !== "string") return String(value)
  return special.test(value) ? `"${value.replace(specials, "\\$&")}"` : `"${value}"`
}
