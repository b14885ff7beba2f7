/**
 * How the own tasks of runs are tried.
 */
import * as Backoff from "../../Backoff.ts"
import type * as Flow from "../../Flow.ts"

/** A run is conducted until it has ended; each time that it went on its budgets are fresh. */
export const conducting: Flow.Policy = {
  maxAttempts: 20,
  maxCrashes: 10,
  backoff: Backoff.exponential({ base: "1 second", cap: "1 minute" }),
  timeoutMillis: 60_000,
}

/** How long what the storage did not answer is put off. */
export const laterMillis = 1000
