/**
 * Random choices that a seed decides, alike on every runtime.
 *
 * @since 0.1.0
 */

/**
 * A source of choices.
 *
 * @category models
 * @since 0.1.0
 */
export interface Seeded {
  /** An integer from 0 to below the bound. */
  readonly below: (bound: number) => number
  /** One of the given values. */
  readonly pick: <A>(all: ReadonlyArray<A>) => A
  /** `true` once in so many times. */
  readonly oneIn: (times: number) => boolean
}

/** Makes a source of choices (the generator is mulberry32).
 * @category constructors
 * @since 0.1.0 */
export const make = (seed: number): Seeded => {
  let state = seed | 0
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  // The first numbers of neighbouring seeds are alike.
  for (let turn = 0; turn < 4; turn++) next()
  const below = (bound: number) => Math.floor(next() * bound)
  return {
    below,
    pick: (all) => all[below(all.length)]!,
    oneIn: (times) => below(times) === 0,
  }
}
