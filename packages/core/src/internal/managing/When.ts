/**
 * When a run is to be due, as somebody says it, and what is wrong with saying it so.
 */
import type { Duration } from "effect"
import * as Limits from "../../Limits.ts"
import * as Problem from "../../Problem.ts"
import { type Instant, instantOf, isStorable } from "../instants.ts"
import type { Due } from "./Steering.ts"

/**
 * When a run is to be due: give one of both.
 *
 * @category models
 * @since 0.1.0
 */
export type When =
  /** This long from now: up to 10 years; 0 is at once. */
  | { readonly delay: Duration.Input; readonly at?: never }
  /** At this instant; one that is over is at once. */
  | { readonly at: Instant; readonly delay?: never }

/** What the rules are told, or what is wrong. */
export const dueOf = (
  when: unknown,
): { readonly due: Due; readonly detail?: never } | {
  readonly detail: string
  readonly due?: never
} => {
  if (typeof when !== "object" || when === null) return { detail: "give a delay, or an instant" }
  const { delay, at } = when as { readonly delay?: unknown; readonly at?: unknown }
  if ((delay === undefined) === (at === undefined)) return { detail: "give either delay or at" }
  if (delay !== undefined) {
    const millis = Problem.toMillis(delay)
    return millis === undefined || millis > Limits.delayMillis
      ? { detail: "delay must be a duration from 0 to 10 years" }
      : { due: { delayMillis: Math.round(millis) } }
  }
  const instant = instantOf(at)
  return isStorable(instant)
    ? { due: { delayMillis: 0, dueAt: Math.round(instant) } }
    : { detail: "at must be a date from the year 0 to 9999" }
}
