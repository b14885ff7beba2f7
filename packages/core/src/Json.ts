/**
 * JSON text as it crosses the trust boundary: bounded, free of NUL characters and of keys that
 * reach a prototype.
 *
 * @since 0.1.0
 */

// Encoders are stateless; one serves all.
const encoder = new TextEncoder()

// An odd number of backslashes before `u0000` or a lone surrogate. `JSON.stringify` writes both as
// lower-case escapes; PostgreSQL cannot hold either in a text.
const unstorable = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/

const prototypeKey = /"__proto__"\s*:/

// Text that another program wrote can spell the key with escapes of its letters.
const spelledPrototypeKey = /"__proto__"\s*:|\\u00(?:5f|6f|7[024])/i

/**
 * Writes an encoded value as JSON text, or says in words why it cannot be stored.
 *
 * @category conversions
 * @since 0.1.0
 */
export const stringify = (
  value: unknown,
  maxBytes: number,
): { readonly text: string } | { readonly refused: string } => {
  // Only a top-level `undefined` has no JSON text: it stands for "no value", as `void` does.
  const text = JSON.stringify(value) ?? "null"
  if (text.length * 3 > maxBytes && encoder.encode(text).length > maxBytes) {
    return {
      refused: `it is ${
        encoder.encode(text).length
      } bytes of JSON, more than the limit of ${maxBytes}`,
    }
  }
  // A plain search first: it costs far less, and nearly always finds nothing.
  if (text.includes("\\u") && unstorable.test(text)) {
    return { refused: "it contains a NUL character or half of a surrogate pair" }
  }
  if (text.includes(`"__proto__"`) && prototypeKey.test(text) && hasPrototypeKey(text)) {
    return { refused: `it contains a key "__proto__"` }
  }
  return { text }
}

// The pattern can also match inside a string value, so the parser has the last word.
const hasPrototypeKey = (text: string): boolean => {
  let found = false
  JSON.parse(text, (key, value) => {
    if (key === "__proto__") found = true
    return value
  })
  return found
}

/**
 * Reads JSON text that a driver answered. Keys named `__proto__` are dropped, so that no decoder
 * can copy them onto a prototype.
 *
 * @category conversions
 * @since 0.1.0
 */
export const parse = (text: string): unknown =>
  (text.includes(`"__proto__"`) || text.includes("\\u00")) && spelledPrototypeKey.test(text)
    ? JSON.parse(text, (key, value) => key === "__proto__" ? undefined : value)
    : JSON.parse(text)
