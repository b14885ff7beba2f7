/**
 * What the steps of random flows answer: functions of what they are given, which the handlers and
 * the interpreter share.
 *
 * @since 0.1.0
 */
import { show } from "../conformance/expect.ts"

/** A small number that follows from a value (FNV-1a).
 * @category conversions
 * @since 0.1.0 */
export const hash = (value: unknown): number => {
  let state = 0x811c9dc5
  for (const character of show(value)) {
    state = Math.imul(state ^ character.charCodeAt(0), 0x01000193)
  }
  return (state ^ (state >>> 15)) >>> 0
}

/** What a task answers.
 * @category conversions
 * @since 0.1.0 */
export const ofTask = (slug: string, given: unknown): unknown => {
  const number = hash([slug, given])
  const odd: ReadonlyArray<unknown> = [0, "", false, null, { n: number % 100 }]
  return odd[number % odd.length]
}

/** What a task answers that is to answer an array.
 * @category conversions
 * @since 0.1.0 */
export const ofList = (slug: string, given: unknown): ReadonlyArray<number> =>
  Array.from({ length: hash([slug, given]) % 5 }, (_, index) => hash([slug, given, index]) % 4)

/** What an element of a map answers.
 * @category conversions
 * @since 0.1.0 */
export const ofElement = (element: unknown, index: number): unknown => [index, element]

/** The value of a signal.
 * @category conversions
 * @since 0.1.0 */
export const ofSignal = (slug: string): number => hash(slug) % 10

/** Whether a predicate is met.
 * @category conversions
 * @since 0.1.0 */
export const isWanted = (given: unknown): boolean => hash(given) % 3 !== 0

/** What a flow that is a step is given.
 * @category conversions
 * @since 0.1.0 */
export const ofFlow = (given: unknown): { readonly x: number } => ({ x: hash(given) % 10 })
