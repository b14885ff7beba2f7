/**
 * Texts for people, such as reasons and messages of failures, in a form that any storage can hold.
 *
 * @since 0.1.0
 */
import { textLength } from "../Limits.ts"

const cutMark = "…"

/**
 * Cuts a text to a length (default: `Limits.textLength`), and puts U+FFFD in place of NUL
 * characters and of halves of surrogate pairs, which neither JSON nor PostgreSQL can hold.
 */
export function plainText(text: string, length: number = textLength): string {
  return cut(text, length).replaceAll("\u0000", "\uFFFD").toWellFormed()
}

function cut(text: string, length: number): string {
  if (text.length <= length) return text
  const end = length - cutMark.length
  // A pair is not torn apart.
  const torn = isHighSurrogate(text.charCodeAt(end - 1)) && isLowSurrogate(text.charCodeAt(end))
  return text.slice(0, torn ? end - 1 : end) + cutMark
}

const isHighSurrogate = (unit: number) => unit >= 0xD800 && unit <= 0xDBFF

const isLowSurrogate = (unit: number) => unit >= 0xDC00 && unit <= 0xDFFF
