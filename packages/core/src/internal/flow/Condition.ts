/**
 * Whether the condition of a step is met. Pure.
 */
import { Equal } from "effect"
import type * as Flow from "../../Flow.ts"

/** Whether a decoded value meets a condition. May throw what a predicate throws. */
export const isMet = (condition: Flow.Condition, value: unknown): boolean =>
  (condition.if === undefined || contains(value, condition.if)) &&
  (condition.ifNot === undefined || !contains(value, condition.ifNot)) &&
  (condition.when === undefined || condition.when(value))

/**
 * Whether a value contains a pattern: every key of an object in the pattern, and every element of
 * an array in it somewhere in the value's array; all else has to be equal.
 */
export const contains = (value: unknown, pattern: unknown): boolean => {
  if (Array.isArray(pattern)) {
    return Array.isArray(value) &&
      pattern.every((one) => value.some((element) => contains(element, one)))
  }
  if (isPlain(pattern)) {
    return isPlain(value) &&
      Object.entries(pattern).every(([key, one]) =>
        Object.hasOwn(value, key) && contains(value[key], one)
      )
  }
  return Equal.equals(value, pattern)
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)
