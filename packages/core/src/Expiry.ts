/**
 * When a task is too late to begin: one rule, which the memory driver calls and the SQL of other
 * drivers is checked against.
 *
 * @since 0.1.0
 */
import type { HistoryEntry, NewTask } from "./Exchange.ts"

/** Until when a task that is stored now may begin; `undefined` where it never expires.
 * @category rules
 * @since 0.1.0 */
export const expiresAt = (
  { delayMillis, dueAt, expiresMillis }: NewTask,
  now: number,
): number | undefined =>
  expiresMillis === undefined
    ? undefined
    : Math.max(now, dueAt ?? now + delayMillis) + expiresMillis

/**
 * Whether a line of a task's history means that something of it has begun, after which it does not
 * expire any more: all does, but for being given back before a handler began.
 *
 * @category rules
 * @since 0.1.0
 */
export const isBeginning = (
  { kind, startedAt }: Pick<HistoryEntry, "kind" | "startedAt">,
): boolean => startedAt !== undefined || (kind !== "interrupted" && kind !== "snoozed")

/** Whether a task that nothing of has begun is too late.
 * @category rules
 * @since 0.1.0 */
export const isOver = (expiresAt: number, now: number): boolean => expiresAt <= now
