/**
 * What making and changing a schedule can fail with.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"

/** The options of a schedule, or its input, were refused; nothing was stored.
 * @category errors
 * @since 0.1.0 */
export class ScheduleInvalid extends Schema.TaggedError<ScheduleInvalid>()("ScheduleInvalid", {
  name: Schema.String,
  detail: Schema.String,
}) {
  override get message(): string {
    return `Cannot schedule "${this.name}": ${this.detail}`
  }
}

/** There is no schedule of this name.
 * @category errors
 * @since 0.1.0 */
export class ScheduleNotFound extends Schema.TaggedError<ScheduleNotFound>()("ScheduleNotFound", {
  name: Schema.String,
}) {
  override get message(): string {
    return `Cannot find schedule "${this.name}": it was never made, or it was removed`
  }
}
