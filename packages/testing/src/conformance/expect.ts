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

/** Writes a JSON text in one form, because a driver may order keys and space anew.
 * @category conversions
 * @since 0.1.0 */
export const showJson = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : show(JSON.parse(text))

/** Expects two values to be equal, whatever the order of their keys.
 * @category assertions
 * @since 0.1.0 */
export const equal = <A>(actual: A, expected: NoInfer<A>, what: string): void => {
  const [was, wanted] = [show(actual), show(expected)]
  if (was !== wanted) {
    throw new Unexpected(`${what}:\n  expected ${cut(wanted)}\n  actual   ${cut(was)}`)
  }
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
