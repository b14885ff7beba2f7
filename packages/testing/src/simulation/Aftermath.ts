/**
 * What goes on when a seed has ended: only something outside of the simulation can.
 *
 * @since 0.1.0
 */
import { Effect } from "effect"

/**
 * Lets every promise settle whose time has come, and answers what is wrong where the state is then
 * not what it was: an async function is at work that nobody awaits.
 *
 * @category running
 * @since 0.1.0
 */
export const aftermath = (
  state: unknown,
  jobs: ReadonlyArray<string>,
): Effect.Effect<string | undefined> =>
  Effect.suspend(() => {
    const before = pictureOf(state)
    return Effect.map(
      Effect.yieldNow,
      () => pictureOf(state) === before ? undefined : wordsOf(jobs),
    )
  })

const wordsOf = (jobs: ReadonlyArray<string>): string => {
  const names = jobs.map((name) => `job "${name}"`).join(", ")
  return `The option state changed after the seed had ended: ${names} or the load calls an async ` +
    `function that nobody awaits; its work after an await is not simulated: let it be an effect, ` +
    `with Effect.sync and Effect.sleep`
}

/** Of a state that is larger, the rest is not looked at. */
const maxValues = 10_000

/** A text that is the same while nothing in a value is changed. Calls nothing of the value's. */
const pictureOf = (root: unknown): string => {
  const numbers = new Map<object, number>()
  const texts: Array<string> = []
  const open: Array<unknown> = [root]
  while (open.length > 0 && texts.length < maxValues) {
    const value = open.pop()
    if (typeof value !== "object" || value === null) {
      texts.push(typeof value === "function" ? "function" : `${typeof value} ${String(value)}`)
      continue
    }
    const number = numbers.get(value)
    if (number !== undefined) {
      texts.push(`again ${number}`)
      continue
    }
    numbers.set(value, numbers.size)
    texts.push(ownTextOf(value))
    for (const part of partsOf(value)) open.push(part)
  }
  return texts.join("\n")
}

const ownTextOf = (value: object): string => {
  if (value instanceof Date) return `date ${value.getTime()}`
  if (value instanceof Map || value instanceof Set) return `size ${value.size}`
  return ArrayBuffer.isView(value) ? `bytes ${value.byteLength}` : "object"
}

const partsOf = (value: object): ReadonlyArray<unknown> => {
  if (value instanceof Map) return [...value.keys(), ...value.values()]
  if (value instanceof Set) return [...value]
  if (ArrayBuffer.isView(value)) return []
  // A property that is computed is left alone: computing it may change something.
  return Object.keys(value).flatMap((key) => [
    key,
    Object.getOwnPropertyDescriptor(value, key)?.value,
  ])
}
