/**
 * The ids of runs: UUIDs of version 7 (RFC 9562), so that they sort by the time of their making.
 *
 * @since 0.1.0
 */
import { Context, Effect } from "effect"
import { SecureRandom } from "effect/crypto"

/** Identifies a run.
 * @category models
 * @since 0.1.0 */
export type RunId = string

const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Tells whether a text has the form of a run id: a UUID of any version, in lower case.
 * @category guards
 * @since 0.1.0 */
export const isRunId = (text: unknown): text is RunId =>
  typeof text === "string" && pattern.test(text)

/**
 * Where new ids come from. The default draws on the platform's secure random source and the
 * `Clock`; the ids of one process grow strictly. A simulation provides a seeded one.
 *
 * @category services
 * @since 0.1.0
 */
export const RunIds: Context.Reference<{ readonly next: Effect.Effect<RunId> }> = Context.Reference(
  "@millrace/core/RunIds",
  { defaultValue: () => fromBytes((size) => crypto.getRandomValues(new Uint8Array(size))) },
)

/** Makes a source of ids from a source of random bytes.
 * @category constructors
 * @since 0.1.0 */
export const fromBytes = (
  randomBytes: (size: number) => Uint8Array,
): { readonly next: Effect.Effect<RunId> } => ({
  next: SecureRandom.make(randomBytes).uuidV7(),
})

/** Makes the next id.
 * @category constructors
 * @since 0.1.0 */
export const make: Effect.Effect<RunId> = Effect.flatMap(RunIds, (ids) => ids.next)
