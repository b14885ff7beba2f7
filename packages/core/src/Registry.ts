/**
 * The definitions that workers have served: what a deploy is compared with.
 *
 * @since 0.1.0
 */
import { Context, type Effect } from "effect"
import type { DriverError } from "./DriverError.ts"

/**
 * A definition as it is stored: its shape by its hash, and its options as text for people.
 *
 * @category models
 * @since 0.1.0
 */
export interface Registered {
  readonly slug: string
  /** The hash of its shape. Runs of another shape are runs of another version. */
  readonly version: string
  readonly flowType: "job" | "flow"
  /** The options of its steps, by `step.option`. */
  readonly options: Readonly<Record<string, string>>
}

/**
 * Remembers definitions: provided by the layers of drivers that do, beside the driver.
 *
 * @category services
 * @since 0.1.0
 */
export class Registry extends Context.Service<Registry, {
  /**
   * Stores definitions, each version of a slug once, with the options that it was given last.
   *
   * **Details**
   *
   * - A definition that is registered again keeps its place and takes the new options
   * - Another version of a definition is another entry
   */
  readonly register: (
    definitions: ReadonlyArray<Registered>,
  ) => Effect.Effect<void, DriverError>

  /** All that was registered, by slug, and then in the order of being registered first. */
  readonly registered: Effect.Effect<ReadonlyArray<Registered>, DriverError>
}>()("@millrace/core/Registry") {}
