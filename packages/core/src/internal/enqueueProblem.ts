/**
 * What is wrong with the options of enqueueing.
 */
import type { EnqueueOptions } from "../Client.ts"
import * as Limits from "../Limits.ts"
import * as Problem from "../Problem.ts"
import * as RunId from "../RunId.ts"
import { instantOf, isStorable } from "./instants.ts"

/**
 * Says the first thing that is wrong; `undefined` is nothing. Options come from outside the
 * definition, often from a request, so they are failures and not defects.
 */
export const problemOf = (
  options: EnqueueOptions | undefined,
  many: boolean,
): string | undefined => {
  if (options === undefined) return undefined
  if (options.delay !== undefined && options.at !== undefined) {
    return "give either delay or at, not both"
  }
  if (options.delay !== undefined) {
    const millis = Problem.toMillis(options.delay)
    if (millis === undefined || millis > Limits.delayMillis) {
      return "delay must be a duration from 0 to 10 years"
    }
  }
  if (options.at !== undefined) {
    if (!isStorable(instantOf(options.at))) return "at must be a date from the year 0 to 9999"
  }
  if (options.expiresIn !== undefined) {
    const millis = Problem.toMillis(options.expiresIn)
    if (millis === undefined || millis < 1 || millis > Limits.expiresMillis) {
      return "expiresIn must be a duration from 1 millisecond to 10 years"
    }
  }
  const priority = options.priority
  if (
    priority !== undefined &&
    !(Number.isInteger(priority) && priority >= 0 && priority <= Limits.lowestPriority)
  ) {
    return `priority must be an integer from 0 to ${Limits.lowestPriority}, got ${priority}`
  }
  const { whenFull } = options
  if (whenFull !== undefined && whenFull !== "fail" && whenFull !== "wait") {
    return `whenFull must be "fail" or "wait", got ${Problem.show(whenFull)}`
  }
  if (options.id === undefined) return undefined
  if (many) return "id cannot be given for many inputs, which are a run each"
  return RunId.isRunId(options.id) ? undefined : "id must be a UUID in lower case"
}
