/**
 * How an attempt can be finished before its handler ends: what the facts of an attempt stand for.
 */
import type { AttemptContext } from "../AttemptContext.ts"
import type { Change } from "../Task.ts"

/** An attempt that can be finished from inside of its handler. */
export interface Completion {
  /** The change that completes the task with this output, or why the output cannot be stored. */
  readonly change: (
    output: unknown,
  ) => { readonly ok: true; readonly value: Change } | {
    readonly ok: false
    readonly reason: string
  }
  /** Hears that the change is stored for good. */
  readonly stored: () => void
  /**
   * `sent` once a transaction has written the change: whether it was committed may be unknown.
   * `stored` once it is known to be.
   */
  state: "open" | "sent" | "stored"
}

// The facts are what a handler has in hand wherever it goes, also in plain asynchronous code; they
// stay plain data, and what they stand for is kept beside them.
const completions = new WeakMap<AttemptContext["Service"], Completion | "test">()

/** Lets the facts of an attempt stand for it; `test` for one that no worker runs. */
export const register = (
  facts: AttemptContext["Service"],
  completion: Completion | "test",
): AttemptContext["Service"] => {
  completions.set(facts, completion)
  return facts
}

/** What the facts stand for, where a worker or a test has made them. */
export const completionOf = (facts: AttemptContext["Service"]): Completion | "test" | undefined =>
  completions.get(facts)
