/**
 * A transaction in memory: what was done in it, done on a copy, and done again at the commit.
 *
 * @since 0.1.0
 */
import type { Store } from "./Store.ts"

interface Done {
  readonly step: (store: Store) => unknown
  readonly answer: string
}

export class Stage {
  readonly store: Store
  private readonly parent: Stage | undefined
  private readonly done: Array<Done> = []
  private copy: Store | undefined
  private ended = false

  /** Begins a transaction of a store, or a part of one. */
  constructor(store: Store, parent: Stage | undefined) {
    this.store = store
    this.parent = parent
  }

  /** Whether nothing can be done in it any more. */
  get hasEnded(): boolean {
    return this.ended || this.parent?.hasEnded === true
  }

  /** Does something in this transaction, which sees what it did before and nobody else does. */
  run<A>(step: (store: Store) => A): A {
    const answer = step(this.view())
    this.done.push({ step, answer: JSON.stringify(answer) })
    return answer
  }

  /** Drops all that was done. */
  rollback(): void {
    this.ended = true
  }

  /**
   * Does everything for good, or nothing: answers `false` where something else happened meanwhile
   * and made an answer that was given here untrue.
   */
  commit(): boolean {
    this.ended = true
    const { parent } = this
    if (!repeats(this.done, parent === undefined ? this.store.fork() : parent.fork())) return false
    for (const { step } of this.done) {
      if (parent === undefined) step(this.store)
      else parent.run(step)
    }
    return true
  }

  private fork(): Store {
    return this.view().fork()
  }

  private view(): Store {
    return this.copy ??= this.parent === undefined ? this.store.fork() : this.parent.fork()
  }
}

const repeats = (done: ReadonlyArray<Done>, store: Store): boolean =>
  done.every(({ step, answer }) => JSON.stringify(step(store)) === answer)
