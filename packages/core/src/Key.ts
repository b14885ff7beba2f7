/**
 * Keys that a definition makes of an input: of uniqueness, and of groups.
 *
 * @since 0.1.0
 */
import * as Limits from "./Limits.ts"

/**
 * Makes a key, or says why there is none. It never shows the key, which is made of a payload.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  option: string,
  keyOf: (input: unknown) => string,
  input: unknown,
): { readonly ok: true; readonly key: string } | {
  readonly ok: false
  readonly reason: string
} => {
  const refused = (got: string) => ({
    ok: false as const,
    reason: `${option} must answer a text of 1 to ${Limits.keyLength} characters, got ${got}`,
  })
  let key: unknown
  try {
    key = keyOf(input)
  } catch {
    return refused("an error that it threw")
  }
  if (typeof key !== "string") {
    return refused(`a value of type ${key === null ? "null" : typeof key}`)
  }
  if (key.length === 0) return refused("an empty one")
  if (key.length > Limits.keyLength) return refused(`one of ${key.length}`)
  if (key.includes("\u0000") || !key.isWellFormed()) {
    return refused("one with characters that cannot be stored")
  }
  return { ok: true, key }
}
