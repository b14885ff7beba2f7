/**
 * A binary heap: the smallest element first.
 *
 * @since 0.1.0
 */

/** Elements by an order, the smallest first.
 * @category models
 * @since 0.1.0 */
export class Heap<A> {
  readonly #all: Array<A> = []
  readonly #order: (a: A, b: A) => number

  constructor(order: (a: A, b: A) => number) {
    this.#order = order
  }

  get first(): A | undefined {
    return this.#all[0]
  }

  push(one: A): void {
    const all = this.#all
    let at = all.length
    all.push(one)
    while (at > 0) {
      const above = (at - 1) >>> 1
      if (this.#order(all[above]!, one) <= 0) break
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
      if (below + 1 < all.length && this.#order(all[below + 1]!, all[below]!) < 0) below++
      if (this.#order(last, all[below]!) <= 0) break
      all[at] = all[below]!
      at = below
    }
    all[at] = last
    return first
  }
}
