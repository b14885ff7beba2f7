/**
 * What an attempt came to, read from the exit of its handler.
 */
import { Cause, Duration, Exit } from "effect"
import * as Attempt from "../../Attempt.ts"
import * as Backoff from "../../Backoff.ts"
import type { Failure, Outcome } from "../../Outcome.ts"
import { plainText } from "../plainText.ts"
import type { Served } from "./Served.ts"

/** Why the worker interrupted a handler. */
export type Ending = "timeout" | "shutdown" | "lost"

/** What the outcome depends on, besides the exit. */
export interface Circumstances {
  readonly served: Served
  /** 1-based. */
  readonly attempt: number
  readonly ending: Ending | undefined
  /** From 0 to 1, for the jitter. */
  readonly random: number
}

/** The outcome of a handler that ended. */
export const ofExit = (exit: Exit.Exit<unknown, unknown>, about: Circumstances): Outcome => {
  if (Exit.isSuccess(exit)) {
    if (about.served.answer !== undefined) return exit.value as Outcome
    const output = about.served.output.encode(exit.value)
    return output.ok
      ? { _tag: "Completed", output: output.value }
      : failed("OutputInvalid", `The output does not match its schema: ${output.reason}`, about)
  }
  // What a handler says while it is being interrupted is no answer.
  if (about.ending === "timeout") return timedOut(about)
  if (about.ending !== undefined) return { _tag: "Interrupted" }
  const error = exit.cause.reasons.find(Cause.isFailReason)
  if (error !== undefined) return ofError(error.error, about)
  const defect = exit.cause.reasons.find(Cause.isDieReason)
  return defect === undefined
    ? failed("Defect", "The handler interrupted itself", about)
    : failed("Defect", describe(defect.defect), about)
}

/** The outcome of a task whose stored input its job cannot read: no attempt can mend that. */
export const ofUndecodable = (reason: string): Outcome => ({
  _tag: "Discarded",
  failure: {
    reason: "InputUndecodable",
    message: plainText(`The stored input does not match its schema: ${reason}`),
  },
})

const ofError = (error: unknown, about: Circumstances): Outcome => {
  if (!Attempt.isControl(error)) return ofTyped(error, about)
  switch (error._tag) {
    case "millrace/Snooze":
      return { _tag: "Snoozed", delayMillis: error.delayMillis }
    case "millrace/RetryAfter": {
      const after = Duration.format(Duration.millis(error.delayMillis))
      return {
        _tag: "Failed",
        failure: { reason: "RetryAfter", message: `The handler asked to be tried after ${after}` },
        retryDelayMillis: error.delayMillis,
      }
    }
    case "millrace/Discard": {
      const typed = encoded("Discarded", error.error, about)
      return typed === undefined
        ? { _tag: "Discarded", failure: { reason: "Discarded", message: refusedError } }
        : { _tag: "Discarded", failure: typed }
    }
  }
}

const ofTyped = (error: unknown, about: Circumstances): Outcome => {
  const failure = encoded("Error", error, about)
  if (failure === undefined) return failed("Defect", refusedError, about)
  const retryable = orElse(() => about.served.retryable(error), true)
  return {
    _tag: "Failed",
    failure,
    retryDelayMillis: retryable ? delayOf(about) : undefined,
  }
}

const refusedError = "The handler failed with a value that the error schema refuses"

const encoded = (
  reason: "Error" | "Discarded",
  error: unknown,
  about: Circumstances,
): Failure | undefined => {
  const text = about.served.error.encode(error)
  return text.ok ? { reason, message: describe(error), error: text.value } : undefined
}

const timedOut = (about: Circumstances): Outcome => ({
  _tag: "TimedOut",
  failure: {
    reason: "TimedOut",
    message: `The handler ran longer than its timeout of ${
      Duration.format(Duration.millis(about.served.policy.timeoutMillis))
    }`,
  },
  retryDelayMillis: delayOf(about),
})

const failed = (
  reason: "Defect" | "OutputInvalid",
  message: string,
  about: Circumstances,
): Outcome => ({
  _tag: "Failed",
  failure: { reason, message: plainText(message) },
  retryDelayMillis: delayOf(about),
})

const fallback = Backoff.exponential({ base: "1 second" })

// A user's own backoff can throw, and that must cost neither the attempt nor the worker.
const delayOf = ({ served, attempt, random }: Circumstances): number | undefined =>
  orElse(
    () => served.policy.backoff.delayMillis(attempt, random),
    fallback.delayMillis(attempt, random),
  )

const orElse = <A>(evaluate: () => A, otherwise: A): A => {
  try {
    return evaluate()
  } catch {
    return otherwise
  }
}

/** One line for people about whatever was thrown or failed with. */
const describe = (error: unknown): string =>
  plainText(orElse(() => {
    if (error instanceof Error) {
      return error.message === "" ? error.name : `${error.name}: ${error.message}`
    }
    if (typeof error === "object" && error !== null) {
      return "_tag" in error ? String(error._tag) : "A value of type object"
    }
    return typeof error === "function" ? "A value of type function" : String(error)
  }, "A value that cannot be shown"))
