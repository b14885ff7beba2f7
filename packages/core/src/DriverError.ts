/**
 * The one error of a driver, with a tagged reason.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"

/** The storage cannot be reached, or went away; trying again can help.
 * @category errors
 * @since 0.1.0 */
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", {
  detail: Schema.String,
}) {}

/** The storage refused: bad settings, missing rights, a newer schema; trying again does not help.
 * @category errors
 * @since 0.1.0 */
export class Rejected extends Schema.TaggedError<Rejected>()("Rejected", {
  detail: Schema.String,
}) {}

/** The storage answered something that cannot be.
 * @category errors
 * @since 0.1.0 */
export class Corrupt extends Schema.TaggedError<Corrupt>()("Corrupt", {
  detail: Schema.String,
}) {}

/**
 * Failed to reach or to use the storage. Never carries a payload or a password.
 *
 * @category errors
 * @since 0.1.0
 */
export class DriverError extends Schema.TaggedError<DriverError>()("DriverError", {
  /** What was being done, such as `claim`. */
  operation: Schema.String,
  reason: Schema.Union([Unavailable, Rejected, Corrupt]),
}) {
  override get message(): string {
    return `Cannot ${this.operation}: ${this.reason.detail}`
  }

  /** Whether the same call can succeed later without anybody changing anything. */
  get isRetryable(): boolean {
    return this.reason._tag === "Unavailable"
  }

  static unavailable(operation: string, detail: string): DriverError {
    return new DriverError({ operation, reason: new Unavailable({ detail }) })
  }

  static rejected(operation: string, detail: string): DriverError {
    return new DriverError({ operation, reason: new Rejected({ detail }) })
  }

  static corrupt(operation: string, detail: string): DriverError {
    return new DriverError({ operation, reason: new Corrupt({ detail }) })
  }
}
