/**
 * Typed, durable background jobs: definitions, pure rules, client, worker, and the port to drivers.
 *
 * @since 0.1.0
 */
export * as Attempt from "./Attempt.ts"
export { AttemptContext } from "./AttemptContext.ts"
export * as Backoff from "./Backoff.ts"
export * as Batch from "./Batch.ts"
export * as Claiming from "./Claiming.ts"
export * as Codec from "./Codec.ts"
export * as Cron from "./Cron.ts"
export * as Definition from "./Definition.ts"
export * as Deploy from "./Deploy.ts"
export * as Driver from "./Driver.ts"
export { DriverError } from "./DriverError.ts"
export * as Expiry from "./Expiry.ts"
export * as Flow from "./Flow.ts"
export * as Granting from "./Granting.ts"
export * as Job from "./Job.ts"
export * as Json from "./Json.ts"
export * as Labels from "./Labels.ts"
export * as Limiting from "./Limiting.ts"
export * as Limits from "./Limits.ts"
export * as Misfire from "./Misfire.ts"
export type * as Outcome from "./Outcome.ts"
export * as Problem from "./Problem.ts"
export * as Progress from "./Progress.ts"
export * as Queues from "./Queues.ts"
export * as Recurrence from "./Recurrence.ts"
export * as Registry from "./Registry.ts"
export {
  FilterInvalid,
  InputInvalid,
  QueueFull,
  RunCancelled,
  RunFailed,
  RunNotFound,
  RunUndone,
  SignalRefused,
  WhenInvalid,
} from "./RunError.ts"
export type { RunHandle } from "./RunHandle.ts"
export * as Retention from "./Retention.ts"
export * as RunId from "./RunId.ts"
export * as Runs from "./Runs.ts"
export { ScheduleInvalid, ScheduleNotFound } from "./ScheduleError.ts"
export * as Schedules from "./Schedules.ts"
export * as ScheduleStore from "./ScheduleStore.ts"
export * as Scheduling from "./Scheduling.ts"
export * as Shape from "./Shape.ts"
export * as Task from "./Task.ts"
export * as Timetable from "./Timetable.ts"
export * as Transaction from "./Transaction.ts"
export * as Transition from "./Transition.ts"
export type * as Unique from "./Unique.ts"
export * as Uniqueness from "./Uniqueness.ts"
export * as Worker from "./Worker.ts"
