/**
 * The definitions that were registered.
 *
 * @since 0.1.0
 */
import type { Registry } from "@millrace/core"
import { Effect } from "effect"

/** Makes what remembers definitions. */
export const make = (): Registry.Registry["Service"] => {
  const entries = new Map<string, Registry.Registered>()
  return {
    register: (definitions) =>
      Effect.sync(() => {
        for (const one of definitions) entries.set(`${one.slug} ${one.version}`, one)
      }),
    registered: Effect.sync(() =>
      [...entries.values()].sort((a, b) => a.slug < b.slug ? -1 : a.slug > b.slug ? 1 : 0)
    ),
  }
}
