/**
 * Types of the assertions that the tests of this repository use.
 *
 * The npm build of Deno's standard library carries no declarations, so these are our own,
 * with the names and the meaning of `@std/assert` 1. Add a function here when a test needs it.
 */

// deno-lint-ignore no-explicit-any
type AnyConstructor = abstract new (...args: any[]) => any
// deno-lint-ignore no-explicit-any
type ErrorConstructorOf<E extends Error> = abstract new (...args: any[]) => E

/** The error that every failing assertion throws. */
export declare class AssertionError extends Error {
  constructor(message: string, options?: ErrorOptions)
}

/** Asserts that a value is truthy. */
export declare function assert(condition: unknown, message?: string): asserts condition

/** Asserts that a value is falsy. */
export declare function assertFalse(
  condition: unknown,
  message?: string,
): asserts condition is false | 0 | 0n | "" | null | undefined

/** Asserts that two values are deeply equal. */
export declare function assertEquals<T>(actual: T, expected: T, message?: string): void

/** Asserts that two values are not deeply equal. */
export declare function assertNotEquals<T>(actual: T, expected: T, message?: string): void

/** Asserts that two values are the same by `Object.is`. */
export declare function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  message?: string,
): asserts actual is T

/** Asserts that two values are not the same by `Object.is`. */
export declare function assertNotStrictEquals<T>(actual: T, expected: T, message?: string): void

/** Asserts that a value is neither `null` nor `undefined`. */
export declare function assertExists<T>(
  actual: T,
  message?: string,
): asserts actual is NonNullable<T>

/** Asserts that a value is an instance of a class. */
export declare function assertInstanceOf<C extends AnyConstructor>(
  actual: unknown,
  expectedType: C,
  message?: string,
): asserts actual is InstanceType<C>

/** Asserts that `actual > expected`. */
export declare function assertGreater<T>(actual: T, expected: T, message?: string): void

/** Asserts that `actual >= expected`. */
export declare function assertGreaterOrEqual<T>(actual: T, expected: T, message?: string): void

/** Asserts that `actual < expected`. */
export declare function assertLess<T>(actual: T, expected: T, message?: string): void

/** Asserts that `actual <= expected`. */
export declare function assertLessOrEqual<T>(actual: T, expected: T, message?: string): void

/** Asserts that two numbers differ by at most the tolerance (default: one part in ten million). */
export declare function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  message?: string,
): void

/** Asserts that a string matches a regular expression. */
export declare function assertMatch(actual: string, expected: RegExp, message?: string): void

/** Asserts that a string contains another. */
export declare function assertStringIncludes(
  actual: string,
  expected: string,
  message?: string,
): void

/** Asserts that an array contains every element of another, in any order. */
export declare function assertArrayIncludes<T>(
  actual: ArrayLike<T>,
  expected: ArrayLike<T>,
  message?: string,
): void

/** Asserts that an object has at least the given members, recursively. */
export declare function assertObjectMatch(
  // deno-lint-ignore no-explicit-any
  actual: Record<PropertyKey, any>,
  expected: Record<PropertyKey, unknown>,
  message?: string,
): void

/** Asserts that a function throws, and returns what it threw. */
export declare function assertThrows(fn: () => unknown, message?: string): unknown
export declare function assertThrows<E extends Error>(
  fn: () => unknown,
  errorClass: ErrorConstructorOf<E>,
  messageIncludes?: string,
  message?: string,
): E

/** Asserts that a function returns a promise that rejects, and resolves to the reason. */
export declare function assertRejects(
  fn: () => PromiseLike<unknown>,
  message?: string,
): Promise<unknown>
export declare function assertRejects<E extends Error>(
  fn: () => PromiseLike<unknown>,
  errorClass: ErrorConstructorOf<E>,
  messageIncludes?: string,
  message?: string,
): Promise<E>

/** Fails without a condition. */
export declare function fail(message?: string): never

/** Fails because a line was reached that must not be. */
export declare function unreachable(reason?: string): never
