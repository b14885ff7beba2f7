/**
 * A binary heap: what is due first comes first.
 *
 * @since 0.1.0
 */

/** When something is due, and after which others that are due then.
 * @category models
 * @since 0.1.0 */
export interface Due {
  readonly at: number
  readonly order: number
}

/** Elements by when they are due.
 * @category models
 * @since 0.1.0 */
export class Heap<A extends Due> {
  readonly #all: Array<A> = []

  get first(): A | undefined {
    return this.#all[0]
  }

  push(one: A): void {
    const all = this.#all
    let at = all.length
    all.push(one)
    while (at > 0) {
      const above = (at - 1) >>> 1
      if (isBefore(all[above]!, one)) break
      all[at] = all[above]!
      at = above
    }
    all[at] = one
  }

  pop(): A | undefined {
    const all = this.#all
    const first = all[0]
    const last = all.pop()
    if (last === undefined || all.length === 0) return first
    let at = 0
    while (true) {
      let below = 2 * at + 1
      if (below >= all.length) break
      if (below + 1 < all.length && isBefore(all[below + 1]!, all[below]!)) below++
      if (isBefore(last, all[below]!)) break
      all[at] = all[below]!
      at = below
    }
    all[at] = last
    return first
  }
}

const isBefore = (a: Due, b: Due): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)
