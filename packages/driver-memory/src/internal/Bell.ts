/**
 * Wakeups that are told after the step that caused them: who is woken may act at once, and must
 * find the step done.
 *
 * @since 0.1.0
 */
import type { Driver } from "@millrace/core"
import { PubSub } from "effect"

export class Bell {
  private readonly heard: PubSub.PubSub<Driver.Wakeup>
  private pending: Array<Driver.Wakeup> = []

  constructor(heard: PubSub.PubSub<Driver.Wakeup>) {
    this.heard = heard
  }

  /** Keeps a wakeup until the step is over. */
  add(wakeup: Driver.Wakeup): void {
    this.pending.push(wakeup)
  }

  /** Does a step, and then tells what it has woken. */
  after<A>(step: () => A): A {
    try {
      return step()
    } finally {
      const woken = this.pending
      this.pending = []
      for (const wakeup of woken) PubSub.publishUnsafe(this.heard, wakeup)
    }
  }
}
