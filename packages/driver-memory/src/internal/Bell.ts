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
  private readonly listeners: Array<(wakeup: Driver.Wakeup) => void> = []
  private pending: Array<Driver.Wakeup> = []

  constructor(heard: PubSub.PubSub<Driver.Wakeup>) {
    this.heard = heard
  }

  /** Keeps a wakeup until the step is over. */
  add(wakeup: Driver.Wakeup): void {
    this.pending.push(wakeup)
  }

  /** Tells each wakeup, in the step that causes it. */
  listen(hear: (wakeup: Driver.Wakeup) => void): void {
    this.listeners.push(hear)
  }

  /** Tells what a step has woken, now that it is over. */
  ring(): void {
    if (this.pending.length > 0) this.tell(this.pending.splice(0))
  }

  private tell(woken: ReadonlyArray<Driver.Wakeup>): void {
    for (const wakeup of woken) {
      PubSub.publishUnsafe(this.heard, wakeup)
      for (const hear of this.listeners) hear(wakeup)
    }
  }
}
