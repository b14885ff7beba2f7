/**
 * What a case expects, and how it says that it was given something else.
 *
 * @since 0.1.0
 */
import { Effect, Exit } from "effect"

/** A case found something else than it expects.
 * @category errors
 * @since 0.1.0 */
export class Unexpected extends Error {
  override readonly name = "Unexpected"
}

/**
 * Writes a value in one form: keys sorted, `undefined` left out, so that equal values read the same
 * whatever the driver made them of.
 *
 * @category conversions
 * @since 0.1.0
 */
export const show = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, member]) => member !== undefined)
    entries.sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${
      entries.map(([key, member]) => `${JSON.stringify(key)}: ${show(member)}`).join(", ")
    }}`
  }
  return value === undefined ? "undefined" : JSON.stringify(value)
}

/** Whether two values read the same as `show` writes them.
 * @category guards
 * @since 0.1.0 */
export const isSame = (some: unknown, other: unknown): boolean => {
  if (some === other) return true
  if (Array.isArray(some)) {
    return Array.isArray(other) && some.length === other.length &&
      some.every((member, index) => isSame(member, other[index]))
  }
  if (!isRecord(some) || !isRecord(other)) return show(some) === show(other)
  const defined = (record: Readonly<Record<string, unknown>>) =>
    Object.keys(record).filter((key) => record[key] !== undefined)
  const keys = defined(some)
  return keys.length === defined(other).length && keys.every((key) => isSame(some[key], other[key]))
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Writes a JSON text in one form, because a driver may order keys and space anew.
 * @category conversions
 * @since 0.1.0 */
export const showJson = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : show(JSON.parse(text))

/** Expects two values to be equal, whatever the order of their keys.
 * @category assertions
 * @since 0.1.0 */
export const equal = <A>(actual: A, expected: NoInfer<A>, what: string): void => {
  if (isSame(actual, expected)) return
  throw new Unexpected(
    `${what}:\n  expected ${cut(show(expected))}\n  actual   ${cut(show(actual))}`,
  )
}

/** Expects two JSON texts to mean the same.
 * @category assertions
 * @since 0.1.0 */
export const equalJson = (actual: string | undefined, expected: string, what: string): void =>
  equal(showJson(actual), showJson(expected), what)

/** Expects a condition to hold.
 * @category assertions
 * @since 0.1.0 */
export const that = (condition: boolean, what: string): void => {
  if (!condition) throw new Unexpected(what)
}

/** Expects an effect to end with a failure or a defect.
 * @category assertions
 * @since 0.1.0 */
export const fails = <A, E, R>(effect: Effect.Effect<A, E, R>, what: string) =>
  Effect.map(Effect.exit(effect), (exit) => that(Exit.isFailure(exit), what))

const cut = (text: string) => text.length > 2000 ? `${text.slice(0, 2000)}… (${text.length})` : text
